// The picture of a story: put in by hand, by dropping or from the web; and the point that every cut keeps in view.

import { base, call } from "./api.js";
import { hold } from "./drag.js";
import { $, copyOf, line, q, qq, say } from "./dom.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FIELD = "image.focal";
const within = (value) => Math.min(1, Math.max(0, value));
const percent = (value) => `${Math.round(value * 100)} %`;

// One request at a time, and the newest at the end.
function paint(image, address) {
  image.dataset.wanted = address;
  if (image.dataset.busy || image.getAttribute("src") === address) return;
  image.dataset.busy = "yes";
  const done = () => {
    delete image.dataset.busy;
    if (image.dataset.wanted !== address) paint(image, image.dataset.wanted);
  };
  image.onload = done;
  image.onerror = done;
  image.src = address;
}

export class Pictures {
  #outline;
  #queue;
  #change;
  #cuts = null;
  #moved = new Map(); // by story: where a finger holds the point just now

  constructor({ outline, queue, change }) {
    this.#outline = outline;
    this.#queue = queue;
    this.#change = change;
    outline.pictured = (card, story) => this.show(card, story);
  }

  listen() {
    const list = $("sections");
    list.onclick = ({ target }) => this.#pressed(target.closest("button"));
    list.onkeydown = (event) => this.#key(event);
    list.onpointerdown = (event) => this.#grab(event);
    list.onchange = ({ target }) => {
      if (target.files?.[0]) this.#put(target.closest(".story"), target.files[0]);
      if (target.type === "file") target.value = "";
    };
    const over = (card) => { for (const each of qq(list, ".story")) each.classList.toggle("receiving", each === card); };
    // A file that is dropped beside a story must not take the place of the page.
    for (const kind of ["dragover", "drop"]) {
      addEventListener(kind, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        const card = this.#open(event.target);
        const dropped = kind === "drop";
        over(dropped ? null : card);
        if (dropped && card) this.#put(card, event.dataTransfer.files[0]);
        else if (!dropped) event.dataTransfer.dropEffect = card ? "copy" : "none";
      });
    }
    addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(null); });
  }

  #open(target) {
    const card = target.closest?.(".story");
    return card && !card.matches(".sponsor, .broken") && !document.body.matches(".approved") ? card : null;
  }

  show(card, story) {
    const place = q(card, ".picture");
    if (!place) return;
    place.dataset.from = story.picture ? "here" : story.remote ? "elsewhere" : "nowhere";
    q(place, ".address").textContent = story.remote || "";
    if (!story.picture) return;
    paint(q(place, ".pad img"), this.#address(story));
    this.#point(card, story);
  }

  #focal(story) {
    if (this.#moved.has(story.slug)) return this.#moved.get(story.slug);
    const said = this.#queue.unsaved(story.slug).get(FIELD) ?? story.fields?.[FIELD];
    return said ? said.split(",").map(Number) : null;
  }

  #address(story, layout = "", focal = null) {
    const asked = new URLSearchParams({ of: story.picture, ...(layout && { layout }), ...(focal && { focal: focal.join(",") }) });
    return this.#at(story.slug, `cut?${asked}`);
  }

  async #point(card, story) {
    this.#cuts ||= call("GET", `${base}/cuts`).catch(() => { this.#cuts = null; return { cuts: [] }; });
    const { cuts } = await this.#cuts;
    const focal = this.#focal(story);
    const dot = q(card, ".dot");
    const [across, down] = focal || [0.5, 0.5];
    dot.style.left = `${across * 100}%`;
    dot.style.top = `${down * 100}%`;
    dot.classList.toggle("found", !focal);
    dot.setAttribute("aria-label", `Focal point of “${story.fields.headline}”: ${focal ? `${percent(across)} across, ${percent(down)} down` : "found by itself"}`);
    q(card, '[data-picture="found"]').hidden = !focal;
    const list = q(card, ".cuts");
    if (list.children.length !== cuts.length) {
      list.replaceChildren(...cuts.map(({ words, layouts }) => {
        const item = copyOf("cut-template");
        q(item, "b").textContent = words;
        q(item, "i").textContent = layouts.join(", ");
        return item;
      }));
    }
    const layout = q(card.closest(".section"), ".section-layout").value;
    cuts.forEach((cut, at) => {
      list.children[at].classList.toggle("here", cut.layouts.includes(layout));
      paint(list.children[at].firstElementChild, this.#address(story, cut.layout, focal));
    });
  }

  #set(card, focal, words) {
    const story = this.#outline.form(card.dataset.slug);
    this.#moved.delete(story.slug);
    this.#queue.put(story.slug, FIELD, focal ? focal.map((value) => value.toFixed(3).replace(/\.?0+$/, "")).join(", ") : "");
    this.#point(card, story);
    say(words || `Focal point ${percent(focal[0])} across, ${percent(focal[1])} down.`);
  }

  #key(event) {
    const by = KEYS[event.key];
    if (!by || !event.target.matches(".dot") || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const card = event.target.closest(".story");
    const [across, down] = this.#focal(this.#outline.form(card.dataset.slug)) || [0.5, 0.5];
    const step = event.shiftKey ? 0.1 : 0.02;
    this.#set(card, [within(across + by[0] * step), within(down + by[1] * step)]);
  }

  #grab(event) {
    const pad = event.target.closest(".pad");
    const card = pad?.closest(".story");
    if (!pad || event.button || q(pad, ".dot").disabled) return;
    event.preventDefault();
    const story = this.#outline.form(card.dataset.slug);
    const place = ({ clientX, clientY }) => {
      const box = pad.getBoundingClientRect();
      return [(clientX - box.left) / box.width, (clientY - box.top) / box.height].map((value) => Number(within(value).toFixed(3)));
    };
    const move = (moved) => {
      this.#moved.set(story.slug, place(moved));
      this.#point(card, story);
    };
    const end = (kept) => {
      const held = this.#moved.get(story.slug);
      this.#moved.delete(story.slug);
      if (kept && held) return this.#set(card, held);
      this.#point(card, this.#outline.form(story.slug) || story);
      return say("Let go: the focal point stays where it was.");
    };
    q(pad, ".dot").focus({ preventScroll: true });
    move(event);
    hold(move, end);
  }

  #pressed(button) {
    const card = button?.closest(".story");
    const slug = card?.dataset.slug;
    ({
      show: () => {
        this.#outline.open(slug, true);
        const picture = q(card, ".picture");
        [...qq(picture, "button")].find((each) => each.offsetParent && !each.disabled)?.focus();
        picture.scrollIntoView({ block: "nearest" });
      },
      choose: () => q(card, "[type=file]").click(),
      found: () => this.#set(card, null, "The focal point is found by itself."),
      fetch: () => this.#fetch(card, null),
      from: () => this.#fetch(card, line(q(card, ".from").value)),
      remove: () => this.#done(card, (expected) => call("POST", this.#at(slug, "remove-picture"), { expected }), "took the picture out; its file stays"),
    })[card && button.dataset.picture]?.();
  }

  #at(slug, what = "picture") { return `${base}/stories/${encodeURIComponent(slug)}/${what}`; }

  async #put(card, file) {
    const slug = card.dataset.slug;
    const { most } = (await this.#cuts) || await call("GET", `${base}/cuts`).catch(() => ({}));
    if (file.size > most) {
      return this.#outline.refuse(slug, { what: `a picture has at most ${most / 1048576} MB`, fix: "use one that is about 1600 pixels wide" });
    }
    const send = (expected) => call("PUT", `${this.#at(slug)}?expected=${expected}`, file);
    return this.#done(card, send, `put “${file.name}” into “${this.#outline.value(slug, "headline")}”`);
  }

  #fetch(card, url) {
    const send = (expected) => call("POST", this.#at(card.dataset.slug, "fetch-picture"), { expected, url });
    return this.#done(card, send, `fetched the picture of “${this.#outline.value(card.dataset.slug, "headline")}”`);
  }

  async #done(card, work, label) {
    const slug = card.dataset.slug;
    card.classList.add("working");
    const done = await this.#change(slug, work, label);
    card.classList.remove("working");
    if (!done) return;
    this.#outline.open(slug, true);
    const next = q(card, '[data-field="image.alt"]');
    (next.offsetParent ? next : q(card, ".put button"))?.focus();
  }
}
