// The old page's protocol, as a fallback: JSON texts with 16 KiB of a file as one character a byte, each acknowledged before the
// next is sent. No check, no resume, one chunk a round trip.
//
//   files [{name, size}]                                        ← sender, again at every change
//   download {name, transfer_id, transfer_rate}                 → receiver: chunks between acknowledgements, always 1
//   file_chunk {transfer_id, chunkNumber, totalChunks, data}    ← from 0 on
//   file_segment_ack {transfer_id, segment_number}              → from 1 on

import { Broken } from './download.js';

const CHUNK = 16 * 1024;
/** `String.fromCharCode` takes its arguments on the stack. */
const SPREAD = 4096;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RATE_MAX = 64;

/** A file for an old page. The same face as `Upload`. */
export class ChunkUpload extends EventTarget {
  #link;
  #rate;
  #next = 0;
  #stopped = false;

  constructor(link, item, { transfer_id: id, transfer_rate: rate }) {
    super();
    this.item = item;
    this.size = item.file.size;
    this.transfer = id;
    this.#link = link;
    this.#rate = Math.min(RATE_MAX, Math.max(1, Number(rate) || 1));
  }

  /** The old sender sends nothing of an empty file, and its receiver waits for ever: one empty chunk ends it. */
  get chunks() {
    return Math.max(1, Math.ceil(this.size / CHUNK));
  }

  get sent() {
    return Math.min(this.size, this.#next * CHUNK);
  }

  get isWhole() {
    return this.#next >= this.chunks;
  }

  stop() {
    this.#stopped = true;
  }

  /** The first chunks, and after each acknowledgement the following ones. */
  async run() {
    for (let n = 0; n < this.#rate && !this.isWhole && !this.#stopped; n += 1) {
      const chunkNumber = this.#next;
      const bytes = await this.item.bytes(chunkNumber * CHUNK, (chunkNumber + 1) * CHUNK).catch(() => null);
      if (!bytes) return this.stop();
      this.#next += 1;
      this.#link.say('file_chunk', { transfer_id: this.transfer, chunkNumber, totalChunks: this.chunks, data: textOf(bytes) });
    }
    return this.dispatchEvent(new Event('change'));
  }
}

/** A file from an old page. The same face as `Download`, but it cannot go on over another link. */
export class ChunkDownload {
  received = 0;
  #link = null;
  #id = Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => LETTERS[byte % LETTERS.length]).join('');
  #chunks = 0;
  #work = Promise.resolve();
  #resolve;
  #reject;

  constructor(entry, write) {
    this.entry = entry;
    this.write = write;
    this.whole = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** An old sender sends nothing of an empty file. */
  start(link) {
    if (this.#id === null) return undefined;
    if (this.#link) return this.stop('lost');
    this.#link = link;
    if (this.entry.size === 0) return this.#resolve();
    return link.say('download', { name: this.entry.name, transfer_id: this.#id, transfer_rate: 1 });
  }

  /** The old protocol has no word for it: the next chunk is not acknowledged. */
  stop(reason = 'stopped') {
    this.#id = null;
    this.#reject(new Broken(reason));
  }

  hear({ type, data }) {
    if (type !== 'file_chunk' || data.transfer_id !== this.#id || typeof data.data !== 'string') return;
    this.#work = this.#work.then(() => this.#keep(data)).catch((error) => this.stop(error.name === 'QuotaExceededError' ? 'full' : 'unwritable'));
  }

  async #keep({ chunkNumber, totalChunks, data }) {
    const bytes = Uint8Array.from(data, (character) => character.charCodeAt(0));
    if (chunkNumber !== this.#chunks || this.received + bytes.length > this.entry.size) return this.stop('damaged');
    await this.write(bytes);
    this.#chunks += 1;
    this.received += bytes.length;
    this.#link.say('file_segment_ack', { transfer_id: this.#id, segment_number: this.#chunks });
    if (this.#chunks < totalChunks) return undefined;
    return this.received === this.entry.size ? this.#resolve() : this.stop('damaged');
  }
}

function textOf(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += SPREAD) text += String.fromCharCode(...bytes.subarray(at, at + SPREAD));
  return text;
}
