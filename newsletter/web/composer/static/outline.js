// The sections and stories as forms. What is on the page already stays the same element, so that focus and caret stay.

import { base } from "./api.js";
import { $, OWN, copyOf, counted, fit, fitAll, kilobytes, line, q, qq } from "./dom.js";

const same = (box, value) => (box.hasAttribute("data-line") ? line(box.value) === line(value) : box.value.trimEnd() === value.trimEnd());

// Put a value into a box, unless it says the same already; the caret stays where it was.
export function put(box, value) {
  if (same(box, value)) return;
  const [start, end] = [box.selectionStart, box.selectionEnd];
  box.value = value;
  if (box === document.activeElement && start !== null) box.setSelectionRange(Math.min(start, value.length), Math.min(end, value.length));
  fit(box);
}

// What a screen reader hears of each button: its template says it, with a place for the name.
function label(element, name) {
  for (const each of qq(element, "[data-label]")) each.setAttribute("aria-label", each.dataset.label.replace("{}", () => name));
}

export class Outline {
  #stories = new Map();
  #queue;
  #forms = new Map();
  #locked = false;
  #changed = {}; // by story: what its source has changed since

  constructor(queue) {
    this.#queue = queue;
  }

  card(slug) { return slug === OWN ? $("own") : this.#stories.get(slug); }

  form(slug) { return this.#forms.get(slug); }

  // The boxes of a file: "" is issue.md.
  boxes(file) {
    const owner = file ? this.card(file) : $("issue");
    return owner ? [...qq(owner, "[data-field]")] : [];
  }

  value(file, field) {
    const form = this.#forms.get(file);
    if (!form) return "";
    return (field === "text" ? form.body : form.fields?.[field]) || "";
  }

  show(issue) {
    this.#changed = issue.changed;
    this.#forms = new Map([["", { fields: issue.fields, body: issue.intro }], [OWN, issue.text]]);
    for (const section of issue.sections) for (const story of section.stories) this.#forms.set(story.slug, story);
    this.fill("");
    this.fill(OWN);
    document.body.classList.toggle("own-text", Boolean(issue.text.sha256));
    q($("own"), "textarea").readOnly = issue.text.problem;
    for (const name of ["subject", "preheader"]) q($("issue"), `[data-field="${name}"]`).placeholder = issue.standing[name] || "";
    this.#sections(issue);
    this.#spare(issue);
    if (issue.approved || this.#locked) this.#lock(issue.approved);
  }

  // What is approved can be read, and nothing else.
  #lock(locked) {
    this.#locked = locked;
    for (const box of qq(document, "#write input, #write textarea, #own textarea")) {
      box.readOnly = locked || Boolean(box.closest(".sponsor, .broken"));
    }
    for (const box of qq(document, '#write select, #write button:not([data-do="more"], .changed), #own button')) box.disabled = locked;
  }

  #sections(issue) {
    const list = $("sections");
    const stories = new Map();
    const focused = document.activeElement;
    while (list.children.length > issue.sections.length) list.lastElementChild.remove();
    issue.sections.forEach((section, at) => {
      const element = list.children[at] || list.appendChild(copyOf("section-template"));
      element.dataset.at = at;
      element.dataset.layout = section.layout;
      if (!q(element, ".section-title.typing")) put(q(element, ".section-title"), section.title);
      q(element, ".section-layout").value = section.layout;
      label(q(element, ".section-head"), section.title || `the ${section.layout}`);
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
    const broken = Boolean(story.problem);
    const headline = story.fields?.headline || story.slug;
    q(card, ".handle").dataset.label = `Drag “{}”, place ${index + 1} of ${count}`;
    q(card, ".thumb").dataset.label = story.picture || story.remote ? "Picture of “{}”" : "Add a picture to “{}”";
    label(card, headline);
    card.classList.toggle("broken", broken);
    card.classList.toggle("sponsor", story.sponsor);
    if (broken) this.#wrong(card, `${story.problem.replace(/\.?$/, ".")} Put it right in its file; this page follows.`, "file");
    else if (q(card, ".wrong").dataset.kind) this.#wrong(card, "");
    for (const area of qq(card, "[data-field]")) area.readOnly = story.sponsor || broken;
    q(card, ".headline").placeholder = broken ? story.slug : "Headline";
    q(card, ".teaser").placeholder = story.teaser || "Teaser";
    q(card, ".thumb").disabled = story.sponsor || broken || this.#locked;
    const changed = this.#changed[story.slug];
    q(card, ".changed").hidden = !changed;
    q(card, ".changed").textContent = changed ? `Changed at its source: ${changed.join(", ")} …` : "";
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
    button.dataset.label = `${button.textContent} of “{}”`;
    label(card, this.value(slug, "headline") || slug);
    if (this.#locked) this.#lock(true);
    if (show) fitAll(more);
  }

  #counted(card) { return [[...card.parentElement.children].indexOf(card), card.parentElement.children.length]; }

  #wrong(card, words, kind = "") {
    const place = q(card, ".wrong");
    place.hidden = !words;
    place.textContent = words;
    place.dataset.kind = kind;
  }

  refuse(file, problem, field) {
    const card = file ? this.card(file) : null;
    if (!card) return false;
    this.#wrong(card, problem ? `Not saved: ${problem.what}.${problem.fix ? ` To put it right: ${problem.fix}.` : ""}` : "");
    for (const box of this.boxes(file)) box.toggleAttribute("aria-invalid", Boolean(problem) && box.dataset.field === field);
    return true;
  }

  #spare(issue) {
    $("spare").hidden = !issue.spare.length;
    q($("spare"), "ul").replaceChildren(...issue.spare.map(([slug, headline]) => {
      const item = copyOf("spare-template");
      q(item, "span").textContent = headline;
      q(item, "button").dataset.back = slug;
      label(item, headline);
      return item;
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
