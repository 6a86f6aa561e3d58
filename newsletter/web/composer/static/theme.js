// The theme's tokens: each change is shown in the mail beside it, and judged, at once; nothing is written before a save.

import { showIn } from "/static/mail/frame.js";
import { call } from "./api.js";
import { $, make, q, qq, rested, words } from "./dom.js";

const form = $("tokens");
const switches = $("switches");
let wanted = false;
let running = false;

// Only what is not as it is saved: an address has room for that.
function changed() {
  const asked = new URLSearchParams({ theme: form.elements.theme.value });
  for (const field of qq(form, "[data-now]")) {
    if (field.value.toLowerCase() !== field.dataset.now.toLowerCase()) asked.set(field.name, field.value);
  }
  return asked;
}

function mark() {
  for (const button of qq(form, "[data-tokens]")) {
    const fields = button.dataset.tokens.split(" ").map((name) => form.elements[name]);
    button.disabled = fields.every((field) => field.value.toLowerCase() === field.dataset.default.toLowerCase());
  }
}

function judge({ warnings, errors }) {
  const said = [...$("warnings").children].map((each) => each.textContent).join("\n");
  if (said !== warnings.join("\n")) $("warnings").replaceChildren(...warnings.map((warning) => make("li", "", warning)));
  for (const place of qq(form, "[data-wrong]")) {
    const wrong = errors[place.dataset.wrong];
    place.hidden = !wrong;
    place.textContent = wrong || "";
    form.elements[place.dataset.wrong].ariaInvalid = wrong ? "true" : null;
  }
}

async function show() {
  mark();
  wanted = true;
  if (running) return;
  running = true;
  while (wanted) {
    wanted = false;
    const asked = changed();
    try {
      judge(await call("GET", `/settings/theme/judge?${asked}`));
      if (switches) {
        if (switches.elements.dark.checked) asked.set("scheme", "dark");
        await showIn($("mail"), `/settings/theme/mail.html?${asked}`, true);
      }
      document.body.dataset.shown = asked;
    } catch (problem) {
      $("warnings").replaceChildren(make("li", "", words(problem)));
    }
  }
  running = false;
}

form.addEventListener("input", rested(120, show));
form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-tokens]");
  if (!button) return;
  event.preventDefault();
  for (const name of button.dataset.tokens.split(" ")) form.elements[name].value = form.elements[name].dataset.default;
  show();
  q(button.closest(".token"), "input, select").focus();
});
if (switches) {
  switches.addEventListener("submit", (event) => event.preventDefault());
  switches.addEventListener("change", () => {
    $("looks").classList.toggle("phone", switches.elements.phone.checked);
    show();
  });
}
show();
