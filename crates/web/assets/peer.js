// One connection to one other member: descriptions, candidates, media, and one data channel.
// Message shapes are AppRTC's: {sdp, type}, {type: "candidate", label, id, candidate}.
//
// Events: `state` (connection or ICE state changed), `track` (detail: the track), `channel` (detail: the open channel),
// `said` (detail: an object that the other page sent over the channel), `parcel` (detail: a channel on which the other page offers a file).

import { PARCEL } from './parcel.js';

const CHANNEL = 'posthouse';

export class Peer extends EventTarget {
  #pc;
  #send;
  #media;
  #candidates = [];
  #channel = null;
  /** The other side is this page too: it said so over the channel. */
  isPosthouse = false;

  /** `configuration` as for RTCPeerConnection, which is `Connection`; `send(object)` brings a message to the other side. */
  constructor({ Connection, configuration, media, send }) {
    super();
    this.#send = send;
    this.#media = media;
    this.#pc = new Connection({ ...configuration, bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
    this.#listen();
  }

  get pc() {
    return this.#pc;
  }

  get channel() {
    return this.#channel;
  }

  get connected() {
    return this.#pc.connectionState === 'connected';
  }

  /** The first offer. Both kinds are offered in both directions, so that a device found later needs no new offer. */
  async offer() {
    this.#adopt(this.#pc.createDataChannel(CHANNEL));
    for (const kind of ['audio', 'video']) {
      const direction = this.#media.sends(kind) ? 'sendrecv' : 'recvonly';
      const transceiver = this.#pc.addTransceiver(kind, { direction, streams: [this.#media.stream] });
      await transceiver.sender.replaceTrack(this.#media.sent(kind));
    }
    await this.#describe(await this.#pc.createOffer());
  }

  /** A new offer on the same connection after the network changed. */
  async restart(configuration) {
    if (this.#pc.signalingState === 'closed') return;
    this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), ...configuration });
    await this.#describe(await this.#pc.createOffer({ iceRestart: true }));
  }

  /** Answers an offer, the first or a later one. */
  async answer(offer) {
    await this.#pc.setRemoteDescription(offer);
    for (const transceiver of this.#pc.getTransceivers()) await this.#fillIn(transceiver);
    await this.#describe(await this.#pc.createAnswer());
    await this.#addCandidates();
  }

  async accept(answer) {
    if (this.#pc.signalingState !== 'have-local-offer') return;
    await this.#pc.setRemoteDescription(answer);
    await this.#addCandidates();
  }

  async addCandidate({ candidate, label, id }) {
    this.#candidates.push({ candidate, sdpMLineIndex: label, sdpMid: id });
    if (this.#pc.remoteDescription) await this.#addCandidates();
  }

  /** True unless `description` comes from another party than the one this connection knows: DTLS would refuse it. */
  knows(description) {
    const known = this.#pc.currentRemoteDescription;
    return !known || fingerprint(known.sdp) === fingerprint(description.sdp);
  }

  /** Sends what the user's devices give now, after one was found, lost or changed. */
  async refreshTracks() {
    for (const { sender, receiver, stopped } of this.#pc.getTransceivers()) {
      if (!stopped) await sender.replaceTrack(this.#media.sent(receiver.track.kind));
    }
  }

  /** Tells the other page something, if there is a channel. */
  say(object) {
    if (this.#channel?.readyState === 'open') this.#channel.send(JSON.stringify(object));
  }

  close() {
    this.#pc.close();
  }

  #listen() {
    const pc = this.#pc;
    pc.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.candidate) {
        const { sdpMLineIndex: label, sdpMid: id, candidate: text } = candidate;
        this.#send({ type: 'candidate', label, id, candidate: text });
      }
    });
    for (const change of ['connectionstatechange', 'iceconnectionstatechange']) {
      pc.addEventListener(change, () => {
        this.#watchPath();
        this.#tell('state');
      });
    }
    pc.addEventListener('track', ({ track }) => this.#tell('track', track));
    pc.addEventListener('datachannel', ({ channel }) => {
      if (channel.label === CHANNEL) this.#adopt(channel);
      else if (channel.label === PARCEL) this.#tell('parcel', channel);
    });
  }

  /** A call may begin over the relay and find the direct way a moment later. Everything shares one transport. */
  #watchPath() {
    const transport = this.#pc.getReceivers()[0]?.transport?.iceTransport;
    if (transport) transport.onselectedcandidatepairchange = () => this.#tell('state');
  }

  async #describe(description) {
    await this.#pc.setLocalDescription(description);
    const { type, sdp } = this.#pc.localDescription;
    this.#send({ sdp, type });
  }

  async #fillIn(transceiver) {
    const { sender, receiver } = transceiver;
    const { kind } = receiver.track;
    if (transceiver.stopped || !this.#media.sends(kind)) return;
    transceiver.direction = 'sendrecv';
    sender.setStreams?.(this.#media.stream);
    await sender.replaceTrack(this.#media.sent(kind));
  }

  /** A candidate of an earlier offer, or of a kind this browser does not know, is no reason to stop. */
  async #addCandidates() {
    for (const candidate of this.#candidates.splice(0)) {
      await this.#pc.addIceCandidate(candidate).catch(() => {});
    }
  }

  #adopt(channel) {
    channel.binaryType = 'arraybuffer';
    this.#channel = channel;
    channel.addEventListener('open', () => this.#tell('channel', channel));
    channel.addEventListener('message', ({ data }) => this.#hear(data));
  }

  #hear(data) {
    if (typeof data !== 'string') return;
    try {
      const said = JSON.parse(data);
      if (said?.posthouse !== undefined) this.isPosthouse = true;
      this.#tell('said', said);
    } catch {
      // Another client's text: not for this page.
    }
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function fingerprint(sdp) {
  return /^a=fingerprint:(.*)$/m.exec(sdp)?.[1].trim().toLowerCase();
}
