// Candidates, and the errors on the way to them.

import { until, within } from './patience.js';

/** Whether an error is a server's answer (RFC 8489 §14.8) and not the browser's word for silence (701). */
export const isAnswer = ({ code }) => code >= 300 && code < 700;

/** Calls `found({candidate, at})` and `failed({url, code, reason, address, port, at})`; `at` counts milliseconds from now. */
export function watchGathering(pc, found, failed) {
  const start = performance.now();
  const at = () => Math.round(performance.now() - start);
  pc.addEventListener('icecandidate', ({ candidate }) => candidate?.candidate && found({ candidate, at: at() }));
  pc.addEventListener('icecandidateerror', ({ url, errorCode, errorText, address, port }) => {
    failed({ url, code: errorCode, reason: errorText, address, port, at: at() });
  });
}

/** Gathers until all is found, or for so long: `{candidates, errors, complete}`. Throws what the browser finds wrong. */
export async function gather(configuration, patience, changed = () => {}) {
  const pc = new RTCPeerConnection(configuration);
  const gathered = { candidates: [], errors: [], complete: false };
  const keep = (list) => (one) => {
    list.push(one);
    changed(gathered);
  };
  try {
    watchGathering(pc, keep(gathered.candidates), keep(gathered.errors));
    pc.createDataChannel('gathering');
    await pc.setLocalDescription();
    await within(patience, until(pc, ['icegatheringstatechange'], () => pc.iceGatheringState === 'complete'));
    gathered.complete = pc.iceGatheringState === 'complete';
  } finally {
    pc.close();
  }
  return gathered;
}
