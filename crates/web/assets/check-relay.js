// One way through the relay: bytes go out on one relayed leg, come back on the other, and are compared.

import { RelayPair, RelayTrouble } from './relay-pair.js';
import { median, within } from './patience.js';

const MESSAGES = 16;
const SIZE = 1024;
const PATIENCE = 8000;
// What is most worth saying when several addresses of one kind fail.
const ORDER = ['wrongCredential', 'refused', 'broken', 'noPassage', 'unreachable'];

/** Tries one URL: `{url, six, milliseconds, protocol}`, or `{url, six, trouble}`. */
export async function tryRelay({ url, server, six }) {
  let pair = null;
  try {
    pair = new RelayPair(server);
    const milliseconds = await echo(await pair.open());
    return { url, six, milliseconds, protocol: await pair.protocol() };
  } catch (error) {
    return { url, six, trouble: error instanceof RelayTrouble ? error : new RelayTrouble('refused', { code: error.name, reason: error.message }) };
  } finally {
    pair?.close();
  }
}

/** Sends random bytes and waits for the same ones: the median round trip in milliseconds. */
async function echo([near, far]) {
  near.binaryType = 'arraybuffer';
  far.binaryType = 'arraybuffer';
  far.addEventListener('message', ({ data }) => far.send(data));
  const times = [];
  for (let turn = 0; turn < MESSAGES; turn += 1) {
    const bytes = crypto.getRandomValues(new Uint8Array(SIZE));
    const start = performance.now();
    near.send(bytes);
    const back = await within(PATIENCE, new Promise((resolve) => {
      near.addEventListener('message', ({ data }) => resolve(new Uint8Array(data)), { once: true });
    }), null);
    if (!back) throw new RelayTrouble('noPassage');
    if (back.length !== SIZE || back.some((byte, at) => byte !== bytes[at])) throw new RelayTrouble('broken');
    times.push(performance.now() - start);
  }
  return Math.round(median(times));
}

/** The row of one kind of way (`Udp`, `Tcp`, `Tls` or `443`) from what its URLs brought. */
export function judgeRelay(way, tried, hasSix) {
  if (tried.length === 0) return { level: 'fair', advice: `turnNo${way}` };
  const good = tried.filter(({ trouble }) => !trouble);
  const facts = tried.flatMap(factsOf);
  if (good.length === 0) return { ...failure(way, tried), facts };
  // A device without IPv6 reaches no IPv6 address, and nothing is wrong with that.
  const missed = tried.filter(({ trouble, six }) => trouble && !(six && !hasSix));
  const milliseconds = Math.min(...good.map((one) => one.milliseconds));
  if (missed.length === 0) return { level: 'good', advice: 'turnGood', values: { milliseconds }, facts };
  return { level: 'fair', advice: 'turnPartly', values: { good: good.length, all: tried.length }, facts };
}

function failure(way, tried) {
  const troubles = tried.map(({ trouble }) => trouble).sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const [{ kind, code, reason }] = troubles;
  const values = { code, reason };
  if (kind === 'unreachable') return { level: 'bad', advice: `turnUnreachable${way === '443' ? 'Tls' : way}`, values };
  return { level: 'bad', advice: `turn${kind[0].toUpperCase()}${kind.slice(1)}`, values };
}

function factsOf({ url, milliseconds, protocol, trouble }) {
  if (trouble) return [['url', url], ['error', trouble.message]];
  return [['url', url], ['bytes', String(MESSAGES * SIZE)], ['roundTrip', 'milliseconds', milliseconds], ...(protocol ? [['transport', protocol]] : [])];
}
