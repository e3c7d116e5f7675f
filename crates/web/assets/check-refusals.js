// What a relay must refuse, and how one tells the refusals apart: a wrong credential is answered with 401 before there is
// any relayed address; a peer that is not permitted is answered with 403 after, which ends the attempt at once.

import { gather, isAnswer } from './gathering.js';
import { until, within } from './patience.js';

const PATIENCE = 5000;
const SILENCE = 5000;
// So many unanswered checks went out before a permission counts as granted.
const ENOUGH = 20;
// TEST-NET-1 (RFC 5737): special-purpose, so a relay refuses it; and nobody is there if one does not.
const FORBIDDEN = '192.0.2.1';
// Browsers take no candidate with a port below 1024.
const PORT = 40_000;

/** `server`: one that answers, whatever it says. */
export async function checkWrongCredential(server) {
  if (!server) return { level: 'fair', advice: 'refusalUnknown' };
  const wrong = { ...server, credential: `not ${server.credential}` };
  const { candidates, errors } = await gather({ iceServers: [wrong], iceTransportPolicy: 'relay' }, PATIENCE);
  const facts = errors.map(({ code, reason }) => ['error', `${code} ${reason}`]);
  if (candidates.length > 0) return { level: 'bad', advice: 'refusalMissing', facts };
  return errors.some((error) => isAnswer(error) && error.code === 401)
    ? { level: 'good', advice: 'refusalGood', facts }
    : { level: 'fair', advice: 'refusalUnknown', facts };
}

/** `server`: one through which bytes go. */
export async function checkPermission(server) {
  if (!server) return { level: 'fair', advice: 'permissionUnknown' };
  const facts = [['peer', FORBIDDEN]];
  const near = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: 'relay' });
  const far = new RTCPeerConnection();
  try {
    await send(near, far);
    const refused = () => ['disconnected', 'failed'].includes(near.iceConnectionState);
    const over = until(near, ['iceconnectionstatechange'], refused).then(() => true);
    if (await within(SILENCE, over, false)) return { level: 'good', advice: 'permissionGood', facts };
    return { ...(await judge(near)), facts };
  } finally {
    near.close();
    far.close();
  }
}

/** Lets `near` believe that its peer sits at the forbidden address, and nowhere else: of `far` it hears no candidate. */
async function send(near, far) {
  near.createDataChannel('permission');
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription);
  await far.setLocalDescription();
  const { type, sdp } = far.localDescription;
  await near.setRemoteDescription({ type, sdp: sdp.replace(/^a=(candidate|end-of-candidates).*\r\n/gm, '') });
  await near.addIceCandidate({ candidate: `candidate:1 1 udp 2130706431 ${FORBIDDEN} ${PORT} typ host`, sdpMid: '0' });
}

/** Without a change of state: a pair that failed was refused, one that is still tried was not. */
async function judge(pc) {
  const pairs = [...(await pc.getStats()).values()].filter(({ type }) => type === 'candidate-pair');
  if (pairs.some(({ state, requestsSent }) => state === 'in-progress' && requestsSent >= ENOUGH)) return { level: 'fair', advice: 'permissionOpen' };
  const failed = pairs.length > 0 && pairs.every(({ state }) => state === 'failed');
  return failed ? { level: 'good', advice: 'permissionGood' } : { level: 'fair', advice: 'permissionUnknown' };
}
