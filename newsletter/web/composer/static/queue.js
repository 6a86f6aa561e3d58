// What was typed, on its way into the files. Each file has a queue of its own: an edit of one story never waits for
// another's, and never overtakes an earlier one of its own. "" stands for issue.md, a slug for a story.

import { OUT } from "./api.js";
import { pause } from "./dom.js";

const WAIT = 8; // ms: what comes at once is one save; what comes while one is on its way is the next one
const AGAIN = [500, 1000, 2000, 4000];

export class SaveQueue {
  #files = new Map();
  #send;
  #told;

  // send(file, values) writes, and raises Refused. told(event, file, problem): "state", "offline", "conflict", "refused", "saved".
  constructor(send, told) {
    this.#send = send;
    this.#told = told;
  }

  #of(file) {
    if (!this.#files.has(file)) {
      this.#files.set(file, { pending: new Map(), flying: null, blocked: "", work: null, failures: 0 });
    }
    return this.#files.get(file);
  }

  put(file, field, value) {
    const state = this.#of(file);
    state.pending.set(field, value);
    if (state.blocked === "refused") state.blocked = "";
    this.#told("state");
    this.#start(file, state);
  }

  #start(file, state) {
    if (state.work || state.blocked || !state.pending.size) return;
    state.work = this.#run(file, state).finally(() => {
      state.work = null;
      this.#told("state");
      this.#start(file, state);
    });
  }

  async #run(file, state) {
    await pause(WAIT);
    state.flying = state.pending;
    state.pending = new Map();
    try {
      await this.#send(file, state.flying);
      state.failures = 0;
      this.#told("saved", file);
    } catch (problem) {
      // What was typed meanwhile stands over what did not arrive.
      state.pending = new Map([...state.flying, ...state.pending]);
      if (problem instanceof TypeError || problem.kind === OUT || [503, 408].includes(problem.status)) {
        this.#told("offline", file, problem);
        await pause(AGAIN[Math.min(state.failures++, AGAIN.length - 1)]);
      } else {
        state.blocked = problem.status === 409 ? "conflict" : "refused";
        this.#told(state.blocked, file, problem);
      }
    } finally {
      state.flying = null;
    }
  }

  // Run something else that writes the file, between two saves.
  async exclusive(file, work) {
    const state = this.#of(file);
    while (state.work || (state.pending.size && !state.blocked)) await (state.work || pause(WAIT));
    const done = work();
    state.work = done.catch(() => {}).finally(() => {
      state.work = null;
      this.#start(file, state);
    });
    return done;
  }

  // Wait until everything that can be saved is.
  async settled() {
    const waits = () => [...this.#files.values()].filter((state) => state.work || (state.pending.size && !state.blocked));
    while (waits().length) await Promise.all(waits().map((state) => state.work || pause(WAIT)));
  }

  // What is not in the file yet.
  unsaved(file) {
    const state = this.#of(file);
    return new Map([...(state.flying || []), ...state.pending]);
  }

  files() { return [...this.#files.keys()].filter((file) => this.unsaved(file).size); }

  resolve(file, keep) {
    const state = this.#of(file);
    if (!keep) state.pending.clear();
    state.blocked = "";
    this.#told("state");
    this.#start(file, state);
  }

  busy(file) {
    const { work, pending } = this.#of(file);
    return work || pending.size;
  }

  get state() {
    const all = [...this.#files.values()];
    if (all.some(({ blocked }) => blocked)) return "stuck";
    if (all.some(({ failures, pending }) => failures && pending.size)) return "offline";
    return all.some(({ work, pending }) => work || pending.size) ? "saving" : "saved";
  }
}
