// Picking stories from the inbox into the issue.

import { piece } from "./api.js";
import { $, rested } from "./dom.js";

const list = $("picker-list");
const search = $("picker-search");
const into = $("picker-section");

export class Picker {
  #sections;

  // pick(slug, section or null) puts a story in; sections() gives their words in order, null for those that take none.
  constructor(pick, sections) {
    this.#sections = sections;
    search.addEventListener("input", rested(120, show));
    list.addEventListener("click", async ({ target }) => {
      const { pick: slug } = target.dataset;
      if (!slug) return;
      delete target.dataset.pick; // pressed twice, it is picked once; the place in the list stays
      if (await pick(slug, into.value === "" ? null : Number(into.value))) {
        target.textContent = "Picked";
        target.ariaDisabled = true;
      } else $("picker").close(); // what went wrong stands on the page
    });
  }

  async open() {
    const options = this.#sections().map((words, at) => words && new Option(words, at));
    into.replaceChildren(new Option("where it fits", ""), ...options.filter(Boolean));
    await show();
    $("picker").showModal();
  }
}

async function show() {
  const found = await piece(`/inbox/picks?${new URLSearchParams({ q: search.value, issue: document.body.dataset.issue })}`);
  list.replaceChildren(...found.childNodes);
}
