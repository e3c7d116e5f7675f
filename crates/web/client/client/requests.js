// Requests that were not answered yet. Each goes out again after a resume under the same number; the server does none twice.

import { RoomError } from './error.js';

const COUNT = 512;
const LENGTH = 4 * 1024 * 1024;

export class Requests {
  #last = 0;
  #open = new Map();
  #length = 0;

  /** A number above all before. */
  number() {
    this.#last += 1;
    return this.#last;
  }

  /** What this session has said before, in a page that is no more, counts too. */
  countFrom(number) {
    this.#last = Math.max(this.#last, number);
  }

  /** `{text, answer}`: the frame to write, and the promise of its answer. */
  add(frame) {
    const id = this.number();
    const text = JSON.stringify({ ...frame, id });
    if (this.#open.size >= COUNT || this.#length + text.length > LENGTH) {
      throw new RoomError({ code: 'too-fast', message: `expected at most ${COUNT} unanswered requests: wait for the answers` });
    }
    this.#length += text.length;
    const answer = new Promise((resolve, reject) => this.#open.set(id, { text, resolve, reject }));
    return { text, answer };
  }

  /** `ok`, `error`: one answer. An answer that nobody waits for was answered before. */
  settle(frame) {
    const request = this.#take(frame.id);
    if (!request) return;
    if (frame.type === 'error') request.reject(new RoomError(frame));
    else request.resolve(frame);
  }

  /** The frames of all that wait, oldest first. */
  texts() {
    return [...this.#open.values()].map(({ text }) => text);
  }

  /** The server did not read a message for its length: the longest one that waits must have been it. */
  failLongest(error) {
    const [longest] = [...this.#open.entries()].sort(([, one], [, other]) => other.text.length - one.text.length);
    if (longest) this.#take(longest[0]).reject(error);
  }

  /** There will be no answers any more. */
  fail(error) {
    for (const id of [...this.#open.keys()]) this.#take(id).reject(error);
  }

  #take(id) {
    const request = this.#open.get(id);
    if (!request) return null;
    this.#open.delete(id);
    this.#length -= request.text.length;
    return request;
  }
}
