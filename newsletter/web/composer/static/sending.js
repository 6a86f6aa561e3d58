// The Send screen: counts the readers, says a time in words, asks before it acts, and follows what goes out.

import { base, call } from "./api.js";
import { $, make, pause, q, qq, write } from "./dom.js";

const send = `${base}/send`;
const { key, seen } = document.body.dataset;
let readers = null; // { count, words, lines }, null while they are counted

// -- who gets it

const approve = $("approve");
const moment = { words: "", wrong: "" };

async function count() {
  if (!$("count")) return;
  try {
    readers = await call("GET", `${send}/audience`);
    $("count").textContent = readers.words;
    $("count-lines").replaceChildren(...readers.lines.map((line) => make("li", "", line)));
  } catch (problem) {
    $("count").textContent = `Not counted: ${problem.message}`;
  }
  for (const box of qq(document, "[name=counted]")) box.value = readers ? readers.count : "";
  allow();
}

// -- when

let asked = 0;

async function say() {
  const { when, date, time } = approve.elements;
  const mine = (asked += 1);
  moment.words = "";
  moment.wrong = "";
  allow();
  if (when.value === "at") {
    const given = { date: date.value, time: time.value };
    const said = await (date.value && time.value ? call("GET", `${send}/moment?${new URLSearchParams(given)}`) : Promise.reject(new Error("Write a date and a time.")))
      .catch((problem) => ({ wrong: problem.message }));
    if (mine !== asked) return;
    Object.assign(moment, { words: said.words || "", wrong: said.wrong || "" });
    $("moment").textContent = [said.wrong || said.words, said.explained].filter(Boolean).join(". ");
  } else {
    moment.words = q(approve, "[name=when]:checked").dataset.words;
    $("moment").textContent = "";
  }
  $("moment").classList.toggle("wrong", moment.wrong);
  allow();
}

function allow() {
  if (!approve || q(approve, "fieldset").disabled) return;
  const why = !readers ? "The readers are being counted." : !readers.count ? "There is nobody to send it to." : moment.wrong ? "The time cannot be used." : "";
  $("approve-button").disabled = why || !moment.words;
  $("approve-why").textContent = why;
}

if (approve) {
  approve.addEventListener("input", ({ target }) => {
    if (target.name === "date" || target.name === "time") approve.elements.when.value = "at";
    if (["when", "date", "time"].includes(target.name)) say();
  });
  say();
}

// -- asking first

const dialog = $("confirm");

function confirmed(form) {
  const facts = form === approve;
  const { question, answer, title } = form.dataset;
  $("confirm-title").textContent = title || `${answer}?`;
  $("confirm-words").textContent = question.replace("{readers}", readers ? readers.words : "The readers");
  $("confirm-facts").hidden = !facts;
  if (facts) {
    $("fact-readers").textContent = readers.words;
    $("fact-when").textContent = moment.words;
  }
  $("confirm-yes").textContent = answer;
  dialog.showModal();
  return new Promise((done) => {
    dialog.onclose = () => { done(dialog.returnValue === "yes"); dialog.returnValue = ""; };
  });
}

// A second press of the same button goes nowhere; were it sent, its token would get the first one's answer.
function once(form) {
  form.dataset.sent = "yes";
  const button = q(form, "button");
  button.setAttribute("aria-disabled", "true");
  button.textContent = "One moment …";
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method === "dialog") return;
  if (form.dataset.sent) return event.preventDefault();
  if (form.dataset.answer && !form.dataset.sure) {
    event.preventDefault();
    // Who is asked about readers is told how many.
    if (form.dataset.question?.includes("{readers}")) await counting;
    if (!(await confirmed(form))) return;
    form.dataset.sure = "yes";
    form.requestSubmit();
    return;
  }
  once(form);
});

// A page that the browser kept and shows again is an old one.
addEventListener("pageshow", ({ persisted }) => { if (persisted) location.replace(send); });

// -- what becomes of it

function show(now) {
  for (const id of ["sentence", "at", "pace"]) write(id, now[id]);
  if ($("bar")) $("bar").value = now.done;
  if ($("told") && $("told").innerText !== now.told.join("\n")) $("told").replaceChildren(...now.told.map((line) => make("li", "", line)));
}

async function follow() {
  for (;;) {
    await pause(document.body.dataset.live || q(document, ".going.sending, .going.planning") ? 1000 : 4000);
    if (document.hidden) continue;
    try {
      const now = await call("GET", `${send}/now`);
      // A form that somebody fills in is not taken away under their hands.
      if (now.key !== key) {
        if (seen === undefined && !dialog.open && !q(document, "[data-sent]")) return location.replace(send);
        $("changed").hidden = false;
      }
      show(now);
    } catch (problem) {
      if (problem.status === 403) return location.reload();
    }
  }
}

for (const button of qq(document, "[data-asks]")) button.disabled = false;
const counting = count();
follow();
