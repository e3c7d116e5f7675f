// How loud the microphone is, as a bar that moves; for those who asked for little motion, as two words.

import { words } from './strings.js';

const EVERY = 100;
/** What a calm voice reaches, as root mean square. */
const VOICE = 0.12;
const HEARD = 0.04;

export class Level {
  #meter;
  #text;
  #context = null;
  #track = null;
  #timer = 0;

  /** `meter`: a `<meter>` from 0 to 1; `text`: an element for the words. */
  constructor(meter, text) {
    this.#meter = meter;
    this.#text = text;
  }

  /** Listens to `track`, or to nothing for null. */
  watch(track) {
    if (track === this.#track) return;
    this.stop();
    this.#track = track;
    if (!track) return;
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => this.#show(volume(analyser, samples)), EVERY);
  }

  stop() {
    clearInterval(this.#timer);
    this.#context?.close();
    this.#context = null;
    this.#track = null;
    this.#show(0);
  }

  #show(value) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#meter.hidden = calm;
    this.#meter.value = Math.min(1, value / VOICE);
    // A browser may hold the sound back until the page is clicked.
    if (this.#context?.state === 'suspended') this.#context.resume().catch(() => {});
    const text = value > HEARD ? words.device.heard : words.device.silent;
    if (calm && this.#text.textContent !== text) this.#text.textContent = text;
  }
}

function volume(analyser, samples) {
  analyser.getFloatTimeDomainData(samples);
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}
