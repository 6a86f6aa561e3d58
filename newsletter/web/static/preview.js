// The preview page: shows one mail in one frame, follows the server's events, keeps the scroll place.

const $ = (id) => document.getElementById(id);
const frame = $("mail");
const switches = $("switches");
let seen = -1;

const chosen = (name) => switches.elements[name].value.trim();

// What is chosen stands in the page's address: a reload keeps it, and so does a bookmark.
const usual = { view: "desktop", scheme: "light", images: "on", as: "" };

function query(...names) {
  const pairs = names.map((name) => [name, chosen(name)]);
  return new URLSearchParams(pairs.filter(([name, value]) => value && value !== usual[name]));
}

function readAddress() {
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (name === "as") $("reader").value = value;
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

async function ask(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`the preview answered ${answer.status} to ${address}`);
  return answer;
}

// ---- the mail -------------------------------------------------------------------------------------------------

// The frame's policy comes with its document and forbids or allows images, so that switch needs a real load.
let policy = null;

async function showMail() {
  $("frame-box").dataset.scheme = chosen("scheme");
  const address = `/mail.html?${query("scheme", "images", "as")}`;
  if (policy !== chosen("images")) await load(address);
  else replace(await (await ask(address)).text());
  openLinksOutside();
}

function load(address) {
  const place = frame.contentDocument ? frame.contentWindow.scrollY : 0;
  const asked = chosen("images");
  policy = null;
  return new Promise((done, fail) => {
    frame.addEventListener("load", () => {
      if (!frame.contentDocument) return fail(new TypeError("the preview is not there"));
      policy = asked;
      frame.contentWindow.scrollTo(0, place);
      return done();
    }, { once: true });
    frame.src = address;
  });
}

// New content in the same document keeps the editor's place, and pictures that it has shown do not flicker. The frame's
// document parses it: by its policy styles are allowed, by ours they are not. The root's attributes do not come that way.
function replace(html) {
  const root = frame.contentDocument.documentElement;
  const place = frame.contentWindow.scrollY;
  const [tag] = html.match(/<html\b[^>]*>/i) || ["<html>"];
  copyAttributes(new DOMParser().parseFromString(tag, "text/html").documentElement, root);
  root.innerHTML = html;
  frame.contentWindow.scrollTo(0, place);
}

function copyAttributes(from, to) {
  for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value) to.setAttribute(name, value);
}

// A link followed inside the frame would put another site in the mail's place.
function openLinksOutside() {
  for (const link of frame.contentDocument.links) {
    if (/^(https?|mailto|tel):/.test(link.href) && !link.getAttribute("href").startsWith("#")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
  }
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

function showView(mail) {
  const text = chosen("view") === "text";
  $("waiting").hidden = Boolean(mail) || !$("error").hidden;
  $("frame-box").hidden = text || !mail;
  $("frame-box").dataset.view = chosen("view");
  $("text").hidden = !text || !mail;
  for (const group of document.querySelectorAll(".of-html")) group.disabled = text;
}

// ---- refreshing -----------------------------------------------------------------------------------------------

async function refresh() {
  const state = await (await ask(`/state?${query("as")}`)).json();
  const { mail, error } = state;
  $("issue").textContent = state.issue;
  document.title = mail ? `${mail.subject} · Preview` : `Preview of ${state.issue}`;
  showError(error, mail);
  showAbout(mail);
  showView(mail);
  if (mail) await Promise.all([showMail(), showText()]);
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
switches.addEventListener("change", () => {
  const address = query("as", "view", "scheme", "images").toString();
  history.replaceState(null, "", address ? `?${address}` : location.pathname);
  refreshSoon();
});

document.addEventListener("visibilitychange", follow);
readAddress();
await refreshSoon();
follow();
