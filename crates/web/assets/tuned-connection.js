// An RTCPeerConnection that follows what the address of the page asks for: codecs, rates, Opus' options, no IPv6, marked packets.

import { isIpv6, preferring, withOpus, withoutIpv6, withRates } from './sdp.js';

/** The class to make connections of: the browser's own, unless `parameters` ask for something. */
export function connectionClass(parameters) {
  const { codecs, rates, opus, ipv6, dscp } = parameters;
  const asked = [codecs.send, codecs.receive, rates.send, rates.receive, opus].some((one) => Object.values(one).some(Boolean));
  return asked || dscp || !ipv6 ? tuned(parameters) : RTCPeerConnection;
}

/** For sound browsers look at Opus' own limit (RFC 7587 §6.1), in bit/s. */
const average = ({ audio }) => (audio ? { maxaveragebitrate: audio * 1000 } : {});

const tuned = ({ codecs, rates, opus, ipv6, dscp }) => class extends RTCPeerConnection {
  constructor(configuration) {
    super(configuration);
    // First in line: nobody else hears of what is kept back.
    this.addEventListener('icecandidate', (event) => {
      if (!ipv6 && isIpv6(event.candidate?.candidate ?? '')) event.stopImmediatePropagation();
    });
    if (dscp) this.addEventListener('connectionstatechange', () => this.#mark());
  }

  /** As it is to be told to the other side. */
  get localDescription() {
    const { type, sdp } = super.localDescription ?? {};
    if (!type) return null;
    const told = withRates(withOpus(sdp, average(rates.receive)), rates.receive);
    return new RTCSessionDescription({ type, sdp: ipv6 ? told : withoutIpv6(told) });
  }

  createOffer(options) {
    this.#prefer();
    return super.createOffer(options);
  }

  createAnswer() {
    this.#prefer();
    return super.createAnswer();
  }

  async setLocalDescription(description) {
    const answers = this.signalingState === 'have-remote-offer';
    const { type, sdp } = description ?? (await (answers ? this.createAnswer() : this.createOffer()));
    return super.setLocalDescription({ type, sdp: withOpus(sdp, opus) });
  }

  async setRemoteDescription({ type, sdp }) {
    const heard = preferring(withRates(withOpus(sdp, { ...opus, ...average(rates.send) }), rates.send), codecs.send);
    return super.setRemoteDescription({ type, sdp: ipv6 ? heard : withoutIpv6(heard) });
  }

  async addIceCandidate(candidate) {
    if (!ipv6 && isIpv6(candidate?.candidate ?? '')) return undefined;
    return super.addIceCandidate(candidate);
  }

  /** What is to be received is ours to order: of our list the other side takes the first that it can. */
  #prefer() {
    for (const transceiver of this.getTransceivers().filter(({ stopped }) => !stopped)) {
      const { kind } = transceiver.receiver.track;
      const name = codecs.receive[kind]?.split('/')[0].toLowerCase();
      const all = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
      const wanted = all.filter(({ mimeType }) => mimeType.toLowerCase().endsWith(`/${name}`));
      if (wanted.length > 0) transceiver.setCodecPreferences([...wanted, ...all.filter((codec) => !wanted.includes(codec))]);
    }
  }

  #mark() {
    if (this.connectionState !== 'connected') return;
    for (const sender of this.getSenders()) {
      const parameters = sender.getParameters();
      for (const encoding of parameters.encodings) Object.assign(encoding, { priority: 'high', networkPriority: 'high' });
      sender.setParameters(parameters).catch(() => {});
    }
  }
};
