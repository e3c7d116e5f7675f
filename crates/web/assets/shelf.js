// What a receiver fetches, and where it goes: one file, or all of them in an archive.

import { Broken } from './download.js';
import { openSink } from './sink.js';
import { Speed } from './speed.js';
import { Zip, zipSize } from './zip.js';

export class Shelf {
  #receiver;

  constructor(receiver) {
    this.#receiver = receiver;
  }

  /** A job for one file; null when the user changed their mind. */
  async file(file, name) {
    const sink = await openSink(name, file.size);
    return sink && new Job(this.#receiver, sink, file.size, (job) => job.fetch(file, (bytes) => sink.write(bytes)));
  }

  /** A job for `files`, `{path, modified}` each, in one archive. */
  async archive(files, name) {
    const entries = files.map(({ path, size, modified }) => ({ name: path, size, modified }));
    const size = files.reduce((sum, file) => sum + file.size, 0);
    const sink = await openSink(name, zipSize(entries));
    if (!sink) return null;
    const zip = new Zip(sink);
    return new Job(this.#receiver, sink, size, async (job) => {
      for (const [at, file] of files.entries()) {
        await zip.begin(entries[at]);
        await job.fetch(file, (bytes) => zip.write(bytes));
        await zip.end();
      }
      await zip.close();
    });
  }
}

/** `done` resolves with what is still to be saved, or with null when it is where the user wanted it; throws a `Broken`. */
class Job {
  speed = new Speed();
  isRunning = false;
  #receiver;
  #before = 0;
  #download = null;
  #stopped = false;

  constructor(receiver, sink, size, work) {
    this.#receiver = receiver;
    this.name = sink.name;
    this.size = size;
    this.done = this.#run(sink, work);
  }

  /** Bytes that are here. */
  get received() {
    return this.#before + (this.#download?.received ?? 0);
  }

  /** One file of this job, when its turn comes. */
  async fetch(file, write) {
    if (this.#stopped) throw new Broken('stopped');
    await this.#receiver.fetch(file, write, (download) => {
      this.isRunning = true;
      this.#download = download;
      if (this.#stopped) download.stop();
    });
    this.#before += file.size;
    this.#download = null;
  }

  stop() {
    this.#stopped = true;
    this.#download?.stop();
  }

  async #run(sink, work) {
    try {
      await work(this);
      return await sink.close();
    } catch (error) {
      await sink.abort();
      throw error.name === 'QuotaExceededError' ? new Broken('full') : error;
    } finally {
      this.isRunning = false;
    }
  }
}
