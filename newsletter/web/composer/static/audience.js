// The readers that are searched for, while the words are typed. What was asked stays with this entry of the history, so
// that coming back from a reader shows the same list; it never stands in an address.

import { Refused } from "./api.js";
import { $, pause } from "./dom.js";

const finder = $("finder");
let asked = 0;

function line({ id, address, state, words }) {
  const row = $("line").content.cloneNode(true).firstElementChild;
  row.querySelector("a").href = `/audience/${id}`;
  row.querySelector("a bdi").textContent = address;
  row.querySelector("td:nth-child(2) bdi").textContent = words;
  const chip = row.querySelector(".chip");
  chip.classList.add(state);
  chip.textContent = state;
  return row;
}

async function find(after) {
  const mine = ++asked;
  const form = new FormData(finder);
  if (!after) history.replaceState(Object.fromEntries(form), "");
  if (after) form.set("after", after);
  const answer = await fetch("/audience/find", { method: "POST", body: new URLSearchParams(form) });
  const said = await answer.json();
  if (mine !== asked) return;
  if (!answer.ok) throw new Refused(answer.status, said.error || {});
  const rows = said.readers.map(line);
  const first = rows[0]?.querySelector("a");
  if (after) $("readers").append(...rows);
  else $("readers").replaceChildren(...rows);
  const shown = $("readers").children.length;
  $("nobody").hidden = shown > 0;
  $("readers").parentElement.hidden = shown === 0;
  $("sentence").textContent = after && said.sentence.includes(" of ") ? said.sentence.replace(/^[\d,]+/, shown.toLocaleString("en")) : after ? `${shown.toLocaleString("en")} readers${said.after ? ", and more" : ""}` : said.sentence;
  $("more").value = said.after || "";
  if (after && first) first.focus();
  $("more").hidden = !said.after;
}

function tell(problem) {
  $("sentence").textContent = problem instanceof TypeError ? "The composer does not answer." : problem.message;
}

if (finder) {
  const soon = async () => {
    const mine = ++asked;
    await pause(200);
    if (mine === asked) find("").catch(tell);
  };
  finder.addEventListener("input", soon);
  finder.addEventListener("submit", (event) => {
    event.preventDefault();
    find(event.submitter === $("more") ? $("more").value : "").catch(tell);
  });
  const before = history.state;
  if (before && (before.q || before.state || before.segment)) {
    for (const [name, value] of Object.entries(before)) if (finder.elements[name]) finder.elements[name].value = value;
    find("").catch(tell);
  }
}
