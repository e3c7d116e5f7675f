// A file on its way to one receiver, in blocks.

import { blocksOf, blockSize, frames, wholeHash, WINDOW } from './blocks.js';

/** `sent` counts bytes that the receiver has verified. Event: `change`. */
export class Upload extends EventTarget {
  #link;
  #transfer;
  #first;
  #acknowledged;
  #stopped = false;
  #wake = () => {};

  /** `first`: the block to begin with. */
  constructor(link, item, transfer, first) {
    super();
    this.item = item;
    this.size = item.file.size;
    this.#link = link;
    this.#transfer = transfer;
    this.#first = first;
    this.#acknowledged = first;
    link.addEventListener('lost', () => this.stop());
  }

  get transfer() {
    return this.#transfer;
  }

  get sent() {
    return Math.min(this.size, this.#acknowledged * blockSize(Infinity, 0));
  }

  acknowledge(block) {
    this.#acknowledged = Math.max(this.#acknowledged, block + 1);
    this.#wake();
    this.dispatchEvent(new Event('change'));
  }

  /** `reason`: what the receiver is told, if anything. */
  stop(reason) {
    if (this.#stopped) return;
    this.#stopped = true;
    if (reason) this.#link.say('failed', { transfer: this.#transfer, reason });
    this.#wake();
  }

  async run() {
    try {
      const hashes = await this.#blocks();
      if (hashes) this.#link.say('done', { transfer: this.#transfer, hash: await wholeHash(hashes) });
    } catch {
      this.stop('unreadable');
    }
  }

  /** All blocks' hashes, or null when it was stopped. */
  async #blocks() {
    const all = blocksOf(this.size);
    const hashes = [];
    for (let block = 0; block < all && !this.#stopped; block += 1) {
      hashes.push(block < this.#first ? await this.item.hash(block) : await this.#block(block));
    }
    return this.#stopped ? null : hashes;
  }

  async #block(block) {
    while (!this.#stopped && block >= this.#acknowledged + WINDOW) await new Promise((resolve) => { this.#wake = resolve; });
    const bytes = await this.item.block(block);
    if (bytes.length !== blockSize(this.size, block)) throw new Error('the file is shorter than it was');
    const hash = await this.item.hash(block, bytes);
    for (const frame of frames(this.#transfer, block, bytes)) {
      if (this.#stopped || !(await this.#link.room())) return this.stop();
      this.#link.send(frame);
    }
    this.#link.say('hash', { transfer: this.#transfer, block, hash });
    return hash;
  }
}
