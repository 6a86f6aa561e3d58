// The readers that are searched for, while the words are typed. What was asked stays with this entry of the history, so
// that coming back from a reader shows the same list; it never stands in an address.

import { piece } from "./api.js";
import { $, q, rested, words } from "./dom.js";

const finder = $("finder");
let asked = 0;

// Shows what the form asks for, as the server's own page has it; with `after`, that below what is there.
async function find(after) {
  const mine = ++asked;
  const form = new FormData(finder);
  if (after) form.set("after", after);
  else history.replaceState(Object.fromEntries(form), "");
  const page = await piece("/audience", new URLSearchParams(form));
  if (mine !== asked) return;
  const of = (id) => q(page, `#${id}`);
  const rows = [...of("readers").children];
  const more = of("more").value;
  const list = $("readers");
  if (after) list.append(...rows);
  else list.replaceChildren(...rows);
  const shown = list.children.length;
  $("nobody").hidden = shown > 0;
  list.parentElement.hidden = !shown;
  const sentence = of("sentence").textContent;
  const number = shown.toLocaleString("en");
  $("sentence").textContent = !after ? sentence : sentence.includes(" of ") ? sentence.replace(/^[\d,]+/, number) : `${number} readers${more ? ", and more" : ""}`;
  $("more").value = more;
  if (after) rows[0]?.querySelector("a").focus();
  $("more").hidden = !more;
}

const show = (after = "") => find(after).catch((problem) => { $("sentence").textContent = words(problem); });

if (finder) {
  const soon = rested(200, show);
  finder.addEventListener("input", () => { asked += 1; soon(); });
  finder.addEventListener("submit", (event) => {
    event.preventDefault();
    show(event.submitter === $("more") ? $("more").value : "");
  });
  const before = history.state;
  if (before && (before.q || before.state || before.segment)) {
    for (const [name, value] of Object.entries(before)) if (finder.elements[name]) finder.elements[name].value = value;
    show();
  }
}
