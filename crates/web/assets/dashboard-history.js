// The last hour, as the server remembers it and as this page has seen since.

const HOUR = 3_600_000;
const EVERY = 2_000;

export class History {
  #samples = [];

  /** What the server had before this page was opened. */
  begin(samples) {
    this.#samples = [...samples, ...this.#samples.filter(([at]) => at > (samples.at(-1)?.[0] ?? 0))];
  }

  push(sample) {
    const last = this.#samples.at(-1)?.[0] ?? 0;
    if (sample[0] < last + EVERY / 2) return;
    this.#samples.push(sample);
    const begin = this.#samples.findIndex(([at]) => at >= sample[0] - HOUR - EVERY);
    if (begin > 0) this.#samples.splice(0, begin);
  }

  /** `{ from, to, toPeers, toClients, allocations, members }`, each a list of `[at, value]`; the first two in bytes a second. */
  last(seconds) {
    const to = this.#samples.at(-1)?.[0] ?? Date.now();
    const from = to - seconds * 1000;
    const begin = Math.max(0, this.#samples.findIndex(([at]) => at >= from) - 1);
    const shown = this.#samples.slice(begin);
    return { from, to, toPeers: grown(shown, 1), toClients: grown(shown, 2), allocations: stood(shown, 3), members: stood(shown, 5) };
  }
}

/** How fast a counter grew up to each sample; over at least four seconds, so that the curve is calm. */
function grown(samples, column) {
  const points = [];
  let before = samples[0];
  for (const sample of samples.slice(1)) {
    const seconds = (sample[0] - before[0]) / 1000;
    if (seconds < 4) continue;
    points.push([sample[0], Math.max(0, (sample[column] - before[column]) / seconds)]);
    before = sample;
  }
  return points;
}

function stood(samples, column) {
  return samples.map((sample) => [sample[0], sample[column]]);
}
