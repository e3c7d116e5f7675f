// What a sender offers: files with the paths they had in their folders, and short texts.

import { BLOCK } from './blocks.js';
import { sha256 } from './sha256.js';

/** Texts up to here travel with the list, to be read at once. */
const INLINE = 8000;

/** Event: `change`. */
export class OfferList extends EventTarget {
  items = [];
  #ids = 0;
  #paths = new Set();

  /** `files`: `{file, path}`. */
  add(files) {
    for (const { file, path } of files) this.items.push(new Item((this.#ids += 1), file, this.#free(path)));
    this.dispatchEvent(new Event('change'));
  }

  addText(text, name) {
    const file = new File([text], name, { type: 'text/plain' });
    this.items.push(new Item((this.#ids += 1), file, this.#free(name), text.length <= INLINE ? text : null));
    this.dispatchEvent(new Event('change'));
  }

  remove(id) {
    this.#paths.delete(this.find(id)?.path);
    this.items = this.items.filter((item) => item.id !== id);
    this.dispatchEvent(new Event('change'));
  }

  find(id) {
    return this.items.find((item) => item.id === id);
  }

  /** The old page asks by name, and takes the first one. */
  named(name) {
    return this.items.find((item) => item.path === name);
  }

  get size() {
    return this.items.reduce((sum, { file }) => sum + file.size, 0);
  }

  /** `path`, or one like it that no item has. */
  #free(path) {
    const [, stem, ending] = /^(.*?)(\.[^./]*)?$/s.exec(path);
    let free = path;
    for (let n = 2; this.#paths.has(free); n += 1) free = `${stem} (${n})${ending ?? ''}`;
    this.#paths.add(free);
    return free;
  }
}

class Item {
  #hashes = [];

  constructor(id, file, path, text = null) {
    Object.assign(this, { id, file, path, text });
  }

  /** As the list says it to receivers. */
  get entry() {
    const { id, path, file, text } = this;
    return { id, name: path, size: file.size, modified: file.lastModified, ...(text === null ? {} : { text }) };
  }

  /** Throws when the file changed or is gone since it was chosen. */
  async bytes(start, end) {
    return new Uint8Array(await this.file.slice(start, end).arrayBuffer());
  }

  block(number) {
    return this.bytes(number * BLOCK, (number + 1) * BLOCK);
  }

  /** A block's hash, computed once for all receivers. `bytes`: the block, where it is at hand. */
  async hash(number, bytes) {
    this.#hashes[number] ??= await sha256(bytes ?? (await this.block(number)));
    return this.#hashes[number];
  }
}
