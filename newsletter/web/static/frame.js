// A mail in a frame: shown anew in place, so that the reader of it keeps the place.

export async function ask(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`the preview answered ${answer.status} to ${address}`);
  return answer;
}

// A frame's policy comes with its document and forbids or allows images, so that switch needs a real load.
const policies = new WeakMap();

// Show what is at the address. `images` is the switch that the address was made with.
export async function showIn(frame, address, images) {
  if (policies.get(frame) !== images) await load(frame, address, images);
  else replace(frame, await (await ask(address)).text());
  openLinksOutside(frame);
}

function load(frame, from, images) {
  const place = frame.contentDocument ? frame.contentWindow.scrollY : 0;
  policies.delete(frame);
  return new Promise((done, fail) => {
    frame.addEventListener("load", () => {
      if (!frame.contentDocument) return fail(new TypeError("the preview is not there"));
      policies.set(frame, images);
      frame.contentWindow.scrollTo(0, place);
      return done();
    }, { once: true });
    frame.src = from;
  });
}

// New content in the same document keeps the editor's place, and pictures that it has shown do not flicker. The frame's
// document parses it: by its policy styles are allowed, by ours they are not (nor may ours make code of a string). The
// root's attributes do not come that way.
function replace(frame, html) {
  const root = frame.contentDocument.documentElement;
  const place = frame.contentWindow.scrollY;
  const [tag] = html.match(/<html\b[^>]*>/i) || ["<html>"];
  copyAttributes(new frame.contentWindow.DOMParser().parseFromString(tag, "text/html").documentElement, root);
  root.innerHTML = html;
  frame.contentWindow.scrollTo(0, place);
}

function copyAttributes(from, to) {
  for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value) to.setAttribute(name, value);
}

// A link followed inside the frame would put another site in the mail's place.
function openLinksOutside(frame) {
  for (const link of frame.contentDocument.links) {
    if (/^(https?|mailto|tel):/.test(link.href) && !link.getAttribute("href").startsWith("#")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
  }
}
