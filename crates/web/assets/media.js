// The user's camera, microphone and screen. What is missing or refused becomes a word (`problem`), never an exception.
//
// Events: `change` (tracks or switches changed), `lost` (detail: {kind, label}; a device was unplugged or taken away).

import { constraintsFor } from './constraints.js';
import { hindrance, isGranted, problemOf } from './device-problem.js';
import { chosenDevice, devicesOf, noteDevice } from './devices.js';
import { captureScreen } from './screen.js';

export class Media extends EventTarget {
  /** The tracks of the devices. */
  stream = new MediaStream();
  /** The track of the screen while it is shared, or null. */
  screen = null;
  /** A key of `words.problem`, or null. */
  problem = null;
  #wanted;
  #on = { audio: true, video: true };
  /** One thing after the other: a device is not asked for twice at once. */
  #queue = Promise.resolve();

  /** `wanted`: the parameters of the page's address. */
  constructor(wanted) {
    super();
    this.#wanted = wanted;
  }

  /** Whether this kind is to be sent at all, now or when a device appears. */
  sends(kind) {
    return this.#wanted[kind];
  }

  /** The device's track, or null. */
  track(kind) {
    return this.stream.getTracks().find((track) => track.kind === kind) ?? null;
  }

  /** What the others get: the screen goes before the camera. */
  sent(kind) {
    return (kind === 'video' && this.screen) || this.track(kind);
  }

  /** The user's switch, and a device behind it. */
  isOn(kind) {
    return this.#on[kind] && this.track(kind) !== null;
  }

  /** What the others should know: `{audio, video, screen}`. */
  get switches() {
    const screen = this.screen !== null;
    return { audio: this.isOn('audio'), video: screen || this.isOn('video'), screen };
  }

  /** Asks for the devices that are not there yet. */
  open() {
    return this.#next(() => this.#open());
  }

  toggle(kind) {
    if (!this.track(kind)) return;
    this.#on[kind] = !this.#on[kind];
    this.track(kind).enabled = this.#on[kind];
    this.#changed();
  }

  /** Another camera or microphone; if it cannot be had, `problem` says why and the one before comes back. */
  choose(kind, deviceId) {
    noteDevice(kind, deviceId);
    return this.#next(() => this.#exchange(kind, constraintsFor(kind, this.#wanted, deviceId)));
  }

  /** The camera on the other side of a telephone. */
  async flip() {
    const { facingMode, deviceId } = this.track('video')?.getSettings() ?? {};
    const others = (await devicesOf('video')).filter(({ id }) => id !== deviceId);
    if (!facingMode && others.length > 0) return this.choose('video', others[0].id);
    const facing = { facingMode: { exact: facingMode === 'environment' ? 'user' : 'environment' } };
    return this.#next(() => this.#exchange('video', { ...constraintsFor('video', { ...this.#wanted, hd: null }), ...facing }));
  }

  /** Asks for a screen, a window or a tab. False when the user chose none. */
  async shareScreen() {
    const track = await captureScreen();
    if (!track) return false;
    this.stopScreen();
    this.screen = track;
    // The browser's own button ends it too.
    track.addEventListener('ended', () => this.screen === track && this.stopScreen());
    this.#changed();
    return true;
  }

  stopScreen() {
    if (!this.screen) return;
    this.screen.stop();
    this.screen = null;
    this.#changed();
  }

  /** Switches the devices off (and their lights). */
  close() {
    this.screen?.stop();
    this.screen = null;
    for (const track of this.stream.getTracks()) this.#remove(track);
    this.#changed();
  }

  #next(act) {
    this.#queue = this.#queue.then(act);
    return this.#queue;
  }

  async #open() {
    this.problem = null;
    const kinds = ['audio', 'video'].filter((kind) => this.#wanted[kind] && !this.track(kind));
    if (kinds.length > 0) await this.#ask(kinds);
    this.#changed();
  }

  async #ask(kinds) {
    this.problem = hindrance();
    if (this.problem) return;
    try {
      await this.#take(kinds);
    } catch (error) {
      this.problem = problemOf(error, kinds);
      if (kinds.length > 1) await this.#askOneByOne(kinds, error);
    }
  }

  /** One missing or blocked device must not cost the other one. */
  async #askOneByOne(kinds, first) {
    const problems = [];
    for (const kind of kinds) {
      if (first.name === 'NotAllowedError' && !(await isGranted(kind))) {
        problems.push(problemOf(first, [kind]));
        continue;
      }
      await this.#take([kind]).catch((error) => problems.push(problemOf(error, [kind])));
    }
    if (problems.length === 1) [this.problem] = problems;
  }

  /** The devices chosen last; one that is not there any more is no reason to have none. */
  async #take(kinds) {
    const wish = (chosen) => Object.fromEntries(kinds.map((kind) => [kind, constraintsFor(kind, this.#wanted, chosen(kind))]));
    try {
      await this.#adopt(wish(chosenDevice));
    } catch (error) {
      if (!kinds.some(chosenDevice) || error.name === 'NotAllowedError') throw error;
      await this.#adopt(wish(() => null));
    }
  }

  async #adopt(constraints) {
    const found = await navigator.mediaDevices.getUserMedia(constraints);
    for (const track of found.getTracks()) {
      track.enabled = this.#on[track.kind];
      track.addEventListener('ended', () => this.#ended(track));
      this.stream.addTrack(track);
    }
  }

  /** The old device is let go first: telephones give out one camera at a time. */
  async #exchange(kind, constraints) {
    const old = this.track(kind);
    const before = old?.getSettings().deviceId;
    if (old) this.#remove(old);
    this.problem = null;
    try {
      await this.#adopt({ [kind]: constraints });
    } catch (error) {
      this.problem = problemOf(error, [kind]);
      if (before) await this.#adopt({ [kind]: constraintsFor(kind, this.#wanted, before) }).catch(() => {});
    }
    this.#changed();
  }

  /** Unplugged, or its permission withdrawn: another one of its kind takes its place, if there is one. */
  #ended(track) {
    if (!this.stream.getTracks().includes(track)) return;
    this.#remove(track);
    this.#changed();
    this.dispatchEvent(new CustomEvent('lost', { detail: { kind: track.kind, label: track.label } }));
    this.open();
  }

  #remove(track) {
    track.stop();
    this.stream.removeTrack(track);
  }

  #changed() {
    this.dispatchEvent(new CustomEvent('change'));
  }
}
