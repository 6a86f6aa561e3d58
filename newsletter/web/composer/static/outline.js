// The sections and stories as forms. What is on the page already stays the same element, so that focus and caret stay.

import { base } from "./api.js";
import { $, copyOf, counted, fit, kilobytes, line, make, q, qq } from "./dom.js";

const same = (box, value) => (box.hasAttribute("data-line") ? line(box.value) === line(value) : box.value.trimEnd() === value.trimEnd());

// Put a value into a box, unless it says the same already; the caret stays where it was.
export function put(box, value) {
  if (same(box, value)) return;
  const [start, end] = [box.selectionStart, box.selectionEnd];
  box.value = value;
  if (box === document.activeElement && start !== null) box.setSelectionRange(Math.min(start, value.length), Math.min(end, value.length));
  fit(box);
}

export class Outline {
  #stories = new Map();
  #queue;
  #forms = new Map();
  #locked = false;

  constructor(queue) {
    this.#queue = queue;
  }

  card(slug) { return this.#stories.get(slug); }

  form(slug) { return this.#forms.get(slug); }

  // The boxes of a file: "" is issue.md.
  boxes(file) {
    const owner = file ? this.#stories.get(file) : $("issue");
    return owner ? [...owner.querySelectorAll("[data-field]")] : [];
  }

  value(file, field) {
    const form = this.#forms.get(file);
    if (!form) return "";
    return (field === "text" ? form.body : form.fields?.[field]) || "";
  }

  show(issue) {
    this.#forms = new Map([["", { fields: issue.fields, body: issue.intro }]]);
    for (const section of issue.sections) for (const story of section.stories) this.#forms.set(story.slug, story);
    this.fill("");
    $("issue").querySelector('[data-field="subject"]').placeholder = issue.standing.subject || "";
    $("issue").querySelector('[data-field="preheader"]').placeholder = issue.standing.preheader || "";
    this.#sections(issue);
    this.#spare(issue);
    if (issue.approved || this.#locked) this.#lock(issue.approved);
  }

  // What is approved can be read, and nothing else.
  #lock(locked) {
    this.#locked = locked;
    for (const box of qq(document, "#write input, #write textarea")) {
      box.readOnly = locked || Boolean(box.closest(".sponsor, .broken"));
    }
    for (const box of qq(document, '#write select, #write button:not([data-do="more"])')) box.disabled = locked;
  }

  #sections(issue) {
    const list = $("sections");
    const stories = new Map();
    const focused = document.activeElement;
    while (list.children.length > issue.sections.length) list.lastElementChild.remove();
    issue.sections.forEach((section, at) => {
      const element = list.children[at] || list.appendChild(copyOf("section-template"));
      const name = section.title || `the ${section.layout}`;
      element.dataset.at = at;
      element.dataset.layout = section.layout;
      if (!q(element, ".section-title.typing")) put(q(element, ".section-title"), section.title);
      q(element, ".section-layout").value = section.layout;
      const label = (selector, words) => q(element, selector).setAttribute("aria-label", words);
      label(".section-head .handle", `Drag the section ${name}`);
      label('.section-head [data-do="up"]', `Section ${name} up`);
      label('.section-head [data-do="down"]', `Section ${name} down`);
      label('.section-head [data-do="remove"]', `Remove the section ${name}`);
      q(element, '.section-head [data-do="up"]').disabled = at === 0;
      q(element, '.section-head [data-do="down"]').disabled = at === issue.sections.length - 1;
      const fixed = section.stories.some(({ sponsor }) => sponsor);
      element.classList.toggle("fixed", fixed);
      q(element, ".empty").hidden = section.stories.length > 0;
      const place = q(element, ".stories");
      section.stories.forEach((story, index) => {
        // A story that is named twice has one card; the second place shows nothing.
        if (stories.has(story.slug)) return;
        const card = this.#stories.get(story.slug) || copyOf("story-template");
        stories.set(story.slug, card);
        if (place.children[index] !== card) place.insertBefore(card, place.children[index] || null);
        this.#story(card, story, index, section.stories.length);
      });
    });
    for (const [slug, card] of this.#stories) if (!stories.has(slug)) card.remove();
    this.#stories = stories;
    if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  #story(card, story, index, count) {
    card.dataset.slug = story.slug;
    const headline = story.fields?.headline || story.slug;
    const box = card.firstElementChild;
    box.setAttribute("aria-label", headline);
    const label = (selector, words) => q(card, selector).setAttribute("aria-label", words);
    label(".handle", `Drag “${headline}”, place ${index + 1} of ${count}`);
    label('[data-do="up"]', `“${headline}” up`);
    label('[data-do="down"]', `“${headline}” down`);
    label('[data-do="drop"]', `Drop “${headline}”`);
    label('[data-do="more"]', `${q(card, '[data-do="more"]').textContent} of “${headline}”`);
    card.classList.toggle("broken", Boolean(story.problem));
    card.classList.toggle("sponsor", story.sponsor);
    const wrong = q(card, ".wrong");
    if (story.problem || wrong.dataset.kind === "file") {
      wrong.hidden = !story.problem;
      wrong.textContent = story.problem ? `${story.problem.replace(/\.?$/, ".")} Put it right in its file; this page follows.` : "";
      wrong.dataset.kind = story.problem ? "file" : "";
    }
    for (const area of qq(card, "[data-field]")) area.readOnly = story.sponsor || Boolean(story.problem);
    q(card, ".headline").placeholder = story.problem ? story.slug : "Headline";
    q(card, ".teaser").placeholder = story.teaser || "Teaser";
    label(".thumb", story.picture || story.remote ? `Picture of “${headline}”` : `Add a picture to “${headline}”`);
    q(card, ".thumb").disabled = story.sponsor || Boolean(story.problem) || this.#locked;
    this.fill(story.slug, card);
    this.pictured?.(card, story);
  }

  // The boxes say what the file says; what is not saved yet stays.
  fill(file, card = null) {
    const unsaved = this.#queue.unsaved(file);
    for (const box of card ? qq(card, "[data-field]") : this.boxes(file)) {
      if (!unsaved.has(box.dataset.field)) put(box, this.value(file, box.dataset.field));
    }
  }

  // All fields of a story, made when they are asked for.
  open(slug, wanted) {
    const card = this.#stories.get(slug);
    if (!card) return;
    const more = q(card, ".more");
    const show = wanted ?? more.hidden;
    if (show && !more.children.length) {
      more.append(copyOf("more-template"));
      this.#story(card, this.#forms.get(slug), ...this.#counted(card));
    }
    more.hidden = !show;
    card.classList.toggle("opened", show);
    const button = q(card, '[data-do="more"]');
    button.setAttribute("aria-expanded", show);
    button.textContent = show ? "Fewer fields" : "All fields";
    button.setAttribute("aria-label", `${button.textContent} of “${this.value(slug, "headline") || slug}”`);
    if (this.#locked) this.#lock(true);
    if (show) for (const box of qq(more, "textarea")) fit(box);
  }

  #counted(card) { return [[...card.parentElement.children].indexOf(card), card.parentElement.children.length]; }

  refuse(file, problem, field) {
    const card = file ? this.#stories.get(file) : null;
    const place = card?.querySelector(".wrong");
    if (!place) return false;
    place.hidden = !problem;
    place.dataset.kind = "";
    place.textContent = problem ? `Not saved: ${problem.what}.${problem.fix ? ` To put it right: ${problem.fix}.` : ""}` : "";
    for (const box of this.boxes(file)) box.toggleAttribute("aria-invalid", Boolean(problem) && box.dataset.field === field);
    return true;
  }

  #spare(issue) {
    $("spare").hidden = !issue.spare.length;
    $("spare").querySelector("ul").replaceChildren(...issue.spare.map(([slug, headline]) => {
      const button = make("button", "plain", "Put back");
      button.type = "button";
      button.dataset.back = slug;
      button.setAttribute("aria-label", `Put “${headline}” back`);
      const words = make("span", "", headline);
      words.dir = "auto";
      return make("li", "", words, button);
    }));
  }

  // Weights and pictures, from the mail.
  weigh(mail) {
    for (const [slug, card] of this.#stories) {
      q(card, ".size").textContent = mail.sizes[slug] ? `${kilobytes(mail.sizes[slug])} of the mail` : "not in the mail";
      const picture = q(card, ".thumb img");
      const name = mail.pictures[slug];
      const address = name ? `${base}/media/${encodeURIComponent(name)}` : "";
      picture.hidden = !address;
      if (address && picture.getAttribute("src") !== address) picture.src = address;
    }
  }

  // A section keeps its element when we move it.
  follow({ do: what, section, to }) {
    const list = $("sections");
    if (!/^(move|remove)-section$/.test(what)) return;
    const element = list.children[section];
    element.remove();
    if (what === "move-section") list.insertBefore(element, list.children[to] || null);
  }

  // Where a story stands: [section, index, how many there].
  place(slug) {
    const card = this.#stories.get(slug);
    if (!card) return null;
    const section = Number(card.closest(".section").dataset.at);
    return [section, ...this.#counted(card)];
  }

  count(section) { return $("sections").children[section]?.querySelectorAll(".story").length ?? 0; }

  isFixed(section) { return $("sections").children[section].classList.contains("fixed"); }

  words(section) {
    const element = $("sections").children[section];
    return q(element, ".section-title").value || `the ${q(element, ".section-layout").value}`;
  }

  summary(section) { return `${this.words(section)}, ${counted(this.count(section), "story", "stories")}`; }
}
