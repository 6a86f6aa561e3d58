// What a story's source says now: field by field, each with a choice. Nothing changes before the button is pressed.

import { base, call, piece } from "./api.js";
import { $, make, words } from "./dom.js";

const dialog = $("source");

// settled() waits until what was typed is in the files; change(file, work, label) does one thing to a story's file.
export function sources({ settled, change }) {
  let file = "";
  const at = (what) => `${base}/stories/${encodeURIComponent(file)}/${what}`;

  async function show(asking) {
    dialog.setAttribute("aria-busy", "true");
    const shown = await piece(at(asking ? "ask" : "source"), asking && "{}").catch((problem) => make("div", "", make("p", "wrong", words(problem))));
    dialog.removeAttribute("aria-busy");
    $("source-fields").replaceChildren(...shown.childNodes);
  }

  $("sections").addEventListener("click", async ({ target }) => {
    if (!target.matches(".changed")) return;
    file = target.closest(".story").dataset.slug;
    await settled();
    await show(false);
    dialog.showModal();
  });
  $("source-fields").addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter.value === "ask") return show(true);
    const said = new FormData(event.target);
    const take = [...said].filter(([, choice]) => choice === "theirs").map(([name]) => name.slice(2));
    dialog.close();
    return change(file, (expected) => call("POST", at("source"), { expected, seen: said.get("seen"), take }), "decided what its source says");
  });
}
