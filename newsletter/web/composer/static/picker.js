// Picking stories from the inbox into the issue.

import { call } from "./api.js";
import { $, counted, make } from "./dom.js";

export class Picker {
  #pick;
  #sections;
  #timer = 0;

  // pick(slug, section or null) puts a story in; sections() gives their words in order, null for those that take none.
  constructor(pick, sections) {
    this.#pick = pick;
    this.#sections = sections;
    $("picker-search").addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#list(), 120);
    });
  }

  async open() {
    const fits = make("option", "", "where it fits");
    fits.value = "";
    const options = this.#sections().map((words, at) => {
      const option = make("option", "", words || "");
      option.value = at;
      return words ? option : null;
    });
    $("picker-section").replaceChildren(fits, ...options.filter(Boolean));
    await this.#list();
    $("picker").showModal();
    $("picker-search").focus();
  }

  async #list() {
    const { stories } = await call("GET", `/inbox.json?${new URLSearchParams({ q: $("picker-search").value })}`);
    $("picker-none").hidden = stories.length > 0;
    $("picker-none").textContent = $("picker-search").value ? "No story in the inbox has these words." : "The inbox is empty.";
    $("picker-list").replaceChildren(...stories.map((story) => {
      const button = make("button", "", "Pick");
      button.type = "button";
      button.setAttribute("aria-label", `Pick “${story.headline}”`);
      button.addEventListener("click", async () => {
        button.disabled = true;
        const section = $("picker-section").value;
        if (await this.#pick(story.slug, section === "" ? null : Number(section))) {
          button.textContent = "Picked";
          document.getElementById("picker-search").focus();
        } else button.disabled = false;
      });
      const headline = make("b", "", story.headline);
      headline.dir = "auto";
      const about = [story.added, story.used_in ? `used in ${story.used_in}` : ""].filter(Boolean).join(" · ");
      return make("li", "", make("span", "", headline, make("span", "hint", about)), button);
    }));
    $("picker-title").textContent = `Pick stories (${counted(stories.length, "story", "stories")})`;
  }
}
