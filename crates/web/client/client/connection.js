// One RTCPeerConnection to one member: perfect negotiation (W3C WebRTC §10.7), channels that both sides open under the same
// number, restarts. Of two sides the impolite one begins; both may offer later, and of two offers at once the polite side's gives way.

import { Events } from './events.js';
import { Outbox } from './outbox.js';

// ICE heals short losses by itself; after this it gets new candidates, again and again until it stands.
const RESTART_AFTER = 2500;
const RESTART_EVERY = 8000;

export class Connection extends Events {
  /** Names this connection to the other side. */
  id = randomId();
  /** The other side's name for its own, as soon as it is known. */
  theirs = null;
  /** Label to RTCDataChannel. */
  channels = new Map();
  pc;
  #polite;
  #tracks;
  #wanted;
  #outbox;
  #inbox = Promise.resolve();
  #equipped = false;
  #offering = false;
  #ignoring = false;
  #timer = 0;

  constructor({ member, polite, Pc, configuration, channels, tracks, send }) {
    super();
    this.member = member;
    this.#polite = polite;
    this.#wanted = channels;
    this.#tracks = tracks;
    this.#outbox = new Outbox((signals) => send({ from: this.id, to: this.theirs ?? undefined, signals }));
    this.pc = new Pc(configuration);
    this.#listen();
  }

  /** connecting, connected, disconnected (it may come back), failed or closed, as RTCPeerConnection says it. */
  get state() {
    return this.pc.connectionState;
  }

  /** Says that there is somebody here who wants a connection. */
  greet() {
    this.#outbox.put({ hello: true });
  }

  /** What the other side sent; `ours` is null where it does not know this connection yet. */
  hear(theirs, ours, signals) {
    this.theirs = theirs;
    for (const signal of signals) {
      this.#inbox = this.#inbox.then(() => this.#obey(signal, ours)).catch((error) => this.#wrong(error));
    }
  }

  addTrack(track, streams) {
    if (this.#equipped) this.pc.addTrack(track, ...streams);
  }

  removeTrack(track) {
    const sender = this.#sender(track);
    if (sender) this.pc.removeTrack(sender);
  }

  async replaceTrack(old, track) {
    await this.#sender(old)?.replaceTrack(track);
  }

  configure(configuration) {
    if (this.state !== 'closed') this.pc.setConfiguration({ ...this.pc.getConfiguration(), ...configuration });
  }

  restart(all) {
    if (!this.pc.remoteDescription || (this.state === 'connected' && !all)) return;
    this.pc.restartIce();
  }

  close() {
    clearTimeout(this.#timer);
    this.#outbox.close();
    this.pc.close();
  }

  #listen() {
    const { pc } = this;
    pc.onnegotiationneeded = () => this.#offer().catch((error) => this.#wrong(error));
    pc.onicecandidate = ({ candidate }) => this.#outbox.put({ candidate: candidate?.toJSON() ?? null });
    pc.ontrack = ({ track, streams, transceiver }) => this.tell('track', { track, streams, transceiver });
    pc.onconnectionstatechange = () => this.#stateChanged();
    // A connection that fails before DTLS began may say so here alone.
    pc.oniceconnectionstatechange = () => this.#stateChanged();
  }

  async #obey(signal, ours) {
    if (this.pc.signalingState === 'closed') return;
    if (signal.hello) this.#greeted(ours);
    else if (signal.description) await this.#described(signal.description);
    else if ('candidate' in signal) await this.#found(signal.candidate);
  }

  /** The impolite side begins; the polite one makes sure that the other side knows of it. */
  #greeted(ours) {
    if (!this.#polite) this.#equip();
    else if (!ours) this.greet();
  }

  /** Channels and tracks, once. It makes the browser ask for an offer, unless one is being answered. */
  #equip() {
    if (this.#equipped) return;
    this.#equipped = true;
    for (const [number, label] of Object.keys(this.#wanted).sort().entries()) this.#open(label, number);
    for (const [track, streams] of this.#tracks()) this.pc.addTrack(track, ...streams);
  }

  #open(label, number) {
    const channel = this.pc.createDataChannel(label, { ...this.#wanted[label], negotiated: true, id: number });
    channel.binaryType = 'arraybuffer';
    channel.onopen = () => this.tell('channel', { label, channel });
    channel.onmessage = ({ data }) => this.tell('message', { label, data });
    this.channels.set(label, channel);
  }

  async #offer() {
    try {
      this.#offering = true;
      await this.pc.setLocalDescription();
      this.#outbox.put({ description: plain(this.pc.localDescription) });
    } finally {
      this.#offering = false;
    }
  }

  async #described(description) {
    const { pc } = this;
    const collision = description.type === 'offer' && (this.#offering || pc.signalingState !== 'stable');
    this.#ignoring = !this.#polite && collision;
    if (this.#ignoring) return;
    await pc.setRemoteDescription(description);
    if (description.type !== 'offer') return;
    this.#equip();
    await pc.setLocalDescription();
    this.#outbox.put({ description: plain(pc.localDescription) });
  }

  /** A candidate of an offer that was passed over means nothing. */
  async #found(candidate) {
    try {
      await this.pc.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      if (!this.#ignoring) throw error;
    }
  }

  #stateChanged() {
    clearTimeout(this.#timer);
    const states = [this.pc.connectionState, this.pc.iceConnectionState];
    if (states.includes('failed')) this.#restartAfter(0);
    else if (states.includes('disconnected')) this.#restartAfter(RESTART_AFTER);
    this.tell('state', { state: this.state });
  }

  #restartAfter(wait) {
    this.#timer = setTimeout(() => {
      if (['connected', 'closed'].includes(this.state)) return;
      this.restart(false);
      this.#restartAfter(RESTART_EVERY);
    }, wait);
  }

  #sender(track) {
    return this.pc.getSenders().find((sender) => sender.track === track);
  }

  #wrong(error) {
    if (this.pc.signalingState !== 'closed') this.tell('error', { error });
  }
}

const plain = ({ type, sdp }) => ({ type, sdp });

function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
