// The places for sponsors: which creative stands there, when it runs, and who else has booked the place.

import { base, piece } from "./api.js";
import { $, make, q } from "./dom.js";

export class Sponsors {
  constructor(step) {
    $("sections").addEventListener("change", async ({ target }) => {
      if (!target.matches(".creative") || !target.value) return;
      const section = Number(target.closest(".section").dataset.at);
      const done = await step({ do: "pick-sponsor", section, name: target.value }, `put the creative ${target.value} in`);
      if (done) q($("sections").children[section], ".card .handle")?.focus();
      else target.value = "";
    });
  }

  // After every look at the files; nothing is asked while the issue has no such place.
  async show(issue) {
    const places = issue.sections.map(({ layout, stories }, at) => layout === "sponsor" && [stories[0]?.slug, $("sections").children[at]]).filter(Boolean);
    if (!places.length) return;
    const offers = await piece(`${base}/sponsors`).catch((problem) => make("div", "", make("p", "choice", problem.message)));
    for (const [name, element] of places) {
      const empty = q(element, ".empty");
      q(element, ".runs")?.remove();
      if (name) q(element, ".foot").before(q(offers, `[data-name="${name}"]`) || "");
      else if (!issue.approved && !empty.contains(document.activeElement)) empty.replaceChildren(q(offers, ".choice").cloneNode(true));
    }
  }
}
