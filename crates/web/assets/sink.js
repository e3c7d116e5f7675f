// Where received bytes go: to the disk as they come, where the browser can, so that the tab does not grow with them.
//
//   the user's own file      File System Access: Chromium; asked for at the click, for large files
//   a private file           OPFS, then saved like a download from there: Chromium, Firefox, Safari from 26 on
//   blobs of the browser     everything else, and what is small: out of the script's memory, but not always on the disk

const IN_MEMORY = 32 * 2 ** 20;
/** From here on a second copy on the disk is worth a question. */
const ASK = 256 * 2 ** 20;
const PREFIX = 'drop-';

const own = `${PREFIX}${Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
let folder = null;
let files = 0;

/** A sink for `size` bytes; null when the user changed their mind. Call it in the click: a dialog opens for nothing else. */
export async function openSink(name, size) {
  if (size > ASK && globalThis.showSaveFilePicker) {
    try {
      const handle = await showSaveFilePicker({ suggestedName: name });
      return new FileSink(await handle.createWritable(), null, name);
    } catch (error) {
      if (error.name === 'AbortError') return null;
    }
  }
  return (size > IN_MEMORY && (await privateSink(name))) || new BlobSink(name);
}

async function privateSink(name) {
  try {
    folder ??= await ownFolder();
    files += 1;
    const handle = await folder.getFileHandle(String(files), { create: true });
    return new FileSink(await handle.createWritable(), handle, name);
  } catch {
    // No private files in this browser, or not in this window.
    return null;
  }
}

/** This tab's folder, and none of tabs that are gone: a lock lives as long as its tab. */
async function ownFolder() {
  const root = await navigator.storage.getDirectory();
  await new Promise((resolve) => {
    navigator.locks.request(own, () => {
      resolve();
      return new Promise(() => {});
    });
  });
  const { held } = await navigator.locks.query();
  const living = new Set(held.map((lock) => lock.name));
  for await (const name of root.keys()) {
    if (name.startsWith(PREFIX) && !living.has(name)) await root.removeEntry(name, { recursive: true }).catch(() => {});
  }
  return root.getDirectoryHandle(own, { create: true });
}

/** A file on the disk. `handle`: of a private file, which is still to be saved. */
class FileSink {
  #position = 0;

  constructor(writable, handle, name) {
    Object.assign(this, { writable, handle, name });
  }

  async write(bytes) {
    const position = this.#position;
    this.#position += bytes.length;
    await this.writable.write({ type: 'write', position, data: bytes });
  }

  /** Other bytes at a place where a write began, as many as were written there. */
  replace(position, bytes) {
    return this.writable.write({ type: 'write', position, data: bytes });
  }

  /** What is still to be saved as a download, or null when it is where the user wanted it. */
  async close() {
    await this.writable.close();
    return this.handle ? this.handle.getFile() : null;
  }

  async abort() {
    await this.writable.abort().catch(() => {});
    if (this.handle) await folder.removeEntry(this.handle.name).catch(() => {});
  }
}

class BlobSink {
  #parts = new Map();
  #position = 0;

  constructor(name) {
    this.name = name;
  }

  async write(bytes) {
    this.#parts.set(this.#position, new Blob([bytes]));
    this.#position += bytes.length;
  }

  async replace(position, bytes) {
    this.#parts.set(position, new Blob([bytes]));
  }

  async close() {
    return new Blob([...this.#parts.values()]);
  }

  async abort() {
    this.#parts.clear();
  }
}
