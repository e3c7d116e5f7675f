// The kind of NAT: one socket of this device, as a STUN server sees it and as a relay's port sees it. A NAT that shows
// both the same port can be called through; one that shows another port to everybody cannot be told where to send.

import { oneByOne } from './ice-url.js';
import { until, within } from './patience.js';

const PATIENCE = 10_000;

/** `relay`: a server over UDP through which bytes go, or null. */
export async function checkNat(servers, relay) {
  const stun = oneByOne(servers).filter(({ scheme }) => scheme === 'stun').map(({ server }) => server);
  if (stun.length === 0) return { level: 'fair', advice: 'natUnknown' };
  const near = new RTCPeerConnection({ iceServers: stun });
  const far = new RTCPeerConnection(relay ? { iceServers: [relay], iceTransportPolicy: 'relay' } : {});
  try {
    const own = await meet(near, far, relay !== null);
    return judge(own, relay ? await seen(far) : null);
  } finally {
    near.close();
    far.close();
  }
}

/** Lets them meet; the UDP candidates of the near side. */
async function meet(near, far, both) {
  const own = [];
  near.addEventListener('icecandidate', ({ candidate }) => {
    if (candidate?.protocol === 'udp') own.push(candidate);
    if (candidate) far.addIceCandidate(candidate).catch(() => {});
  });
  if (both) far.addEventListener('icecandidate', ({ candidate }) => candidate && near.addIceCandidate(candidate).catch(() => {}));
  near.createDataChannel('nat');
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription);
  await far.setLocalDescription();
  await near.setRemoteDescription(far.localDescription);
  await within(PATIENCE, Promise.all([
    until(near, ['icegatheringstatechange'], () => near.iceGatheringState === 'complete'),
    both && until(far, ['connectionstatechange'], () => far.connectionState === 'connected'),
  ]));
  return own;
}

/** `{type, port}` of the near side as the relay's port sees it, or null. */
async function seen(far) {
  const stats = await far.getStats();
  const reports = [...stats.values()];
  const transport = reports.find(({ selectedCandidatePairId }) => selectedCandidatePairId);
  // A pair in use may be on trial again. Firefox names none: it marks the pair itself.
  const pair = stats.get(transport?.selectedCandidatePairId) ?? reports.find(({ selected }) => selected)
    ?? reports.find(({ type, state }) => type === 'candidate-pair' && state === 'succeeded');
  const remote = stats.get(pair?.remoteCandidateId);
  return remote ? { type: remote.candidateType, port: remote.port } : null;
}

function judge(own, seen) {
  const mapped = own.filter(({ type }) => type === 'srflx');
  const hosts = own.filter(({ type }) => type === 'host');
  const facts = [
    ...mapped.map(({ url, address, port, relatedPort }) => ['mapping', `${url || 'STUN'}: ${relatedPort} → ${address}:${port}`]),
    ...(seen?.port ? [['mapping', 'relay', seen.port]] : []),
  ];
  if (isSplit(mapped)) return { level: 'fair', advice: 'natSymmetric', facts };
  if (!seen) return { level: 'fair', advice: 'natUnknown', facts };
  if (mapped.some(({ port }) => port === seen.port)) return { level: 'good', advice: 'natCone', facts };
  if (hosts.some(({ port }) => port === seen.port)) return { level: 'good', advice: 'natNone', facts };
  return { level: 'fair', advice: mapped.length > 0 ? 'natSymmetric' : 'natUnknown', facts };
}

/** Whether several STUN servers saw one socket at different places. */
function isSplit(mapped) {
  const places = new Map();
  for (const { relatedAddress, relatedPort, address, port } of mapped.filter(({ relatedPort }) => relatedPort)) {
    const socket = `${relatedAddress} ${relatedPort}`;
    places.set(socket, (places.get(socket) ?? new Set()).add(`${address} ${port}`));
  }
  return [...places.values()].some(({ size }) => size > 1);
}
