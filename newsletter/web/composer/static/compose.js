// The composer's screen: what is typed goes into the files, what is in the files is shown, the mail follows.

import { OUT, Refused, base, call, changes } from "./api.js";
import { Checks } from "./checks.js";
import { choose } from "./conflict.js";
import { $, OWN, fit, fitAll, line, pause, say, showTrouble, q, qq, words, write } from "./dom.js";
import { History } from "./history.js";
import { MailPane } from "./mail.js";
import { Moves } from "./moves.js";
import { Outline } from "./outline.js";
import { Pictures } from "./pictures.js";
import { SaveQueue } from "./queue.js";
import { sources } from "./source.js";
import { Sponsors } from "./sponsors.js";

const STASH = `unsaved:${base}`;
const sha = new Map(); // by file, as it was last seen: "" is issue.md
let issue = null;
let lost = ""; // why nothing is heard from the composer
let stale = true; // whether the page still shows what we have changed

const history = new History(() => {
  for (const [id, label] of [["undo", history.undoable], ["redo", history.redoable]]) {
    $(id).disabled = !label || issue?.approved;
    $(id).title = label ? `${id === "undo" ? "Take back" : "Do again"}: ${label}` : "";
  }
});
const queue = new SaveQueue(save, heard);
const outline = new Outline(queue);
const mail = new MailPane((state) => {
  if (state.mail) outline.weigh(state.mail);
  checks.show(state);
});
const checks = new Checks({ jump, fix, waive });
const moves = new Moves({ outline, step, issue: () => issue });
const sponsors = new Sponsors(step);
const pictures = new Pictures({ outline, queue, change });

// -- saving

const nameOf = (file) => (file ? outline.value(file, "headline") || file : "the issue");

async function save(file, values) {
  const fields = Object.fromEntries([...values].filter(([name]) => name !== "text"));
  const payload = { expected: sha.get(file), fields, ...(values.has("text") ? { text: values.get("text") } : {}) };
  const address = file ? `${base}/stories/${encodeURIComponent(file)}` : `${base}/text`;
  const said = await call("PUT", address, payload);
  const names = [...values.keys()];
  take(said.files, `what was written in “${nameOf(file)}”`, { place: { file, field: names.at(-1) }, burst: `${file} ${names.join(" ")}` });
  const form = outline.form(file);
  for (const [name, value] of values) {
    if (name === "text") form.body = value;
    else form.fields[name] = value;
  }
}

// What a change made of the files: for the next one, and for taking it back.
function take(files, label, options) {
  stale = true;
  for (const { article, now } of files) sha.set(article || "", now);
  history.record(label, files, options);
}

const tellIssue = (wrong) => showTrouble($("trouble"), wrong);

function signedOut(problem) {
  if (problem.kind !== OUT) return;
  lost = "Not signed in";
  tellIssue(problem);
}

function heard(event, file, problem) {
  if (event === "conflict") settle(file);
  if (event === "saved") {
    if (!outline.refuse(file, null) || lost) tellIssue(null);
    lost = "";
  }
  if (event === "offline") signedOut(problem);
  if (event === "refused") {
    if (problem.status === 423) refresh();
    const field = [...queue.unsaved(file).keys()].at(-1);
    if (!outline.refuse(file, problem, field)) tellIssue(problem);
  }
  const said = { saved: "Saved", saving: "Saving …", stuck: "Not saved yet", offline: `${lost || "No connection"}; kept in this window` };
  const state = lost && queue.state === "saved" ? "lost" : queue.state;
  write("saved", state === "lost" ? lost : issue?.approved ? "Approved" : said[state]);
  $("saved").dataset.state = state;
}

document.addEventListener("input", ({ target }) => {
  if (!target.dataset?.field || target.readOnly) return;
  fit(target);
  const value = target.hasAttribute("data-line") ? line(target.value) : target.value;
  queue.put(target.closest("[data-slug]")?.dataset.slug || "", target.dataset.field, value);
});

// Two changed the same file: ours is kept here, theirs is on the disk.
async function settle(file) {
  const now = await call("GET", `${base}/state`).catch(() => null);
  if (!now) return setTimeout(settle, 2000, file);
  const theirs = formIn(now, file);
  if (!theirs) return refused(`${nameOf(file)} is gone from the disk.`);
  const unsaved = queue.unsaved(file);
  const said = (name) => (name === "text" ? theirs.body ?? theirs.intro : theirs.fields[name] || "");
  const differing = [...unsaved].filter(([name, mine]) => differs(name, mine, said(name)));
  const choice = differing.length ? await choose(nameOf(file), differing.map(([name, mine]) => [labelOf(name), mine, said(name)])) : "theirs";
  sha.set(file, theirs.sha256);
  queue.resolve(file, choice === "mine");
  await refresh();
}

const differs = (name, one, two) => (name === "text" ? one.trimEnd() !== two.trimEnd() : line(one) !== line(two));
const refused = (what) => { tellIssue({ what }); say(what); };
const labelOf = (name) => ({ text: "Text", link_text: "Words of the link" })[name] || name[0].toUpperCase() + name.slice(1).replace(".", " ");
const storiesOf = (state) => state.sections.flatMap(({ stories }) => stories);
const formIn = (state, file) => (file === OWN ? state.text : file ? storiesOf(state).find(({ slug }) => slug === file) : { ...state, body: state.intro });

// -- what is in the files

let reading = null;

// Show the files as they are. What is on its way into one stays as it is typed.
async function refresh() {
  while (reading) await reading;
  reading = read().finally(() => { reading = null; });
  return reading;
}

// Read while none of our own changes is on its way: an older state makes the next one a conflict.
async function readBetweenChanges() {
  for (;;) {
    while (changes.begun !== changes.over) await pause(8);
    const before = changes.begun;
    const state = await call("GET", `${base}/state`);
    if (changes.begun === before) return state;
  }
}

async function read() {
  let state;
  try {
    state = await readBetweenChanges();
  } catch (problem) {
    if (problem instanceof Refused) { signedOut(problem); tellIssue(problem); $("issue").hidden = !issue; }
    return heard("state");
  }
  if (!$("trouble").hidden && queue.state === "saved") tellIssue(null);
  for (const file of ["", OWN, ...storiesOf(state).map(({ slug }) => slug)]) {
    if (!queue.busy(file) || !sha.has(file)) sha.set(file, formIn(state, file).sha256);
  }
  issue = state;
  stale = false;
  outline.show(state);
  sponsors.show(state);
  if ($("issue").hidden) {
    $("issue").hidden = false;
    fitAll($("write"));
  }
  $("add-section").hidden = state.approved;
  $("approved").hidden = !state.approved;
  document.body.classList.toggle("approved", state.approved);
  document.body.dataset.ready = "yes";
  heard("state");
}

// Do one thing besides typing, show the files as they are then, and say what came of it: `tell` gets what went wrong, or null.
// work() gives what to say, or false when there was nothing to do. Gives whether it was done.
async function attempt(work, label, tell) {
  let said;
  let wrong = null;
  try {
    said = await work();
    if (said === false) return false;
  } catch (problem) {
    const what = problem.status === 409 ? "It was changed elsewhere, and is shown as it is now; do it again if you still want to" : words(problem);
    wrong = { what, where: problem.where, fix: problem.fix };
  }
  await refresh();
  tell(wrong);
  say(wrong?.what || said?.join(" ") || `${label}.`);
  return !wrong;
}

// To the order of the issue. A function is asked what, and for its words, once the page shows all that was done before: the
// places of a moment ago may be other stories' now.
function step(what, label) {
  return attempt(() => queue.exclusive("", async () => {
    if (stale) await refresh();
    const [payload, said] = typeof what === "function" ? what() || [] : [what, label];
    if (!payload) return false;
    take((await call("POST", `${base}/arrange`, { ...payload, expected: sha.get("") })).files, said);
    outline.follow(payload);
    return [`${said}.`];
  }), "", tellIssue);
}

// To a story's file.
function change(file, work, label) {
  return attempt(() => queue.exclusive(file, async () => {
    take((await work(sha.get(file))).files, label, { place: { file } });
  }), label, (wrong) => outline.refuse(file, wrong));
}

// To whatever a finding is about.
function act(file, work, label) {
  return attempt(() => queue.exclusive(file || "", async () => {
    const said = await work(sha.get(file || ""));
    take(said.files, label);
    return said.done;
  }), label, tellIssue);
}

for (const button of qq($("own"), "[data-text]")) {
  button.addEventListener("click", async () => {
    const work = (expected) => call("POST", `${base}/text-part`, { do: button.dataset.text, expected, seen: mail.seen });
    if (!await change(OWN, work, button.dataset.said)) return;
    const box = q($("own"), document.body.matches(".own-text") ? "textarea" : "button");
    box.setSelectionRange?.(0, 0);
    box.focus();
  });
}

let taking = null; // one after the other, however fast they are pressed
const takeBack = (back) => { taking = (async () => { await taking?.catch(() => {}); await takeOne(back); })(); };

async function takeOne(back) {
  await queue.settled();
  try {
    const entry = await history.step(back, (article, expected, to) => queue.exclusive(article || "", async () => {
      const said = await call("POST", `${base}/restore`, { article, to, expected });
      sha.set(article || "", said.files[0].now);
      stale = true;
    }));
    if (!entry) return;
    await refresh();
    say(`${back ? "Taken back" : "Done again"}: ${entry.label}.`);
    if (entry.place?.file !== undefined) show(entry.place.file, entry.place.field);
  } catch (problem) {
    refused(problem.status === 409 ? "The file was changed elsewhere since; nothing was taken back." : words(problem));
    await refresh();
  }
}

$("undo").addEventListener("click", () => takeBack(true));
$("redo").addEventListener("click", () => takeBack(false));
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || q(document, "dialog[open]")) return;
  const key = event.key.toLowerCase();
  const back = key === "z" && !event.shiftKey;
  if (!back && !(key === "y" || (key === "z" && event.shiftKey))) return;
  if (event.target.matches?.("input, select") && !event.target.closest("#write")) return;
  event.preventDefault();
  takeBack(back);
});

$("sections").addEventListener("focusin", ({ target }) => mail.stand(outline.value(target.closest(".story")?.dataset.slug, "headline")));

// -- findings

// Show a field, and put the caret there.
function show(file, field) {
  if (file && !outline.card(file)) return;
  view(file === OWN ? "mail" : "write");
  if (file === OWN) mail.text();
  const owner = () => outline.boxes(file).find(({ dataset }) => dataset.field === (field === "body" || field === "intro" ? "text" : field));
  if (file && !owner()) outline.open(file, true);
  const box = owner() || outline.boxes(file)[0];
  if (!box) return;
  const closed = box.closest("details");
  if (closed) closed.open = true;
  if (box.closest(".more")?.hidden) outline.open(file, true);
  box.scrollIntoView({ block: "center" });
  box.focus({ preventScroll: true });
}

function jump({ article, field }) {
  if (field === OWN) show(OWN, "text");
  else show(article || "", field?.split("[")[0] || (article ? "headline" : "subject"));
}

function fix({ id, article, field, message }) {
  return act(article, () => call("POST", `${base}/fix`, { article, check: id, field: field || null }), `put right: ${message}`);
}

function waive({ id, article, message }, reason) {
  return act(article, (expected) => call("POST", `${base}/waive`, { article, check: id, reason, expected }), `waived: ${message}`);
}

// -- what is shown

const VIEWS = ["write", "mail", "checks"];
const narrow = matchMedia("(max-width: 60rem)");

function view(name) {
  document.body.dataset.view = name;
  if (name !== "write") document.body.dataset.right = name;
  const shown = narrow.matches ? name : document.body.dataset.right;
  for (const each of VIEWS) $(`show-${each}`).setAttribute("aria-pressed", each === shown);
  if (document.body.dataset.ready) mail.refresh();
}

for (const name of VIEWS) $(`show-${name}`).addEventListener("click", () => view(name));
narrow.addEventListener("change", () => view(document.body.dataset.view));

// -- news

let news = null;
let seen = {};

// A browser has six connections for one address: a page that nobody sees gives its one back.
function follow() {
  news?.close();
  if (document.hidden) return;
  news = new EventSource(`${base}/news`);
  news.onopen = () => {
    if (!lost) return;
    lost = "";
    tellIssue(null);
    refresh();
    mail.refresh();
  };
  news.onmessage = ({ data }) => {
    const now = JSON.parse(data);
    if (now.files !== seen.files) refresh();
    if (now.mail !== seen.mail || now.checked !== seen.checked) mail.refresh(now.mail !== seen.mail);
    seen = now;
  };
  news.onerror = () => {
    lost ||= "The composer has stopped";
    heard("state");
    // A browser asks again by itself where nobody answers; after a refusal it does not.
    if (news.readyState === EventSource.CLOSED) { refresh(); setTimeout(follow, 4000); }
  };
}

document.addEventListener("visibilitychange", follow);

// What did not reach the file before the page went away is kept in this window, and goes on after a reload.
addEventListener("pagehide", () => {
  const kept = queue.files().map((file) => [file, sha.get(file), [...queue.unsaved(file)]]);
  if (kept.length) sessionStorage.setItem(STASH, JSON.stringify(kept));
});

function unstash() {
  const kept = JSON.parse(sessionStorage.getItem(STASH) || "[]");
  sessionStorage.removeItem(STASH);
  for (const [file, known, values] of kept) {
    const missing = values.filter(([name, value]) => differs(name, outline.value(file, name), value));
    if (!outline.form(file) || !missing.length) continue;
    // Where another hand was there meanwhile, the save will say so, and the editor chooses.
    if (missing.length === values.length) sha.set(file, known);
    for (const [name, value] of missing) queue.put(file, name, value);
    outline.open(file, missing.some(([name]) => !["kicker", "headline", "teaser"].includes(name)) || undefined);
    for (const box of outline.boxes(file)) {
      const mine = queue.unsaved(file).get(box.dataset.field);
      if (mine !== undefined) box.value = mine;
    }
  }
}

document.addEventListener("toggle", ({ target }) => fitAll(target), true);
moves.listen();
pictures.listen();
sources({ settled: () => queue.settled(), change });
view(narrow.matches ? "write" : "mail");
document.body.dataset.view = "write";
await refresh();
unstash();
await mail.refresh();
follow();
