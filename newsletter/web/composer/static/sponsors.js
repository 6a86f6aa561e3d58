// The places for sponsors: which creative stands there, when it runs, and who else has booked the place.

import { base, call } from "./api.js";
import { $, make, q } from "./dom.js";

export class Sponsors {
  #step;

  constructor(step) {
    this.#step = step;
    $("sections").addEventListener("change", async ({ target }) => {
      if (!target.matches(".creative") || !target.value) return;
      const section = Number(target.closest(".section").dataset.at);
      const done = await this.#step({ do: "pick-sponsor", section, name: target.value }, `put the creative ${target.value} in`);
      if (done) $("sections").children[section].querySelector(".card .handle")?.focus();
      else target.value = "";
    });
  }

  // After every look at the files; nothing is asked while the issue has no such place.
  async show(issue) {
    const places = issue.sections.map((section, at) => [section, $("sections").children[at]]).filter(([{ layout }]) => layout === "sponsor");
    if (!places.length) return;
    const { sponsors, error } = await call("GET", `${base}/sponsors`).catch((problem) => ({ sponsors: [], error: problem }));
    for (const [section, element] of places) {
      const place = q(element, ".empty");
      if (section.stories.length) this.#stands(element, sponsors.find(({ name }) => name === section.stories[0].slug));
      else if (!sponsors.length) place.textContent = error?.message || "No creative yet: newsletter sponsor add NAME";
      else if (!issue.approved && !place.contains(document.activeElement)) place.replaceChildren(this.#choice(sponsors));
    }
  }

  #choice(sponsors) {
    const option = ([value, words]) => { const made = make("option", "", words); made.value = value; return made; };
    const group = (label, wanted) => {
      const made = make("optgroup", "", ...sponsors.filter(({ standing, booked }) => !standing && booked === wanted).map(({ name, label: words }) => option([name, words])));
      made.label = label;
      return made.children.length ? [made] : [];
    };
    const select = make("select", "creative", option(["", "Choose a creative …"]), ...group("Booked for this issue", true), ...group("Not booked for it", false));
    select.setAttribute("aria-label", "Creative for this place");
    return select;
  }

  #stands(element, offer) {
    if (!q(element, ".runs")) q(element, ".foot").before(make("ul", "runs"));
    q(element, ".runs").replaceChildren(...(offer
      ? [make("li", "", offer.about), ...offer.troubles.map((words) => make("li", "wrong", words))] : []));
  }
}
