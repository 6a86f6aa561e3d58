// What the checks found, as the server lists it: each with the way to where it is, a fix where that is certain, and a waiver
// with a reason.

import { base, piece } from "./api.js";
import { $, q, write } from "./dom.js";

const list = $("findings");
const about = (element) => JSON.parse(element.closest("li").dataset.finding);

export class Checks {
  #shown = "";

  // acts: jump(finding), fix(finding), waive(finding, reason)
  constructor(acts) {
    list.onclick = ({ target }) => {
      const act = target.dataset.act;
      if (act === "ask") this.#ask(target.closest("li"), true);
      else if (act) acts[act](about(target));
    };
    list.onsubmit = (event) => {
      event.preventDefault();
      acts.waive(about(event.target), event.target.elements.reason.value);
    };
    list.onkeydown = ({ key, target }) => { if (key === "Escape" && target.form) this.#ask(target.closest("li"), false); };
  }

  async show({ mail, error }) {
    if (!mail?.findings) {
      $("checks-state").textContent = error ? "The mail cannot be built; nothing could be checked." : "Checking …";
      return;
    }
    $("finding-count").textContent = mail.heavy || "";
    $("finding-count").classList.toggle("errors", mail.findings.some(({ severity, waived }) => severity === "error" && !waived));
    write("checks-state", mail.checked ? mail.found : `${mail.found} Checking again …`);
    const key = JSON.stringify(mail.findings);
    if (key === this.#shown) return;
    this.#shown = key;
    try {
      list.replaceChildren(...(await piece(`${base}/findings`)).children);
    } catch {
      this.#shown = "";
    }
  }

  #ask(item, wanted) {
    q(item, "form").hidden = !wanted;
    q(item, wanted ? "input" : '[data-act="ask"]').focus();
  }
}
