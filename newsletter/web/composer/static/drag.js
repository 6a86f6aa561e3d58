// Dragging by a handle, with a mouse, a pen or a finger. Escape lets go and nothing has happened.

import { make, say } from "./dom.js";

const FAR = 5; // px: less is a click
const EDGE = 70; // px at the top and the bottom that scroll

// Follow a pointer that is down: `end(true)` when it is let go, `end(false)` when it is taken away or Escape is pressed.
export function hold(move, end) {
  const over = new AbortController();
  const on = (name, heard) => addEventListener(name, heard, { capture: true, signal: over.signal });
  const ended = (kept) => { over.abort(); end(kept); };
  on("pointermove", move);
  on("pointerup", () => ended(true));
  on("pointercancel", () => ended(false));
  on("keydown", (pressed) => {
    if (pressed.key !== "Escape") return;
    pressed.preventDefault();
    pressed.stopPropagation();
    ended(false);
  });
}

// places(item) gives [{list, items}] that the item may go to; dropped(item, list, at) hears where it was left.
export function draggable(root, { handle, item, places, dropped, name }) {
  root.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest(handle);
    if (!grip || event.button || grip.disabled) return;
    const dragged = grip.closest(item);
    if (dragged) start(event, grip, dragged);
  });

  function start(event, grip, dragged) {
    const from = event.clientY;
    let target = null;
    let marker = null;
    let scroll = 0;
    let y = from;

    function move(moved) {
      y = moved.clientY;
      if (!marker && Math.abs(y - from) < FAR) return;
      if (!marker) {
        // It lies over the page and not in the list, which may be shown anew meanwhile.
        marker = document.body.appendChild(make("div", "marker"));
        dragged.classList.add("dragged");
        say(`Dragging ${name(dragged)}. Escape lets go.`);
        scroll = setInterval(() => {
          const step = y < EDGE ? -14 : y > innerHeight - EDGE ? 14 : 0;
          if (step) { scrollBy(0, step); aim(); }
        }, 16);
      }
      moved.preventDefault();
      aim();
    }

    function aim() {
      const away = ({ list }) => { const box = list.getBoundingClientRect(); return Math.max(box.top - y, y - box.bottom, 0); };
      const near = places(dragged).sort((one, other) => away(one) - away(other))[0];
      if (!near) return;
      const others = near.items.filter((each) => each !== dragged);
      const at = others.filter((each) => { const box = each.getBoundingClientRect(); return box.top + box.height / 2 < y; }).length;
      target = { list: near.list, at };
      const [list, next, last] = [near.list, others[at], others.at(-1)].map((each) => each?.getBoundingClientRect());
      marker.style.left = `${list.left}px`;
      marker.style.width = `${list.width}px`;
      marker.style.top = `${next ? next.top - 2 : last ? last.bottom - 2 : list.top}px`;
    }

    function end(kept) {
      clearInterval(scroll);
      dragged.classList.remove("dragged");
      marker?.remove();
      if (kept && marker && target) dropped(dragged, target.list, target.at);
      else if (marker) say(`Let go: ${name(dragged)} stays where it was.`);
    }

    event.preventDefault();
    grip.focus({ preventScroll: true });
    hold(move, end);
  }
}
