// Order: picking, dropping, moving stories and sections, by hand, by keys and by buttons.

import { draggable } from "./drag.js";
import { $, say, q } from "./dom.js";
import { Picker } from "./picker.js";

export class Moves {
  #outline;
  #step;
  #picker;
  #issue;

  constructor({ outline, step, issue }) {
    this.#outline = outline;
    this.#step = step;
    this.#issue = issue;
    this.#picker = new Picker(
      (article, section) => step({ do: "pick", article, section }, `picked “${article}”`),
      () => issue().sections.map((_, at) => (outline.isFixed(at) ? null : outline.summary(at))),
    );
  }

  listen() {
    const list = $("sections");
    list.addEventListener("click", (event) => this.#pressed(event.target.closest("button")));
    list.addEventListener("change", ({ target }) => this.#set(target));
    document.addEventListener("keydown", (event) => this.#key(event));
    $("pick").addEventListener("click", () => this.#picker.open());
    $("add-section").addEventListener("submit", (event) => {
      event.preventDefault();
      const layout = $("new-layout").value;
      this.#step({ do: "add-section", at: this.#issue().sections.length, layout }, `added a section, ${layout}`)
        .then((done) => { if (done) q(list.lastElementChild, ".section-title").focus(); });
    });
    $("spare").addEventListener("click", ({ target }) => {
      const article = target.closest("[data-back]")?.dataset.back;
      if (!article) return;
      const open = this.#issue().sections.map(({ layout }, at) => ({ layout, at })).filter(({ at }) => !this.#outline.isFixed(at));
      const into = (open.findLast(({ layout }) => layout === "list") || open[0])?.at ?? -1;
      if (into < 0) return;
      this.#step({ do: "back", article, section: into, to: this.#outline.count(into) }, `put “${article}” back into ${this.#outline.words(into)}`);
    });
    draggable(list, {
      handle: ".story .handle", item: ".story", name: (card) => card.firstElementChild.getAttribute("aria-label"),
      places: () => [...list.querySelectorAll(".section:not(.fixed) .stories")].map((each) => ({ list: each, items: [...each.querySelectorAll(".story")] })),
      dropped: (card, to, at) => this.#move(card.dataset.slug, Number(to.closest(".section").dataset.at), at),
    });
    draggable(list, {
      handle: ".section-head .handle", item: ".section", name: (section) => `the section ${this.#outline.words(Number(section.dataset.at))}`,
      places: () => [{ list, items: [...list.children].filter((each) => each.classList.contains("section")) }],
      dropped: (section, _, at) => this.#moveSection(Number(section.dataset.at), at),
    });
  }

  async #move(slug, section, to, focus = ".handle") {
    const [from, at] = this.#outline.place(slug);
    if (from === section && at === to) return say("It stays where it was.");
    const count = this.#outline.count(section) + (from === section ? 0 : 1);
    const name = this.#outline.value(slug, "headline");
    await this.#step(
      { do: "move", article: slug, section, to },
      `“${name}” is place ${to + 1} of ${count} in ${this.#outline.words(section)}`,
    );
    return this.#hold(this.#outline.card(slug), focus);
  }

  // The button that moved a thing keeps the focus, where it still can be pressed.
  #hold(moved, focus) {
    const wanted = moved?.querySelector(focus);
    (wanted?.disabled ? q(moved, ".handle") : wanted)?.focus({ preventScroll: true });
    moved?.scrollIntoView({ block: "nearest" });
  }

  // One place up or down; over the edge of a section into the next one.
  #nudge(slug, by, focus) {
    const [section, at, count] = this.#outline.place(slug);
    if (this.#outline.isFixed(section)) return say("A sponsor moves with its section.");
    if (at + by >= 0 && at + by < count) return this.#move(slug, section, at + by, focus);
    let next = section + by;
    while (next >= 0 && next < this.#issue().sections.length && this.#outline.isFixed(next)) next += by;
    if (next < 0 || next >= this.#issue().sections.length) return say(by < 0 ? "It is the first already." : "It is the last already.");
    return this.#move(slug, next, by < 0 ? this.#outline.count(next) : 0, focus);
  }

  async #moveSection(section, to, focus = ".handle") {
    if (section === to || to < 0 || to >= this.#issue().sections.length) return;
    const words = this.#outline.words(section);
    await this.#step({ do: "move-section", section, to }, `the section ${words} is number ${to + 1}`);
    this.#hold(q($("sections").children[to], ".section-head"), focus);
  }

  #pressed(button) {
    const act = button?.dataset.do;
    if (!act) return;
    const slug = button.closest(".story")?.dataset.slug;
    const section = Number(button.closest(".section").dataset.at);
    const by = { up: -1, down: 1 }[act];
    if (slug && by) this.#nudge(slug, by, `[data-do="${act}"]`);
    else if (by) this.#moveSection(section, section + by, `[data-do="${act}"]`);
    else if (act === "more") this.#outline.open(slug);
    else if (act === "drop") this.#drop(slug);
    else if (act === "remove") this.#remove(section);
  }

  async #drop(slug) {
    const [section] = this.#outline.place(slug);
    if (await this.#step({ do: "drop", article: slug }, `dropped “${this.#outline.value(slug, "headline")}”; its file stays`)) {
      $("sections").children[section]?.querySelector(".handle").focus();
    }
  }

  async #remove(section) {
    const count = this.#outline.count(section);
    const words = this.#outline.words(section);
    if (await this.#step({ do: "remove-section", section }, `removed the section ${words}${count ? `, with its ${count} stories; their files stay` : ""}`)) {
      ($("sections").children[Math.max(0, section - 1)]?.querySelector(".handle") || $("pick")).focus();
    }
  }

  #set(box) {
    const key = box.dataset.section;
    if (!key) return;
    const section = Number(box.closest(".section").dataset.at);
    this.#step({ do: "set-section", section, values: { [key]: box.value } }, `the section's ${key} is ${box.value || "empty"}`);
  }

  #key(event) {
    if (event.key === "Enter" && event.target.matches?.("[data-line]")) event.preventDefault();
    if (!event.altKey || event.ctrlKey || event.metaKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const by = event.key === "ArrowUp" ? -1 : 1;
    const card = event.target.closest?.(".story");
    const head = event.target.closest?.(".section-head");
    if (!card && !head) return;
    event.preventDefault();
    const again = event.target.dataset.field ? `[data-field="${event.target.dataset.field}"]` : ".handle";
    const section = Number(event.target.closest(".section").dataset.at);
    if (card) this.#nudge(card.dataset.slug, by, again);
    else this.#moveSection(section, section + by);
  }
}
