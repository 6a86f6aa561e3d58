// The mail beside the words: the same that is built and sent, through a mail client's eyes if one is chosen.

import { ask, showIn } from "/static/mail/frame.js";
import { base, call, piece } from "./api.js";
import "./readers.js";
import { $, line, make, q, qq, showTrouble, write } from "./dom.js";

const switches = $("switches");

function query(...names) {
  const { client, dark, images, as } = switches.elements;
  const all = { client: client.value, scheme: dark.checked ? "dark" : "", images: images.checked ? "" : "off", as: as.value.trim() };
  return new URLSearchParams(names.map((name) => [name, all[name]]).filter(([, value]) => value));
}

function troubleOf(error) {
  if (!error) return null;
  if (error.kind === "bug") return { ...error, what: `A bug in newsletter: ${error.what}` };
  return $("issue").hidden || q(document, ".story") ? error : { what: "Pick the first story, and the mail stands here." };
}

export class MailPane {
  #told;
  #wanted = false;
  #running = false;
  #anew = false;
  #stands = null;
  #ready = false;
  #version = 0;
  #stale = "";

  // told(mail) hears what stands around every new mail.
  constructor(told) {
    this.#told = told;
    switches.addEventListener("submit", (event) => event.preventDefault());
    switches.addEventListener("change", () => { this.#stands = null; this.#set(); this.refresh(); });
  }

  // One refresh at a time; what is asked for meanwhile is one more after it. Without `anew` only the words around the
  // mail are new: its findings.
  async refresh(anew = true) {
    this.#wanted = true;
    this.#anew ||= anew;
    if (this.#running) return;
    this.#running = true;
    while (this.#wanted) {
      this.#wanted = false;
      try {
        // A frame's policy is that of its first document: none is loaded before there is a mail.
        if (!this.#ready) this.#ready = await this.#describe();
        if (!this.#ready) continue;
        const mail = this.#anew;
        this.#anew = false;
        // The mail comes first: it is what the editor looks at.
        if (mail) await this.#show();
        await this.#describe();
        document.body.dataset.shown = this.#version;
      } catch (problem) {
        if (!(problem instanceof TypeError)) showTrouble($("mail-trouble"), { what: problem.message });
      }
    }
    this.#running = false;
  }

  // Bring a story into sight.
  stand(headline) {
    const frame = $("mail");
    const heading = [...qq(frame.contentDocument || frame, "h2, h3, h4")].find((each) => line(each.textContent) === line(headline));
    const top = heading?.getBoundingClientRect().top;
    if (top < 0 || top > frame.clientHeight - 90) frame.contentWindow.scrollBy(0, top - 90);
  }

  // The text part, where it is written.
  text() {
    const { client, view } = switches.elements;
    client.value = "";
    view.value = "text";
    this.#set();
    this.refresh();
  }

  // What needs no new mail is done at once.
  #set() {
    const { client, view, dark, images } = switches.elements;
    const chosen = client.selectedOptions[0];
    for (const option of view.options) {
      option.disabled = (option.value === "text" && Boolean(client.value)) || (option.value === "phone" && client.value && !("phone" in chosen.dataset));
    }
    if (view.selectedOptions[0].disabled) view.value = "desktop";
    const text = view.value === "text";
    dark.disabled = text || (client.value && !chosen.dataset.schemes.includes(" "));
    images.disabled = text;
    $("frame-box").hidden = text;
    $("frame-box").dataset.view = view.value;
    $("text").hidden = $("own").hidden = !text;
    return text;
  }

  async #show() {
    const text = this.#set();
    const { client, images } = switches.elements;
    if (getComputedStyle($("mail-pane")).display === "none") return;
    if (text) {
      write("text", await (await ask(`${base}/mail.txt?${query("as")}`)).text());
    } else {
      await showIn($("mail"), `${base}/mail.html?${query("client", "scheme", "images", "as")}`, images.checked);
    }
    await this.#losses(client.value);
  }

  async #losses(client) {
    $("approximation").hidden = !client;
    if (!client) return;
    const asked = query("as");
    asked.append("client", client);
    $("taken").replaceChildren(...(await piece(`${base}/taken?${asked}`)).childNodes);
  }

  async #describe() {
    const state = await call("GET", `${base}/mail?${query("as")}`);
    showTrouble($("mail-trouble"), troubleOf(state.error));
    document.body.classList.toggle("no-mail", !state.mail);
    $("frame-box").classList.toggle("stale", Boolean(state.error) && state.error.kind !== "reader");
    if (state.mail) {
      this.#around(state.mail);
      this.#since(state.mail.text);
    }
    this.#told(state);
    this.#version = state.version;
    return Boolean(state.mail);
  }

  // What changed in the stories since the editor's own text was right for them.
  #since({ stale, seen }) {
    this.seen = seen;
    if (this.#stale === (this.#stale = JSON.stringify(stale))) return;
    $("stale").hidden = stale && !stale.length;
    $("stale-words").textContent = stale ? "Changed since this text was written:" : "Nobody has said that this text fits the stories.";
    $("stale-list").replaceChildren(...(stale || []).map(({ title, change, runs }) => make("li", "", make("bdi", "", title), ` (${change})\n`,
      ...(change === "changed" ? runs : []).map(([op, words]) => (op === "same" ? words : make("mark", op === "new" ? "come" : "gone", words))))));
  }

  #around(mail) {
    $("size").value = mail.size;
    $("size-words").textContent = mail.size_words;
    const title = mail.subject || document.body.dataset.issue;
    $("title").textContent = title;
    document.title = `${title} · Composer`;
    $("inbox-line").textContent = mail.inbox[0]?.shown || "";
    const key = JSON.stringify(mail.inbox);
    if (this.#stands === key) return;
    this.#stands = key;
    $("inboxes").replaceChildren(...mail.inbox.map(({ client, shown }) => make("li", "", make("span", "hint", client), make("bdi", "", shown))));
  }
}
