// A file on its way from the sender, in blocks: each is verified, then kept, then acknowledged.

import { BLOCK, blocksOf, blockSize, FRAME, parseFrame, wholeHash, WINDOW } from './blocks.js';
import { sha256 } from './sha256.js';

/** Blocks that wait to be verified: more than a sender of ours has under way is none of ours. */
const WAITING = 2 * WINDOW;

/** How often one block may arrive damaged before the file is given up. */
const ATTEMPTS = 3;

let transfers = 0;

/** Runs once; over as many links as it takes. */
export class Download {
  #link = null;
  #transfer = 0;
  #hashes = [];
  #block = null;
  #sequence = 0;
  #damaged = 0;
  #waiting = 0;
  #ended = false;
  #work = Promise.resolve();
  #resolve;
  #reject;

  /** `entry`: the sender's `{id, size}`. `write(bytes)` keeps a verified block; it may take its time. */
  constructor(entry, write) {
    this.entry = entry;
    this.write = write;
    /** Resolves when the whole file is verified and kept; throws a `Broken` that says why not. */
    this.whole = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Bytes that are here, the unverified ones of the block under way too. */
  get received() {
    return Math.min(this.entry.size, this.#sequence * FRAME);
  }

  /** Asks for what is missing, over a new link too; first, what is being kept is kept. */
  start(link) {
    this.#link = link;
    this.#transfer = 0;
    this.#work = this.#work.then(() => {
      if (link !== this.#link || this.#ended) return;
      transfers += 1;
      this.#transfer = transfers;
      const block = this.#hashes.length;
      this.#sequence = (block * BLOCK) / FRAME;
      this.#block = null;
      link.say('get', { transfer: this.#transfer, id: this.entry.id, block });
    });
  }

  /** The file is not wanted any more. */
  stop(reason = 'stopped') {
    if (this.#transfer) this.#link.say('stop', { transfer: this.#transfer });
    this.#fail(reason);
  }

  /** What came over the link: a frame, or a text about a transfer. */
  hear(message) {
    if (message instanceof ArrayBuffer) this.#frame(parseFrame(message));
    else if (this.#transfer && message.data.transfer === this.#transfer) this.#text(message);
  }

  #text({ type, data }) {
    if (type === 'hash') this.#verify(data.block, data.hash);
    else if (type === 'done') this.#finish(data.hash);
    else if (type === 'failed') this.#fail(data.reason === 'removed' ? 'removed' : 'unreadable');
  }

  #frame(frame) {
    if (frame?.transfer !== this.#transfer) return;
    const number = Math.floor((frame.sequence * FRAME) / BLOCK);
    const size = blockSize(this.entry.size, number);
    const at = (frame.sequence * FRAME) % BLOCK;
    if (frame.sequence !== this.#sequence || at + frame.payload.length > size) return this.#again();
    this.#block ??= new Uint8Array(size);
    this.#block.set(frame.payload, at);
    this.#sequence += 1;
  }

  /** Blocks are verified one after the other; meanwhile the next ones arrive. */
  #verify(number, expected) {
    const bytes = this.#block;
    const transfer = this.#transfer;
    this.#block = null;
    if (this.#waiting > WAITING) return this.stop('damaged');
    return this.#then(transfer, async () => {
      if (number !== this.#hashes.length || !bytes || (await sha256(bytes)) !== expected) return this.#again();
      await this.write(bytes);
      this.#hashes.push(expected);
      this.#damaged = 0;
      return this.#link.say('ack', { transfer, block: number });
    });
  }

  #finish(expected) {
    const transfer = this.#transfer;
    this.#then(transfer, async () => {
      if (this.#hashes.length !== blocksOf(this.entry.size) || (await wholeHash(this.#hashes)) !== expected) return this.#fail('damaged');
      this.#link.say('got', { transfer });
      this.#ended = true;
      return this.#resolve();
    });
  }

  /** After what was begun before; nothing when the transfer was begun anew since. */
  #then(transfer, step) {
    this.#waiting += 1;
    this.#work = this.#work
      .then(() => (transfer === this.#transfer ? step() : undefined))
      .catch((error) => this.#fail(error.name === 'QuotaExceededError' ? 'full' : 'unwritable'))
      .then(() => { this.#waiting -= 1; });
  }

  /** A block arrived damaged: once more from there. */
  #again() {
    this.#damaged += 1;
    if (this.#damaged >= ATTEMPTS) this.stop('damaged');
    else this.start(this.#link);
  }

  #fail(reason) {
    this.#transfer = 0;
    this.#ended = true;
    this.#reject(new Broken(reason));
  }
}

/** `reason`: "damaged", "unreadable", "removed", "stopped", "full", "unwritable" or "lost". */
export class Broken extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}
