// What a connection says about itself, as one object of plain values: states, candidates, the pair in use, loss, and bytes by kind.

import { selectedPair } from './path.js';

const KINDS = ['audio', 'video'];

/** The numbers of `pc` now. Bit rates come from two of them: `rates(now, before)`. */
export async function measure(pc) {
  const stats = await pc.getStats();
  const reports = [...stats.values()];
  return {
    at: performance.now(),
    states: { signaling: pc.signalingState, gathering: pc.iceGatheringState, ice: pc.iceConnectionState, connection: pc.connectionState },
    candidates: { local: typesOf(reports, 'local-candidate'), remote: typesOf(reports, 'remote-candidate') },
    pair: pairOf(stats),
    media: Object.fromEntries(KINDS.map((kind) => [kind, flowOf(kind, reports, stats)])),
  };
}

/** kbit/s for each kind and direction, and the share of packets lost on the way here; null where there is nothing to compare. */
export function rates(now, before) {
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  return Object.fromEntries(KINDS.map((kind) => [kind, {
    sending: rate(now.media[kind].bytesSent, before?.media[kind].bytesSent, seconds),
    receiving: rate(now.media[kind].bytesReceived, before?.media[kind].bytesReceived, seconds),
  }]));
}

/** A new connection counts from zero. */
function rate(now, before, seconds) {
  return seconds > 0 && now >= before ? Math.round(((now - before) * 8) / seconds / 1000) : null;
}

function typesOf(reports, type) {
  return [...new Set(reports.filter((report) => report.type === type).map(({ candidateType }) => candidateType))].sort();
}

/** `path` is "direct" or "relayed"; `relayProtocol` is how this side speaks to its relay: "udp", "tcp", "tls", or null. */
function pairOf(stats) {
  const pair = selectedPair(stats);
  const [local, remote] = [stats.get(pair?.localCandidateId), stats.get(pair?.remoteCandidateId)];
  if (!local || !remote) return null;
  return {
    path: local.candidateType === 'relay' || remote.candidateType === 'relay' ? 'relayed' : 'direct',
    relayProtocol: local.relayProtocol || null,
    local: candidate(local),
    remote: candidate(remote),
    roundTripMs: pair.currentRoundTripTime === undefined ? null : Math.round(pair.currentRoundTripTime * 1000),
    bytesSent: pair.bytesSent ?? 0,
    bytesReceived: pair.bytesReceived ?? 0,
  };
}

function candidate({ candidateType, protocol, address, port }) {
  return { type: candidateType, protocol, address: address ?? null, port: port ?? null };
}

/** There may be several streams of a kind after a new offer: their sums. */
function flowOf(kind, reports, stats) {
  const of = (type) => reports.filter((report) => report.type === type && report.kind === kind);
  const sum = (list, field) => list.reduce((total, report) => total + (report[field] ?? 0), 0);
  const [incoming, outgoing, told] = ['inbound-rtp', 'outbound-rtp', 'remote-inbound-rtp'].map(of);
  const [received, lost] = [sum(incoming, 'packetsReceived'), sum(incoming, 'packetsLost')];
  const codec = (list) => stats.get(list.find(({ codecId }) => codecId)?.codecId)?.mimeType.split('/')[1] ?? null;
  return {
    bytesSent: sum(outgoing, 'bytesSent'),
    bytesReceived: sum(incoming, 'bytesReceived'),
    lossReceivingPercent: received + lost > 0 ? percent(Math.max(0, lost) / (received + lost)) : null,
    lossSendingPercent: told.length > 0 ? percent(Math.max(...told.map(({ fractionLost }) => fractionLost ?? 0))) : null,
    codecSending: codec(outgoing),
    codecReceiving: codec(incoming),
    ...(kind === 'video' && { sending: size(outgoing), receiving: size(incoming) }),
  };
}

const percent = (share) => Math.round(share * 1000) / 10;

function size(list) {
  const largest = list.toSorted((a, b) => (b.frameWidth ?? 0) - (a.frameWidth ?? 0))[0];
  return largest?.frameWidth ? { width: largest.frameWidth, height: largest.frameHeight, framesPerSecond: largest.framesPerSecond ?? 0 } : null;
}
