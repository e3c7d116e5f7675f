// How fast something grows, over the last seconds.

const WINDOW = 5000;

export class Speed {
  #samples = [];

  /** `bytes`: all so far. */
  sample(bytes, now = performance.now()) {
    this.#samples.push({ bytes, now });
    while (this.#samples.length > 2 && this.#samples[1].now < now - WINDOW) this.#samples.shift();
  }

  /** Bytes a second; 0 while there is nothing to compare. */
  get rate() {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    return first && last.now > first.now ? Math.max(0, (last.bytes - first.bytes) / (last.now - first.now)) * 1000 : 0;
  }

  /** Seconds until so many more bytes are there, or null. */
  remaining(bytes) {
    return this.rate > 0 ? bytes / this.rate : null;
  }
}
