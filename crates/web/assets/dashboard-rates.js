// How fast counters grow, from one answer of the server to the next, by the server's own clock.

export class Rates {
  #before = new Map();
  #now = new Map();
  #at = 0;

  /** An answer of moment `at` (milliseconds) is about to be read. */
  begin(at) {
    // Two answers of one moment say nothing new.
    if (at === this.#at) return;
    this.#before = this.#now;
    this.#now = new Map();
    this.#at = at;
  }

  /** Of the counter `name`, which stands at `value`: so much a second. `undefined` the first time it is seen. */
  of(name, value) {
    this.#now.set(name, { at: this.#at, value });
    const before = this.#before.get(name);
    if (!before || this.#at <= before.at) return undefined;
    // A worker that began anew counts from zero.
    return Math.max(0, ((value - before.value) * 1000) / (this.#at - before.at));
  }
}
