// The places for sponsors: which creative stands there, when it runs, and who else has booked the place.

import { base, call } from "./api.js";
import { $, make } from "./dom.js";

const days = (words) => words.replace(/\d{4}-\d\d-\d\d/g, (day) => {
  const date = new Date(`${day}T12:00:00`);
  return Number.isNaN(date.valueOf()) ? day : date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
});

export class Sponsors {
  #step;

  constructor(step) {
    this.#step = step;
    $("sections").addEventListener("change", ({ target }) => {
      if (!target.matches(".creative") || !target.value) return;
      const section = Number(target.closest(".section").dataset.at);
      const words = target.selectedOptions[0].dataset.words;
      this.#step({ do: "pick-sponsor", section, name: target.value }, `put the creative of ${words} in`)
        .then((done) => { if (done) $("sections").children[section].querySelector(".card .handle")?.focus(); else target.value = ""; });
    });
  }

  // After every look at the files; nothing is asked while the issue has no such place.
  async show(issue) {
    const places = issue.sections.map((section, at) => [section, $("sections").children[at]])
      .filter(([section, element]) => { const is = section.layout === "sponsor"; element.classList.toggle("slot", is); return is; });
    if (!places.length) return;
    const { sponsors, error } = await call("GET", `${base}/sponsors`).catch((problem) => ({ sponsors: [], error: problem }));
    for (const [section, element] of places) {
      const story = section.stories[0];
      const place = element.querySelector(".empty");
      if (story) this.#stands(element, story, sponsors.find(({ name }) => name === story.slug));
      else if (error) place.textContent = error.message;
      else if (!sponsors.length) place.textContent = "No creative yet: newsletter sponsor add NAME";
      else if (!issue.approved && !place.contains(document.activeElement)) place.replaceChildren(this.#choice(sponsors));
    }
  }

  #choice(sponsors) {
    const first = make("option", "", "Choose a creative …");
    first.value = "";
    const group = (label, some) => {
      const element = make("optgroup", "", ...some.map((offer) => {
        const notes = [offer.approval, ...offer.rivals.map((other) => `${other} has booked the place`)];
        const option = make("option", "", `${offer.sponsor}: ${offer.headline} (${notes.join("; ")})`);
        option.value = offer.name;
        option.dataset.words = offer.sponsor;
        return option;
      }));
      element.label = label;
      return some.length ? [element] : [];
    };
    const free = sponsors.filter(({ standing }) => !standing);
    const select = make("select", "creative", first,
      ...group("Booked for this issue", free.filter(({ booked }) => booked)),
      ...group("Not booked for it", free.filter(({ booked }) => !booked)));
    select.setAttribute("aria-label", "Creative for this place");
    return select;
  }

  #stands(element, story, offer) {
    const card = element.querySelector(".card");
    const place = card?.querySelector(".runs") || card?.querySelector(".foot").before(make("ul", "runs")) || card?.querySelector(".runs");
    if (!place) return;
    const lines = offer ? [
      ["", `${offer.sponsor} · ${offer.runs.length ? `runs ${offer.runs.map(days).join(", ")}` : "booked for no issue"} · ${offer.approval}`],
      ...(offer.booked ? [] : [["wrong", "It is not booked for this issue."]]),
      ...offer.rivals.map((other) => ["wrong", `Booked twice: ${other} has this place too.`]),
    ] : [];
    place.replaceChildren(...lines.map(([kind, words]) => make("li", kind, words)));
  }
}
