// Order: picking, dropping, moving stories and sections, by hand, by keys and by buttons.

import { draggable } from "./drag.js";
import { $, counted, q, qq, say } from "./dom.js";
import { Picker } from "./picker.js";

const list = $("sections");

// The number of the section that something is in, as it is now; -1 when it is gone.
const at = (inside) => { const section = inside.closest(".section"); return section?.isConnected ? Number(section.dataset.at) : -1; };

export class Moves {
  #outline;
  #steps;
  #going = 0;
  #picker;
  #issue;

  constructor({ outline, step, issue }) {
    this.#outline = outline;
    this.#steps = step;
    this.#issue = issue;
    this.#picker = new Picker(
      (article, section) => step({ do: "pick", article, section }, `picked “${article}”`),
      () => issue().sections.map((_, n) => (outline.isFixed(n) ? null : outline.summary(n))),
    );
  }

  async #step(what) {
    this.#going += 1;
    return this.#steps(what).finally(() => { this.#going -= 1; });
  }

  listen() {
    list.addEventListener("click", (event) => this.#pressed(event.target.closest("button")));
    list.addEventListener("input", ({ target }) => target.classList.toggle("typing", "section" in target.dataset));
    list.addEventListener("focusout", ({ target }) => target.classList.remove("typing"));
    list.addEventListener("change", ({ target }) => this.#set(target));
    document.addEventListener("keydown", (event) => this.#key(event));
    $("pick").addEventListener("click", () => this.#picker.open());
    $("add-section").addEventListener("submit", (event) => {
      event.preventDefault();
      const layout = $("new-layout").value;
      this.#step(() => [{ do: "add-section", at: this.#issue().sections.length, layout }, `added a section, ${layout}`])
        .then((done) => { if (done) q(list.lastElementChild, ".section-title").focus(); });
    });
    $("spare").addEventListener("click", ({ target }) => {
      const article = target.closest("[data-back]")?.dataset.back;
      if (article) this.#step(() => this.#back(article));
    });
    draggable(list, {
      handle: ".story .handle", item: ".story", name: (card) => card.firstElementChild.getAttribute("aria-label"),
      places: () => [...qq(list, ".section:not(.fixed) .stories")].map((each) => ({ list: each, items: [...qq(each, ".story")] })),
      dropped: (card, into, to) => this.#move(card.dataset.slug, () => [at(into), to]),
    });
    draggable(list, {
      handle: ".section-head .handle", item: ".section", name: (section) => `the section ${this.#outline.words(at(section))}`,
      places: () => [{ list, items: [...list.children].filter((each) => each.classList.contains("section")) }],
      dropped: (section, _, to) => this.#moveSection(section, () => to),
    });
  }

  // A story that is out of the issue: into the last list, else the first section that takes one.
  #back(article) {
    const open = this.#issue().sections.map(({ layout }, n) => ({ layout, n })).filter(({ n }) => !this.#outline.isFixed(n));
    const section = (open.findLast(({ layout }) => layout === "list") || open[0])?.n;
    if (section === undefined) return null;
    return [{ do: "back", article, section, to: this.#outline.count(section) }, `put “${article}” back into ${this.#outline.words(section)}`];
  }

  // target([section, index, how many there]) gives [section, index], or nothing.
  async #move(slug, target, focus = ".handle") {
    const done = await this.#step(() => {
      const here = this.#outline.place(slug);
      const [section, to] = (here && target(here)) || [-1];
      if (section < 0) return null;
      if (here[0] === section && here[1] === to) return say("It stays where it was.");
      const count = this.#outline.count(section) + (here[0] === section ? 0 : 1);
      const name = this.#outline.value(slug, "headline");
      return [{ do: "move", article: slug, section, to }, `“${name}” is place ${to + 1} of ${count} in ${this.#outline.words(section)}`];
    });
    if (done) this.#hold(this.#outline.card(slug), focus);
  }

  // The button that moved a thing keeps the focus, where it still can be pressed.
  #hold(moved, focus) {
    const wanted = moved && q(moved, focus);
    (wanted?.disabled ? q(moved, ".handle") : wanted)?.focus({ preventScroll: true });
    moved?.scrollIntoView({ block: "nearest" });
  }

  // One place up or down; over the edge of a section into the next one.
  #nudge(slug, by, focus) {
    this.#move(slug, ([section, index, count]) => {
      if (this.#outline.isFixed(section)) return say("A sponsor moves with its section.");
      if (index + by >= 0 && index + by < count) return [section, index + by];
      const { length } = this.#issue().sections;
      let next = section + by;
      while (next >= 0 && next < length && this.#outline.isFixed(next)) next += by;
      if (next < 0 || next >= length) return say(by < 0 ? "It is the first already." : "It is the last already.");
      return [next, by < 0 ? this.#outline.count(next) : 0];
    }, focus);
  }

  // place(number) gives the new one.
  async #moveSection(element, place, focus = ".handle") {
    const done = await this.#step(() => {
      const section = at(element);
      const to = place(section);
      if (section < 0 || section === to || !this.#issue().sections[to]) return null;
      return [{ do: "move-section", section, to }, `the section ${this.#outline.words(section)} is number ${to + 1}`];
    });
    if (done) this.#hold(q(element, ".section-head"), focus);
  }

  #pressed(button) {
    const act = button?.dataset.do;
    if (!act) return;
    const slug = button.closest(".story")?.dataset.slug;
    const by = { up: -1, down: 1 }[act];
    if (slug && by) this.#nudge(slug, by, `[data-do="${act}"]`);
    else if (by) this.#moveSection(button.closest(".section"), (section) => section + by, `[data-do="${act}"]`);
    else if (act === "more") this.#outline.open(slug);
    else if (act === "drop") this.#drop(slug);
    else if (act === "remove") this.#remove(button.closest(".section"));
  }

  async #drop(slug) {
    let section;
    const done = await this.#step(() => {
      [section] = this.#outline.place(slug) || [];
      return section >= 0 && [{ do: "drop", article: slug }, `dropped “${this.#outline.value(slug, "headline")}”; its file stays`];
    });
    if (done) list.children[section]?.querySelector(".handle").focus();
  }

  async #remove(element) {
    let section;
    const done = await this.#step(() => {
      section = at(element);
      if (section < 0) return null;
      const count = this.#outline.count(section);
      return [{ do: "remove-section", section }, `removed the section ${this.#outline.words(section)}${count ? `, with its ${counted(count, "story", "stories")}; their files stay` : ""}`];
    });
    if (done) (list.children[Math.max(0, section - 1)]?.querySelector(".handle") || $("pick")).focus();
  }

  #set(box) {
    const { dataset: { section: key }, value } = box;
    if (!key) return;
    box.classList.remove("typing");
    this.#step(() => at(box) >= 0 && [{ do: "set-section", section: at(box), values: { [key]: value } }, `the section's ${key} is ${value || "empty"}`]);
  }

  #key(event) {
    if (event.key === "Enter" && event.target.matches?.("[data-line]")) event.preventDefault();
    if (!event.altKey || event.ctrlKey || event.metaKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const by = event.key === "ArrowUp" ? -1 : 1;
    const card = event.target.closest?.(".story");
    const head = event.target.closest?.(".section-head");
    if (!card && !head) return;
    event.preventDefault();
    if (event.repeat && this.#going) return; // a key that is held goes on as fast as it is done, and no further
    const again = event.target.dataset.field ? `[data-field="${event.target.dataset.field}"]` : ".handle";
    if (card) this.#nudge(card.dataset.slug, by, again);
    else this.#moveSection(head.closest(".section"), (section) => section + by);
  }
}
