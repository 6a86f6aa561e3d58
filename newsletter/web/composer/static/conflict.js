// One text in two places: both are shown, with what is different marked, and the editor chooses.

import { base, piece } from "./api.js";
import { $, make } from "./dom.js";

// differing: [[label, mine, theirs]]. Gives "mine" or "theirs"; Escape is no answer.
export async function choose(file, differing) {
  const dialog = $("conflict");
  $("conflict-file").textContent = file;
  // The server marks what is different; should it be away just now, the texts stand there as they are.
  const shown = await piece(`${base}/difference`, JSON.stringify(differing)).catch(() => make("div", "", make("p", "version", differing.flat().join("\n"))));
  $("conflict-fields").replaceChildren(...shown.childNodes);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.onclose = () => { if (dialog.returnValue) done(dialog.returnValue); else dialog.showModal(); };
  });
}
