// SHA-256 (FIPS 180-4). The browser's own where it has one; over plain http it has none, and the file drop still works there.

/** The digest of `bytes` as 64 hexadecimal digits. */
export async function sha256(bytes) {
  const digest = globalThis.crypto?.subtle ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)) : ownDigest(bytes);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const primes = [];
for (let n = 2; primes.length < 64; n += 1) if (primes.every((prime) => n % prime)) primes.push(n);
/** The first 32 bits of a number's fraction. */
const fraction = (value) => ((value - Math.floor(value)) * 2 ** 32) | 0;
const ROUND = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

/** The same in a script: ten times slower. */
export function ownDigest(bytes) {
  const length = Math.ceil((bytes.length + 9) / 64) * 64;
  const tail = new Uint8Array(128);
  const whole = bytes.length - (bytes.length % 64);
  tail.set(bytes.subarray(whole));
  tail[bytes.length - whole] = 0x80;
  const ending = new DataView(tail.buffer);
  ending.setUint32(length - whole - 8, Math.floor(bytes.length / 2 ** 29));
  ending.setUint32(length - whole - 4, (bytes.length * 8) >>> 0);
  const state = START.slice();
  const words = new Int32Array(64);
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < whole; at += 64) compress(state, words, head, at);
  for (let at = 0; at < length - whole; at += 64) compress(state, words, ending, at);
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, at) => digest.setInt32(4 * at, word));
  return new Uint8Array(digest.buffer);
}

const turn = (word, by) => (word >>> by) | (word << (32 - by));

/** One block of 64 bytes (§6.2.2). */
function compress(state, words, view, at) {
  for (let t = 0; t < 16; t += 1) words[t] = view.getInt32(at + 4 * t);
  for (let t = 16; t < 64; t += 1) {
    const x = words[t - 15];
    const y = words[t - 2];
    words[t] = words[t - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + words[t - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t += 1) {
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[t] + words[t]) | 0;
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    // One by one: this is the innermost loop.
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, n) => { state[n] += word; });
}
