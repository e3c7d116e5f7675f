// Signals to one member: one message is under way, and what comes meanwhile goes with the next. That keeps their order when
// the server says "later", and makes one message of a dozen candidates.

const LENGTH = 40_000;
const LATER = 500;
const LATER_CODES = ['too-fast', 'overloaded', 'mailbox-full'];

export class Outbox {
  #send;
  #waiting = [];
  #busy = false;
  #closed = false;

  /** `send(signals)` resolves when they are on their way, or rejects with a `RoomError`. */
  constructor(send) {
    this.#send = send;
  }

  put(signal) {
    if (this.#closed) return;
    this.#waiting.push(signal);
    if (!this.#busy) this.#empty();
  }

  close() {
    this.#closed = true;
    this.#waiting = [];
  }

  async #empty() {
    this.#busy = true;
    // What the same turn finds goes together.
    await null;
    while (this.#waiting.length > 0) await this.#sendSome(this.#take());
    this.#busy = false;
  }

  async #sendSome(signals) {
    while (!this.#closed) {
      try {
        return await this.#send(signals);
      } catch ({ code, retryIn = LATER }) {
        // The member left or the room is over: there is nobody to tell.
        if (!LATER_CODES.includes(code)) return this.close();
        await new Promise((resolve) => setTimeout(resolve, retryIn));
      }
    }
  }

  /** As many as one message may carry, at least one. */
  #take() {
    let length = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || length < LENGTH)) {
      length += JSON.stringify(this.#waiting[count]).length;
      count += 1;
    }
    if (length > LENGTH && count > 1) count -= 1;
    return this.#waiting.splice(0, count);
  }
}
