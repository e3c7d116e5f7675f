// One call between two connections of this page, step by step, so that each step can be looked at.
//
// Events: `step` (detail: {name, values, sdp}; `name` is a key of `words.learn.step`), `state`,
// `candidate` (detail: {side, candidate}), `track` (detail: the callee's track).

import { selectedPath } from './path.js';

export class Lesson extends EventTarget {
  caller = null;
  callee = null;

  /** Calls with `stream` over `servers`. Ends in `connected` or `failed`, or earlier by `hangUp`. */
  async call(stream, servers, policy) {
    const configuration = { iceServers: servers, iceTransportPolicy: policy };
    this.caller = this.#connection('caller', configuration);
    this.callee = this.#connection('callee', configuration);
    this.#introduce(this.caller, this.callee);
    this.#introduce(this.callee, this.caller);
    this.callee.addEventListener('track', ({ track }) => this.#received(track));
    this.#step('made', { policy, count: servers.length });
    for (const track of stream.getTracks()) this.caller.addTrack(track, stream);
    this.#step('added', { kinds: stream.getTracks().map(({ kind }) => kind).join(', ') });
    await this.#negotiate(this.caller, this.callee);
  }

  hangUp() {
    this.caller?.close();
    this.callee?.close();
    this.#step('hungUp');
    this.#tell('state');
    this.caller = null;
    this.callee = null;
  }

  #connection(side, configuration) {
    const pc = new RTCPeerConnection(configuration);
    for (const change of ['signalingstatechange', 'icegatheringstatechange', 'iceconnectionstatechange']) {
      pc.addEventListener(change, () => this.#tell('state'));
    }
    pc.addEventListener('connectionstatechange', () => {
      this.#tell('state');
      if (side === 'caller') this.#connectionChanged(pc);
    });
    pc.addEventListener('icecandidate', ({ candidate }) => candidate?.candidate && this.#tell('candidate', { side, candidate }));
    return pc;
  }

  /** What signaling does between two pages is one line within one. */
  #introduce(from, to) {
    from.addEventListener('icecandidate', ({ candidate }) => to.addIceCandidate(candidate ?? undefined).catch(() => {}));
  }

  async #negotiate(caller, callee) {
    const offer = await caller.createOffer();
    this.#step('offer', {}, offer.sdp);
    this.#step('offerLocal');
    await caller.setLocalDescription(offer);
    this.#step('offerRemote');
    await callee.setRemoteDescription(offer);
    const answer = await callee.createAnswer();
    this.#step('answer', {}, answer.sdp);
    this.#step('answerLocal');
    await callee.setLocalDescription(answer);
    this.#step('answerRemote');
    await caller.setRemoteDescription(answer);
  }

  #received(track) {
    this.#step('track', { kind: track.kind });
    this.#tell('track', track);
  }

  async #connectionChanged(pc) {
    if (pc.connectionState === 'failed') this.#step('failed');
    if (pc.connectionState !== 'connected') return;
    const path = await selectedPath(pc);
    if (path && pc === this.caller) this.#step('connected', { local: path.local, remote: path.remote });
  }

  #step(name, values = {}, sdp = null) {
    this.#tell('step', { name, values, sdp });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
