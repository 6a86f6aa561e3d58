// One text in two places: both are shown, with what is different marked, and the editor chooses.

import { $, make } from "./dom.js";

const MOST = 1500; // words: more are compared as whole lines

// The pieces of two texts, in order: ["same" | "gone" | "come", text]. "gone" is only in the first.
export function difference(first, second) {
  const cut = (text, by) => text.match(by) || [];
  let [one, two] = [first, second].map((text) => cut(text, /\s+|[^\s]+/g));
  if (one.length > MOST || two.length > MOST) [one, two] = [first, second].map((text) => cut(text, /[^\n]*\n|[^\n]+/g));
  let start = 0;
  while (start < one.length && start < two.length && one[start] === two[start]) start += 1;
  let end = 0;
  while (end < one.length - start && end < two.length - start && one.at(-1 - end) === two.at(-1 - end)) end += 1;
  const [a, b] = [one.slice(start, one.length - end), two.slice(start, two.length - end)];
  const pieces = a.length * b.length > 4_000_000 ? [["gone", a.join("")], ["come", b.join("")]] : longest(a, b);
  return [["same", one.slice(0, start).join("")], ...pieces, ["same", end ? one.slice(-end).join("") : ""]].filter(([, text]) => text);
}

function longest(a, b) {
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i * width + j] = a[i] === b[j] ? table[(i + 1) * width + j + 1] + 1
        : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  const pieces = [];
  const add = (kind, text) => { if (pieces.at(-1)?.[0] === kind) pieces.at(-1)[1] += text; else pieces.push([kind, text]); };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { add("same", a[i]); i += 1; j += 1; }
    else if (j >= b.length || (i < a.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) { add("gone", a[i]); i += 1; }
    else { add("come", b[j]); j += 1; }
  }
  return pieces;
}

function side(title, pieces, hidden) {
  const text = make("p", "version");
  text.dir = "auto";
  for (const [kind, words] of pieces) {
    if (kind === hidden) continue;
    text.append(kind === "same" ? words : make("mark", kind, words));
  }
  if (!text.textContent) text.append(make("i", "hint", "empty"));
  return make("div", "", make("h4", "", title), text);
}

// differing: [[label, mine, theirs]]. Gives "mine" or "theirs"; Escape is no answer.
export function choose(file, differing) {
  const dialog = $("conflict");
  $("conflict-file").textContent = file;
  $("conflict-fields").replaceChildren(...differing.map(([label, mine, theirs]) => {
    const pieces = difference(theirs, mine);
    return make("section", "", make("h3", "", label), make("div", "pair", side("Mine", pieces, "gone"), side("Theirs", pieces, "come")));
  }));
  dialog.showModal();
  $("keep-mine").focus();
  return new Promise((done) => {
    const answer = (choice) => () => { dialog.close(); dialog.oncancel = null; done(choice); };
    dialog.oncancel = (event) => event.preventDefault();
    $("keep-mine").onclick = answer("mine");
    $("take-theirs").onclick = answer("theirs");
  });
}
