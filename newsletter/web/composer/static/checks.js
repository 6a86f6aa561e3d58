// What the checks found, each with the way to where it is, a fix where that is certain, and a waiver with a reason.

import { $, counted, make } from "./dom.js";

const WORDS = { error: "Error", warning: "Warning", info: "Note", waived: "Waived" };
const kind = (finding) => (finding.waived ? "waived" : finding.severity);

export class Checks {
  #acts;
  #shown = "";

  // acts: jump(finding), fix(finding), waive(finding, reason), name(slug)
  constructor(acts) {
    this.#acts = acts;
  }

  show({ mail, error }) {
    if (!mail?.findings) {
      $("checks-state").textContent = error ? "The mail cannot be built; nothing could be checked." : "Checking …";
      return;
    }
    const { findings } = mail;
    const number = (wanted) => findings.filter((finding) => kind(finding) === wanted).length;
    const heavy = number("error") + number("warning");
    $("finding-count").textContent = heavy || "";
    $("finding-count").classList.toggle("errors", number("error") > 0);
    const words = [["error", "error"], ["warning", "warning"], ["info", "note"]].filter(([name]) => number(name))
      .map(([name, word]) => counted(number(name), word));
    if (number("waived")) words.push(`${number("waived")} waived`);
    const said = words.join(", ") || "Nothing to object to.";
    const state = mail.checked ? said : `${said} Checking again …`;
    if ($("checks-state").textContent !== state) $("checks-state").textContent = state;
    const key = JSON.stringify(findings.map((finding) => [finding, finding.article && this.#acts.name(finding.article)]));
    if (key === this.#shown) return;
    this.#shown = key;
    $("findings").replaceChildren(...findings.map((finding) => this.#item(finding)));
  }

  #item(finding) {
    const item = make("li", kind(finding));
    item.dataset.about = finding.article || "";
    item.append(make("p", "message", make("b", `mark ${kind(finding)}`, WORDS[kind(finding)]), ` ${finding.message}`));
    if (finding.waived) item.append(make("p", "hint", finding.waived));
    else if (finding.fix) item.append(make("p", "fix", finding.fix));
    const place = [finding.article && `“${this.#acts.name(finding.article)}”`, finding.article && finding.field === "headline" ? "" : finding.field].filter(Boolean).join(" · ") || finding.id;
    const buttons = make("p", "buttons");
    const button = (words, act, label) => {
      const made = make("button", "plain", words);
      made.type = "button";
      made.setAttribute("aria-label", `${label}: ${finding.message}`);
      made.addEventListener("click", act);
      buttons.append(made);
      return made;
    };
    if (finding.article || finding.field) button(place, () => this.#acts.jump(finding), "Go there").classList.add("place");
    else buttons.append(make("span", "hint", place));
    if (finding.fixable) button("Put it right", () => this.#acts.fix(finding), "Put it right");
    if (finding.waivable) button("Waive …", () => this.#ask(item, finding), "Waive");
    item.append(buttons);
    return item;
  }

  #ask(item, finding) {
    if (item.querySelector("form")) return item.querySelector("input").focus();
    const reason = make("input");
    reason.required = true;
    reason.maxLength = 300;
    const form = make("form", "waiver", make("label", "", "Why is it accepted? ", reason), make("button", "", "Waive"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#acts.waive(finding, reason.value);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      form.remove();
      item.querySelector(".buttons button:last-child").focus();
    });
    item.append(form);
    return reason.focus();
  }
}
