// Undo and redo. An entry is the change of one or more files, by the SHA-256 before and after; the server remembers what
// they said. What was typed into one field without a pause is one entry.

const BURST = 1200; // ms

export class History {
  #past = [];
  #future = [];
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  // files: [{article, was, now}]; place: what to show when it is taken back; burst: the name of what is being typed.
  record(label, files, { place = null, burst = "" } = {}) {
    const real = files.filter(({ was, now }) => was !== now);
    if (!real.length) return;
    const last = this.#past.at(-1);
    const goesOn = burst && last?.burst === burst && !this.#future.length && Date.now() - last.at < BURST
      && last.files.length === 1 && last.files[0].now === real[0].was;
    if (goesOn) {
      last.files[0].now = real[0].now;
      last.at = Date.now();
    } else {
      this.#past.push({ label, files: real.map((file) => ({ ...file })), place, burst, at: Date.now() });
      if (this.#past.length > 500) this.#past.shift();
    }
    this.#future = [];
    this.#changed();
  }

  get undoable() { return this.#past.at(-1)?.label; }

  get redoable() { return this.#future.at(-1)?.label; }

  // restore(article, from, to) writes one file. What somebody else has changed since is forgotten with all before it.
  async step(back, restore) {
    const [from, to] = back ? [this.#past, this.#future] : [this.#future, this.#past];
    const entry = from.at(-1);
    if (!entry) return null;
    try {
      for (const { article, was, now } of back ? [...entry.files].reverse() : entry.files) {
        await restore(article, back ? now : was, back ? was : now);
      }
    } catch (problem) {
      if ([409, 410].includes(problem.status)) from.length = 0;
      this.#changed();
      throw problem;
    }
    // Meanwhile something else may have been recorded after it.
    if (from.includes(entry)) from.splice(from.indexOf(entry), 1);
    to.push({ ...entry, burst: "" });
    this.#changed();
    return entry;
  }
}
