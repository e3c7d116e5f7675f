// Somebody who followed a link: a connection to the sender, made again when it is lost, and what is fetched over it, one file
// after the other.

import { Broker } from './broker.js';
import { ChunkDownload } from './chunks.js';
import { Broken, Download } from './download.js';
import { DropLink } from './drop-link.js';
import { safetyCode } from './safety.js';
import { pause } from './patience.js';

/** A sender who was here may be changing networks: their id can be missing for a while. */
const RETURN = 180_000;
/** When nothing is under way, sooner. */
const RETURN_IDLE = 15_000;
const AGAIN = 2000;
const SIGNALS = 20_000;
/** Attempts to connect, when none ever succeeded. */
const ATTEMPTS = 3;
const FILES_MAX = 100_000;

/**
 * `state`: "connecting", "connected", "reconnecting", or for good: "wrong" (the link is none of this server), "dead" (nobody is at
 * the link), "unreachable" (they are, but no connection comes about), "gone" (the sender was here and left), "stranger" (somebody else
 * answers in the sender's place). Events: `change`, `files`.
 */
export class Receiver extends EventTarget {
  state = 'connecting';
  files = [];
  safety = '';
  path = null;
  ours = false;
  /** The file under way: a `Download`, or one of the old protocol. */
  current = null;
  #sender;
  #policy;
  #broker;
  #link = null;
  #session = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  #fingerprint = null;
  #lastHere = 0;
  #attempts = 0;
  #timer = 0;
  #queue = Promise.resolve();

  constructor(sender, { iceTransportPolicy }) {
    super();
    this.#sender = sender;
    this.#policy = iceTransportPolicy;
    if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(sender)) {
      this.state = 'wrong';
      return;
    }
    this.#broker = new Broker({ keepsId: false });
    this.#broker.addEventListener('change', () => this.#broker.registered && !this.#link?.isOpen && this.#connect());
    this.#broker.addEventListener('offer', ({ detail }) => detail.peer_id === sender && this.#answer(detail.offer ?? {}));
    this.#broker.addEventListener('error_connect', () => this.#nobody());
  }

  get isOver() {
    return ['wrong', 'dead', 'unreachable', 'gone', 'stranger'].includes(this.state);
  }

  /**
   * Fetches a file after those asked for before. `write(bytes)` keeps what is verified; `begun(download)` is told when its turn comes.
   * Throws a `Broken`.
   */
  fetch(file, write, begun) {
    const run = async () => {
      if (this.isOver) throw new Broken('lost');
      this.current = this.ours ? new Download(file, write) : new ChunkDownload(file, write);
      begun(this.current);
      if (this.#link?.isOpen) this.current.start(this.#link);
      try {
        await this.current.whole;
      } finally {
        this.current = null;
      }
    };
    const done = this.#queue.then(run);
    this.#queue = done.catch(() => {});
    return done;
  }

  async measure() {
    if (this.#link?.isOpen) this.path = await this.#link.path();
  }

  /** Looks for the sender once more, after an end. */
  retry() {
    if (!this.isOver || !this.#broker) return;
    this.#attempts = 0;
    this.#turn('connecting');
    this.#connect();
  }

  #connect() {
    if (this.isOver) return undefined;
    clearTimeout(this.#timer);
    this.#drop();
    this.#attempts += 1;
    if (!this.#lastHere && this.#attempts > ATTEMPTS) return this.#end('unreachable');
    // An offer may be lost on the way, as when the sender loses its connection at that moment.
    this.#timer = setTimeout(() => this.#connect(), SIGNALS);
    return this.#broker.connect(this.#sender);
  }

  /** The broker knows nobody at the link. */
  async #nobody() {
    clearTimeout(this.#timer);
    if (!this.#lastHere) return this.#end('dead');
    if (performance.now() - this.#lastHere > (this.current ? RETURN : RETURN_IDLE)) return this.#end('gone');
    await pause(AGAIN);
    return this.#broker.registered && !this.#link?.isOpen && this.#connect();
  }

  async #answer(offer) {
    if (offer.candidate && this.#link) return void this.#link.accept(offer).catch(() => {});
    if (this.isOver || this.#link?.isOpen) return;
    this.#drop();
    clearTimeout(this.#timer);
    const link = new DropLink(this.#policy);
    this.#link = link;
    link.addEventListener('open', () => this.#open(link));
    link.addEventListener('message', ({ detail }) => this.#hear(detail));
    link.addEventListener('lost', () => this.#lose(link));
    try {
      this.#broker.signal('answer', this.#sender, await link.answer(offer));
    } catch {
      link.close();
    }
  }

  async #open(link) {
    const [, theirs] = link.fingerprints;
    // A page of ours has one certificate as long as it lives; the old one has many.
    if (this.ours && this.#fingerprint !== null && this.#fingerprint !== theirs) return this.#end('stranger');
    this.#fingerprint = theirs;
    this.#lastHere = performance.now();
    this.ours = link.ours;
    this.safety = await safetyCode(link.fingerprints);
    if (this.ours) link.say('hello', { session: this.#session });
    this.#turn('connected');
    this.current?.start(link);
    await this.measure();
    this.#turn(this.state);
  }

  #hear(message) {
    if (message.type === 'files') this.#list(this.ours ? message.data : { start: 0, files: message.data });
    else this.current?.hear(message);
  }

  /** What the sender says there is, page after page; nothing of it is believed to be a safe name. */
  #list({ start, files }) {
    if (!Array.isArray(files) || !Number.isInteger(start) || start > this.files.length || start + files.length > FILES_MAX) return;
    const isFile = ({ name, size }) => typeof name === 'string' && Number.isSafeInteger(size) && size >= 0;
    this.files = [...this.files.slice(0, start), ...files.filter((file) => file && isFile(file)).map((file) => ({ id: file.id ?? file.name, ...file }))];
    this.dispatchEvent(new Event('files'));
  }

  #lose(link) {
    if (link !== this.#link || this.isOver) return;
    this.#link = null;
    this.path = null;
    if (this.#lastHere) {
      this.#lastHere = performance.now();
      this.#turn('reconnecting');
    }
    // An old sender's file cannot go on.
    if (this.current && !this.ours) this.current.stop('lost');
    if (this.#broker.registered) this.#connect();
    this.#broker.probe();
  }

  #drop() {
    const link = this.#link;
    this.#link = null;
    link?.close();
  }

  #end(state) {
    clearTimeout(this.#timer);
    this.#turn(state);
    this.#drop();
    this.current?.stop('lost');
  }

  #turn(state) {
    this.state = state;
    this.dispatchEvent(new Event('change'));
  }
}
