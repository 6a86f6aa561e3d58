// Small things that every part of the composer uses.

export const $ = (id) => document.getElementById(id);

export function make(tag, className = "", ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

export const q = (root, selector) => root.querySelector(selector);
export const qq = (root, selector) => root.querySelectorAll(selector);
export const copyOf = (id) => $(id).content.cloneNode(true).firstElementChild;
export const counted = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;
export const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
export const OWN = "email.txt"; // the text part as the editor writes it
export const line = (text) => text.replace(/\s+/g, " ").trim();
export const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
export const words = (problem) => (problem instanceof TypeError ? "The composer does not answer" : problem.message);

// What is read out when it changes is written only when it does.
export const write = (id, text) => { if ($(id) && $(id).textContent !== text) $(id).textContent = text; };

// Does the work when nobody has asked for it again for so long.
export function rested(ms, work) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  };
}

// Read out by screen readers; seen by nobody else.
export function say(text) {
  const place = $("live");
  place.textContent = "";
  requestAnimationFrame(() => { place.textContent = text; });
}

export function showTrouble(box, trouble) {
  box.hidden = !trouble;
  if (!trouble) return;
  for (const part of ["what", "where", "fix"]) {
    const place = q(box, `.${part}`);
    place.hidden = !trouble[part];
    place.textContent = part === "fix" && trouble.fix ? `To put it right: ${trouble.fix}` : trouble[part] || "";
  }
}

// A text box that is as high as its text, where the browser does not do that by itself.
const fits = globalThis.CSS?.supports("field-sizing", "content");

export function fit(box) {
  if (fits || !box.offsetParent) return;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
}

export const fitAll = (root) => qq(root, "textarea").forEach(fit);
