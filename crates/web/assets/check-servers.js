// The first questions: may this page call at all, what does the server issue, does UDP get out.

import { gather } from './gathering.js';
import { iceConfig, relays } from './ice-config.js';
import { oneByOne } from './ice-url.js';

const SKEW = 30_000;
const STUN_PATIENCE = 6000;

export function checkSecure() {
  const webrtc = typeof RTCPeerConnection !== 'undefined';
  const facts = [['context', isSecureContext ? 'yes' : 'no', null], ['webrtc', webrtc ? 'yes' : 'no', null]];
  if (!webrtc) return { level: 'bad', advice: 'noWebrtc', facts };
  return isSecureContext ? { level: 'good', advice: 'secureGood', facts } : { level: 'bad', advice: 'secureBad', facts };
}

/** Also brings the servers: `{servers, result}`. */
export async function checkCredentials() {
  try {
    const config = await iceConfig();
    return { servers: config.servers, result: judge(config) };
  } catch ({ message }) {
    return { servers: [], result: { level: 'bad', advice: 'credentialsBad', values: { reason: message } } };
  }
}

function judge({ servers, lifetime, skew }) {
  const facts = [
    ['servers', oneByOne(servers).map(({ url }) => url).join(' ')],
    ['lifetime', 'seconds', Math.round(lifetime)],
    ...(skew === null ? [] : [['skew', 'seconds', (skew / 1000).toFixed(1)]]),
  ];
  if (!relays(servers)) return { level: 'bad', advice: 'credentialsNone', facts };
  if (!(lifetime > 0)) return { level: 'bad', advice: 'credentialsExpired', facts };
  const seconds = Math.round(Math.abs(skew ?? 0) / 1000);
  if (Math.abs(skew ?? 0) > SKEW) return { level: 'fair', advice: 'credentialsSkew', values: { seconds }, facts };
  return { level: 'good', advice: 'credentialsGood', values: { minutes: Math.round(lifetime / 60) }, facts };
}

export async function checkStun(servers) {
  const stun = oneByOne(servers).filter(({ scheme }) => scheme === 'stun').map(({ server }) => server);
  if (stun.length === 0) return { level: 'fair', advice: 'stunNone' };
  const { candidates, errors, complete } = await gather({ iceServers: stun }, STUN_PATIENCE);
  const mapped = candidates.map(({ candidate }) => candidate).filter(({ type }) => type === 'srflx');
  const facts = (all) => [['address4', outside(all, false)], ['address6', outside(all, true)], ...errors.map(errorFact)];
  if (mapped.length > 0) return { level: 'good', advice: 'stunGood', values: { address: mapped[0].address }, facts: facts(mapped) };
  // The browser leaves out a mapped address that is the device's own; without an answer it would say so, or go on waiting.
  const own = candidates.map(({ candidate }) => candidate).filter(({ type, protocol }) => type === 'host' && protocol === 'udp');
  if (!complete || errors.length > 0 || own.length === 0) return { level: 'bad', advice: 'stunBad', facts: errors.map(errorFact) };
  return { level: 'good', advice: 'stunSame', values: { address: own[0].address }, facts: facts(own) };
}

function outside(candidates, six) {
  const of = candidates.filter(({ address }) => address && address.includes(':') === six);
  return of.length > 0 ? [...new Set(of.map(({ address, port }) => (six ? `[${address}]:${port}` : `${address}:${port}`)))].join(' ') : null;
}

/** A line of the details: what a URL brought instead of a candidate. */
export const errorFact = ({ url, code, reason }) => ['error', `${url} ${code} ${reason}`];
