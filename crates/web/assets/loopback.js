// AppRTC's `debug=loopback`: the second seat of the room is taken by this page itself, which sends back whatever comes, through the server and,
// with `it=relay`, through the relay twice. The call is with a connection of its own instead of with itself, as DTLS wants two sides.

import { Collider } from './collider.js';
import { until } from './patience.js';

const CLIENT = 'loopback_client_id';

export class Loopback {
  #collider;
  #configuration;
  #pc = null;
  #candidates = [];
  #inbox = Promise.resolve();

  /** `params` of a `/join` answer; `configuration` for RTCPeerConnection. */
  constructor(params, configuration) {
    this.#configuration = configuration;
    this.#collider = new Collider({ url: params.wss_url, postUrl: '', roomId: params.room_id, clientId: CLIENT });
    this.#collider.addEventListener('message', ({ detail }) => {
      this.#inbox = this.#inbox.then(() => this.#obey(JSON.parse(detail))).catch((error) => console.warn('posthouse: the loopback is silent:', error.message));
    });
  }

  /** Resolves when the server can reach it. */
  get ready() {
    return until(this.#collider, ['open'], () => this.#collider.open);
  }

  close() {
    this.#pc?.close();
    this.#collider.closeWithPage();
  }

  async #obey(message) {
    if (message.type === 'offer') await this.#answer(message);
    else if (message.type === 'candidate') await this.#found(message);
  }

  async #answer(offer) {
    const pc = (this.#pc ??= this.#connection());
    await pc.setRemoteDescription(offer);
    for (const transceiver of pc.getTransceivers()) {
      transceiver.direction = 'sendrecv';
      await transceiver.sender.replaceTrack(transceiver.receiver.track);
    }
    await pc.setLocalDescription();
    this.#send({ type: 'answer', sdp: pc.localDescription.sdp });
    for (const candidate of this.#candidates.splice(0)) await pc.addIceCandidate(candidate).catch(() => {});
  }

  async #found({ candidate, label, id }) {
    const one = { candidate, sdpMLineIndex: label, sdpMid: id };
    if (this.#pc?.remoteDescription) await this.#pc.addIceCandidate(one).catch(() => {});
    else this.#candidates.push(one);
  }

  #connection() {
    const pc = new RTCPeerConnection({ ...this.#configuration, bundlePolicy: 'max-bundle' });
    pc.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.candidate) this.#send({ type: 'candidate', label: candidate.sdpMLineIndex, id: candidate.sdpMid, candidate: candidate.candidate });
    });
    pc.addEventListener('datachannel', ({ channel }) => channel.addEventListener('message', ({ data }) => channel.send(data)));
    return pc;
  }

  #send(object) {
    this.#collider.send(JSON.stringify(object));
  }
}
