// The preview page: shows one mail as it was written, through one mail client or through all of them side by side,
// follows the server's events, keeps the scroll place.

import { ask, showIn } from "/static/frame.js";

const $ = (id) => document.getElementById(id);
const switches = $("switches");
let seen = -1;
let client = "";
let scheme = "light"; // as the editor chose; what the switch shows is the client's, where that leaves no choice
let clients = [];

const chosen = (name) => ({ client, scheme })[name] ?? switches.elements[name].value.trim();

// What is chosen stands in the page's address: a reload keeps it, and so does a bookmark.
const usual = { client: "", view: "desktop", scheme: "light", images: "on", as: "" };

function query(...names) {
  const pairs = names.map((name) => [name, chosen(name)]);
  return new URLSearchParams(pairs.filter(([name, value]) => value && value !== usual[name]));
}

function readAddress() {
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (name === "as") $("reader").value = value;
    else if (name === "client") client = value;
    else if (name === "scheme") scheme = value === "dark" ? "dark" : "light";
    else if (name in usual) for (const input of switches.elements[name]) if (input.value === value) input.checked = true;
  }
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function put(id, text) {
  $(id).textContent = text || "";
  $(id).hidden = !text;
}

const counted = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

// ---- the clients ----------------------------------------------------------------------------------------------

const WRITTEN = { name: "", title: "As written", about: "", part: "html", schemes: ["light", "dark"], phone: true };
const EVERY = { name: "all", title: "Side by side", about: "", part: "html", schemes: ["light", "dark"], phone: true };
const tabs = () => [WRITTEN, ...clients, EVERY];
const current = () => tabs().find(({ name }) => name === client) || WRITTEN;

function showTabs(state) {
  for (const place of document.querySelectorAll(".approximation")) place.textContent = state.label;
  clients = state.clients;
  client = current().name;
  if (!$("clients").children.length) {
    $("look").content.querySelector(".approximation").textContent = state.label;
    $("clients").append(...tabs().map(({ name, title }) => {
      const tab = make("button", "", title);
      tab.type = "button";
      tab.id = `tab-${name || "written"}`;
      tab.role = "tab";
      tab.dataset.client = name;
      tab.setAttribute("aria-controls", "panel");
      return tab;
    }));
  }
  for (const tab of $("clients").children) {
    const selected = tab.dataset.client === client;
    tab.setAttribute("aria-selected", selected);
    tab.tabIndex = selected ? 0 : -1;
    if (selected) {
      $("panel").setAttribute("aria-labelledby", tab.id);
      if ($("clients").dataset.shown !== tab.id) $("clients").scrollLeft = tab.offsetLeft - $("clients").offsetLeft - 24;
      $("clients").dataset.shown = tab.id;
    }
  }
}

function choose(tab) {
  client = tab.dataset.client;
  tab.focus();
  remember();
}

$("clients").addEventListener("click", (event) => { if (event.target.role === "tab") choose(event.target); });
$("clients").addEventListener("keydown", (event) => {
  const all = [...$("clients").children];
  const at = all.indexOf(event.target);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  choose(all.at(to % all.length));
});

// "even lines in headlines (text-wrap)": the words for an editor, and small beside them the name for a developer.
function takenItem({ what, count }) {
  const item = make("li", "", "");
  const [, words, name] = what.match(/^(.*) \((.+)\)$/) || [null, what, ""];
  if (count) item.append(make("span", "times", `${count.toLocaleString("en")} × `));
  item.append(words);
  if (name) item.append(" ", make("code", "", name));
  return item;
}

const losses = (gone) => (gone.length ? `${counted(gone.length, "thing")} lost or changed` : "Nothing lost or changed");

async function taken(names) {
  const asked = query("as");
  for (const name of names) asked.append("client", name);
  return (await ask(`/taken?${asked}`)).json();
}

async function showTaken() {
  const { name, title, about } = current();
  const one = Boolean(name) && name !== EVERY.name;
  $("caption").hidden = !one;
  $("taken").hidden = !one;
  if (!one) return;
  $("client-title").textContent = title;
  $("client-about").textContent = about;
  const gone = (await taken([name]))[name];
  $("taken-list").replaceChildren(...gone.map(takenItem));
  $("taken-none").hidden = gone.length > 0;
  $("taken-link").textContent = losses(gone);
}

// ---- the mail -------------------------------------------------------------------------------------------------

function address(name) {
  const asked = query("scheme", "images", "as");
  if (name) asked.set("client", name);
  return `/mail.html?${asked}`;
}

const viewOf = ({ phone }) => (chosen("view") === "phone" && phone ? "phone" : "desktop");
const schemeOf = ({ schemes }) => (schemes.includes(chosen("scheme")) ? chosen("scheme") : schemes[0]);

async function showMail() {
  $("frame-box").dataset.scheme = schemeOf(current());
  $("mail").title = client ? `The mail in ${current().title}` : "The mail";
  await show($("mail"), client);
}

const show = (frame, name) => showIn(frame, address(name), chosen("images"));

// ---- side by side ---------------------------------------------------------------------------------------------

function look({ name, title, about }) {
  const figure = $("look").content.cloneNode(true).firstElementChild;
  figure.dataset.client = name;
  figure.querySelector(".title").textContent = title;
  figure.querySelector(".about").textContent = about || "The mail before any client changes it.";
  figure.querySelector("iframe").title = name ? `The mail in ${title}` : "The mail as written";
  if (!name) for (const part of figure.querySelectorAll(".approximation, .takes")) part.remove();
  return figure;
}

async function showLooks() {
  const shown = [WRITTEN, ...clients];
  if (!$("looks").children.length) $("looks").append(...shown.map(look));
  const figures = [...$("looks").children];
  const gone = taken(clients.map(({ name }) => name));
  await Promise.all(figures.map(async (figure, at) => {
    figure.dataset.scheme = schemeOf(shown[at]);
    figure.dataset.view = viewOf(shown[at]);
    await show(figure.querySelector("iframe"), shown[at].name);
    const list = (await gone)[shown[at].name];
    if (!list) return;
    figure.querySelector("summary").textContent = losses(list);
    figure.querySelector("ul").replaceChildren(...list.map(takenItem));
    figure.querySelector("details").classList.toggle("empty", !list.length);
  }));
}

async function showText() {
  $("text").textContent = await (await ask(`/mail.txt?${query("as")}`)).text();
}

// ---- what stands around it ------------------------------------------------------------------------------------

const WORDS = { error: "Error", warning: "Warning", info: "Note", waived: "Waived" };

function showFindings(findings) {
  const kind = (finding) => (finding.waived ? "waived" : finding.severity);
  const number = (wanted) => findings.filter((finding) => kind(finding) === wanted).length;
  const words = Object.entries({ error: "error", warning: "warning", info: "note" })
    .filter(([severity]) => number(severity))
    .map(([severity, word]) => counted(number(severity), word));
  if (number("waived")) words.push(`${number("waived")} waived`);
  $("count").textContent = words.join(", ") || "none";
  $("summary").textContent = words.length ? words.join(", ") : "No findings";
  $("findings").replaceChildren(
    ...findings.map((finding) => {
      const item = document.createElement("li");
      item.append(make("b", `mark mark-${kind(finding)}`, WORDS[kind(finding)]), ` ${finding.message}`);
      if (finding.waived) item.append(make("span", "waived", finding.waived));
      else if (finding.fix) item.append(make("span", "fix", finding.fix));
      item.append(make("span", "place", [finding.article, finding.field, finding.id].filter(Boolean).join(" · ")));
      return item;
    }),
  );
}

function showAbout(mail) {
  $("about").hidden = !mail;
  $("inbox").hidden = !mail;
  $("summary").hidden = !mail;
  if (!mail) return;
  $("sender").textContent = mail.sender;
  $("subject").textContent = mail.subject;
  $("preheader").textContent = mail.preheader;
  $("subject-full").textContent = mail.subject;
  $("subject-length").textContent = counted([...mail.subject].length, "character");
  $("preheader-full").textContent = mail.preheader;
  $("size").value = mail.size;
  $("size-words").textContent = mail.size_words;
  $("approved").hidden = !mail.approved;
  showFindings(mail.findings);
}

const KINDS = {
  build: "The mail cannot be built",
  reader: "Not as this reader",
  bug: "A bug in newsletter",
  page: "The page could not be refreshed",
};

function hint(error, mail) {
  if (error.kind === "reader") return "Below is the mail as nobody in particular gets it.";
  if (error.kind === "page") return "";
  const next = "Save the file again and this page goes on by itself.";
  return mail ? `${next} Below is the last mail that could be built.` : next;
}

function showError(error, mail) {
  $("error").hidden = !error;
  $("stage").classList.toggle("stale", Boolean(error) && error.kind !== "reader");
  if (!error) return;
  put("error-kind", KINDS[error.kind]);
  put("error-what", error.what);
  put("error-where", error.where);
  put("error-fix", error.fix && `To fix it: ${error.fix}`);
  put("error-hint", hint(error, mail));
  $("error-lines").hidden = !error.lines.length;
  $("error-lines").replaceChildren(
    ...error.lines.map(([number, text]) => {
      const item = make("li", number === error.line ? "hit" : "", "");
      item.append(make("span", "number", number), make("code", "", text));
      return item;
    }),
  );
}

// The text view is of the mail as it was written; a client of the text part has a page of its own.
function showView(mail) {
  const every = client === EVERY.name;
  const text = chosen("view") === "text" && !client;
  $("waiting").hidden = Boolean(mail) || !$("error").hidden;
  $("clients").hidden = !mail;
  $("panel").hidden = !mail;
  $("frame-box").hidden = text || every || !mail;
  $("frame-box").dataset.view = viewOf(current());
  $("text").hidden = !text || !mail;
  $("looks").hidden = !every;
  document.body.classList.toggle("every", every);
  document.body.classList.toggle("one-client", Boolean(client) && !every);
  for (const input of switches.elements.view) {
    input.disabled = { text: Boolean(client), phone: !current().phone }[input.value] || false;
  }
  $("colours").disabled = text || current().schemes.length < 2;
  for (const input of switches.elements.scheme) input.checked = input.value === schemeOf(current());
  $("images").disabled = text || ["images-off", "text"].includes(client);
}

// ---- refreshing -----------------------------------------------------------------------------------------------

async function refresh() {
  const state = await (await ask(`/state?${query("as")}`)).json();
  const { mail, error } = state;
  $("issue").textContent = state.issue;
  document.title = mail ? `${mail.subject} · Preview` : `Preview of ${state.issue}`;
  showError(error, mail);
  showTabs(state);
  showAbout(mail);
  showView(mail);
  if (mail) await Promise.all(client === EVERY.name ? [showTaken(), showLooks()] : [showTaken(), showMail(), showText()]);
  seen = state.version;
  document.body.dataset.version = seen;
}

// One refresh at a time; what is asked for meanwhile is one more refresh after it.
let wanted = false;
let running = false;

async function refreshSoon() {
  wanted = true;
  if (running) return;
  running = true;
  while (wanted) {
    wanted = false;
    try {
      await refresh();
    } catch (problem) {
      // No connection is not an error of the page: follow() says so and comes back.
      if (!(problem instanceof TypeError)) showError({ kind: "page", what: problem.message, lines: [] }, null);
    }
  }
  running = false;
}

function say(text, lost) {
  if ($("live").textContent !== text) $("live").textContent = text;
  $("live").classList.toggle("lost", Boolean(lost));
}

let events = null;

// A browser has six connections for all pages of one address: a page that nobody sees gives its one back.
function follow() {
  events?.close();
  if (document.hidden) return;
  events = new EventSource("/events");
  events.onopen = () => say("This page follows every save.");
  events.onmessage = (event) => { if (Number(event.data) !== seen) refreshSoon(); };
  events.onerror = () => say("The preview has stopped. Start it again, and this page goes on.", true);
}

switches.addEventListener("submit", (event) => event.preventDefault());
switches.addEventListener("change", ({ target }) => {
  if (target.name === "scheme") scheme = target.value;
  remember();
});

function remember() {
  const asked = query("client", "as", "view", "scheme", "images").toString();
  history.replaceState(null, "", asked ? `?${asked}` : location.pathname);
  refreshSoon();
}

document.addEventListener("visibilitychange", follow);
readAddress();
await refreshSoon();
follow();
