// Readers to choose from, by what is typed: the server finds a few, and the audience never stands in the page.

import { piece } from "./api.js";
import { $, rested } from "./dom.js";

const box = $("as");
const list = $("readers");
let at = -1; // which one the keys have come to

function mark(wanted) {
  const all = [...list.children];
  at = all.length ? (wanted + all.length) % all.length : -1;
  all.forEach((each, n) => each.setAttribute("aria-selected", n === at));
  box.setAttribute("aria-activedescendant", all[at]?.id || "");
  all[at]?.scrollIntoView({ block: "nearest" });
}

function show(found) {
  list.replaceChildren(...found);
  list.hidden = !found.length;
  box.setAttribute("aria-expanded", !list.hidden);
  box.removeAttribute("aria-activedescendant");
  at = -1;
}

function choose(reader) {
  box.value = reader.dataset.value;
  show([]);
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

box.addEventListener("input", rested(150, async () => {
  const { value } = box;
  const found = await piece("/audience/names", new URLSearchParams({ q: value })).catch(() => null);
  if (found && value === box.value && box === document.activeElement) show([...found.children]);
}));
box.addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: at < 0 ? 0 : -1 }[event.key];
  if (list.hidden) return;
  if (by !== undefined) mark(at + by);
  else if (event.key === "Enter" && at >= 0) choose(list.children[at]);
  else if (event.key === "Escape") show([]);
  else return;
  event.preventDefault();
});
box.addEventListener("blur", () => show([]));
list.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  const reader = event.target.closest("[role=option]");
  if (reader) choose(reader);
});
