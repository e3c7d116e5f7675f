// What was said to somebody whose channel is not open yet: kept until it is, the newest of it.

/** For one person: somebody who never connects costs no more than this. */
const [TEXTS, LENGTH] = [64, 64 * 1024];

export class Unheard {
  /** Member to the texts that wait, oldest first. */
  #texts = new Map();

  keep(member, text) {
    const texts = this.#texts.get(member) ?? [];
    texts.push(text);
    while (texts.length > TEXTS || lengthOf(texts) > LENGTH) texts.shift();
    this.#texts.set(member, texts);
  }

  /** Gives what waits for somebody, and keeps it no longer. */
  take(member) {
    const texts = this.#texts.get(member) ?? [];
    this.#texts.delete(member);
    return texts;
  }

  /** Another room: nobody of this one. */
  clear() {
    this.#texts.clear();
  }
}

function lengthOf(texts) {
  return texts.reduce((sum, { length }) => sum + length, 0);
}
