// Two connections of this page that meet over one relay and nothing else: both legs are relayed by the same server.

import { isAnswer, watchGathering } from './gathering.js';
import { selectedPath } from './path.js';
import { until, within } from './patience.js';

const PATIENCE = 10_000;

/** Why the two did not meet. `kind`: wrongCredential, refused (with `code` and `reason`), noPassage or unreachable. */
export class RelayTrouble extends Error {
  constructor(kind, { code, reason } = {}) {
    super([kind, code, reason].filter(Boolean).join(' '));
    Object.assign(this, { kind, code, reason });
  }
}

export class RelayPair {
  errors = [];
  #candidates = 0;
  #legs;

  /** `server`: an `RTCIceServer`, best of one URL. */
  constructor(server) {
    this.#legs = [this.#leg(server), this.#leg(server)];
  }

  /** The two ends of a data channel, `[near, far]`; throws `RelayTrouble`. */
  async open(options) {
    const [near, far] = this.#legs;
    const ends = [near.createDataChannel('relay', { ...options, negotiated: true, id: 0 }), far.createDataChannel('relay', { ...options, negotiated: true, id: 0 })];
    await near.setLocalDescription();
    await far.setRemoteDescription(near.localDescription);
    await far.setLocalDescription();
    await near.setRemoteDescription(far.localDescription);
    const open = Promise.all(ends.map((end) => until(end, ['open'], () => end.readyState === 'open'))).then(() => true);
    const over = await within(PATIENCE, Promise.race([open, this.#failed()]), false);
    if (!over) throw this.#trouble();
    return ends;
  }

  /** How this side speaks to the relay, where the browser says so: "UDP", "TCP", "TLS" or ''. */
  async protocol() {
    return (await selectedPath(this.#legs[0]))?.protocol ?? '';
  }

  close() {
    for (const leg of this.#legs) leg.close();
  }

  #leg(server) {
    const pc = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: 'relay' });
    watchGathering(pc, ({ candidate }) => this.#passOn(pc, candidate), (error) => this.errors.push(error));
    return pc;
  }

  #passOn(from, candidate) {
    this.#candidates += 1;
    const to = this.#legs.find((leg) => leg !== from);
    to.addIceCandidate(candidate).catch(() => {});
  }

  /** Resolves with false as soon as nothing can come of it any more. */
  async #failed() {
    const over = (pc) => pc.connectionState === 'failed' || (pc.iceGatheringState === 'complete' && this.#candidates === 0);
    const types = ['connectionstatechange', 'icegatheringstatechange'];
    await Promise.race(this.#legs.map((pc) => until(pc, types, () => over(pc))));
    return false;
  }

  #trouble() {
    const answer = this.errors.find(isAnswer);
    if (this.#candidates > 0) return new RelayTrouble('noPassage');
    if (answer?.code === 401) return new RelayTrouble('wrongCredential', answer);
    return answer ? new RelayTrouble('refused', answer) : new RelayTrouble('unreachable', this.errors[0]);
  }
}
