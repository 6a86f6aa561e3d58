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
      target.disabled = true;
      if (await pick(slug, into.value === "" ? null : Number(into.value))) {
        target.textContent = "Picked";
        search.focus();
      } else target.disabled = false;
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
  const found = await piece(`/inbox/picks?${new URLSearchParams({ q: search.value })}`);
  list.replaceChildren(...found.childNodes);
}
