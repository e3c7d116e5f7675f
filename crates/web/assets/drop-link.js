// One connection between a sender and a receiver: an offer and an answer with all candidates inside, then one data channel.
//
// The signals are those of `simple-peer` with trickle off, as the old page exchanges them. Ours carry a mark beside `sdp`, which the
// old page does not look at: whoever finds it in the other's signal speaks our protocol, everybody else the old one. It is a number
// that the answer repeats, so that an answer to an offer of before is not taken for one to this.

import { iceConfig } from './ice-config.js';
import { selectedPath } from './path.js';
import { within } from './patience.js';

const MARK = 'posthouse';
const GATHERING = 5000;
const OPENING = 30_000;
/** ICE mends short breaks by itself. */
const BREAK = 5000;
const ICE_AGE = 300_000;

/** The channel's send buffer in bytes: more than one round trip needs, less than memory notices. */
const HIGH = 2 ** 20;
const LOW = 2 ** 18;

let certificate = null;
let ice = { at: -Infinity, servers: [] };

/** One certificate a page: whoever comes back is known by it. */
function ownCertificate() {
  certificate ??= RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' });
  return certificate;
}

/** Without an answer there is still the local network. */
async function servers() {
  if (performance.now() - ice.at > ICE_AGE) {
    const config = await iceConfig().catch(() => null);
    if (config) ice = { at: performance.now(), servers: config.servers };
  }
  return ice.servers;
}

/** Events: `open`, `message` (a parsed text or an ArrayBuffer as `detail`), and `lost`, once and for good. */
export class DropLink extends EventTarget {
  pc = null;
  /** Does the other side speak our protocol? */
  ours = false;
  #channel = null;
  #mark = null;
  #lost = false;
  #timer = 0;

  /** `policy`: "all" or "relay". */
  constructor(policy) {
    super();
    this.policy = policy;
    this.#timer = setTimeout(() => this.close(), OPENING);
  }

  /** The sender's signal. */
  async offer() {
    await this.#make();
    this.#mark = crypto.getRandomValues(new Uint32Array(1))[0];
    this.#take(this.pc.createDataChannel(MARK));
    return this.#describe(await this.pc.createOffer());
  }

  /** The receiver's signal, for the sender's. */
  async answer(offer) {
    await this.#make();
    this.pc.ondatachannel = ({ channel }) => this.#take(channel);
    await this.accept(offer);
    return this.#describe(await this.pc.createAnswer());
  }

  /** What the other side signals: its description, or a candidate that it found later. */
  async accept(signal) {
    if (signal.candidate) return this.pc.addIceCandidate(signal.candidate);
    if (typeof signal.sdp !== 'string') return undefined;
    const mark = signal[MARK];
    if (this.#mark !== null && mark !== undefined && mark !== this.#mark) return undefined;
    this.ours = Number.isInteger(mark);
    this.#mark ??= mark;
    return this.pc.setRemoteDescription({ type: signal.type, sdp: signal.sdp });
  }

  get isOpen() {
    return !this.#lost && this.#channel?.readyState === 'open';
  }

  /** A text `{type, data}`, as both protocols have them. */
  say(type, data) {
    this.send(JSON.stringify({ type, data }));
  }

  send(message) {
    if (this.isOpen) this.#channel.send(message);
  }

  /** Resolves when there is room in the send buffer; false when the connection is lost. */
  async room() {
    while (this.isOpen && this.#channel.bufferedAmount > HIGH) {
      await new Promise((resolve) => {
        this.#channel.addEventListener('bufferedamountlow', resolve, { once: true });
        this.addEventListener('lost', resolve, { once: true });
      });
    }
    return this.isOpen;
  }

  /** The two fingerprints of this connection's certificates, this side's first. */
  get fingerprints() {
    return [this.pc.localDescription, this.pc.remoteDescription].map(({ sdp }) => /^a=fingerprint:(.*)$/m.exec(sdp)?.[1].trim().toLowerCase() ?? '');
  }

  path() {
    return selectedPath(this.pc).catch(() => null);
  }

  close() {
    if (this.#lost) return;
    this.#lost = true;
    clearTimeout(this.#timer);
    this.pc?.close();
    this.dispatchEvent(new Event('lost'));
  }

  async #make() {
    const certificates = [await ownCertificate()];
    const iceServers = await servers();
    if (this.#lost) throw new Error('closed');
    this.pc = new RTCPeerConnection({ iceServers, certificates, iceTransportPolicy: this.policy });
    this.pc.onconnectionstatechange = () => this.#look();
  }

  async #describe(description) {
    await this.pc.setLocalDescription(description);
    const gathered = new Promise((resolve) => {
      this.pc.addEventListener('icegatheringstatechange', () => this.pc.iceGatheringState === 'complete' && resolve());
      if (this.pc.iceGatheringState === 'complete') resolve();
    });
    await within(GATHERING, gathered);
    const { type, sdp } = this.pc.localDescription;
    return { type, sdp, [MARK]: this.#mark };
  }

  #look() {
    const state = this.pc.connectionState;
    if (this.isOpen) clearTimeout(this.#timer);
    if (state === 'failed' || state === 'closed') this.close();
    else if (state === 'disconnected') this.#timer = setTimeout(() => this.close(), BREAK);
  }

  #take(channel) {
    this.#channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = LOW;
    channel.onopen = () => {
      clearTimeout(this.#timer);
      this.dispatchEvent(new Event('open'));
    };
    channel.onclose = () => this.close();
    channel.onmessage = ({ data }) => {
      const message = parsed(data, this.ours);
      if (message !== null) this.dispatchEvent(new CustomEvent('message', { detail: message }));
    };
  }
}

/** The old page's texts may come as bytes; bytes of ours are frames. What cannot be read is nothing. */
function parsed(data, ours) {
  if (typeof data !== 'string' && ours) return data;
  try {
    const message = JSON.parse(typeof data === 'string' ? data : new TextDecoder().decode(data));
    return typeof message?.type === 'string' ? { type: message.type, data: message.data ?? {} } : null;
  } catch {
    return null;
  }
}
