// All checks, in their order: what depends on nothing goes side by side, what needs a way through the relay comes after.
//
// Events: `running` (detail: {name}) and `result` (detail: {name, result}). A result is `{level, advice, values, facts, plot}`:
// `level` good, fair or bad; `advice` a key of `words.test.advice` with its `values` (or `problem`, a key of `words.problem`);
// `facts` lines of the details, each `[key of words.test.fact, text]` or `[key, key of a function or word there, value]`.

import { checkCamera, checkMicrophone } from './check-devices.js';
import { checkNat } from './check-nat.js';
import { checkPermission, checkWrongCredential } from './check-refusals.js';
import { judgeRelay, tryRelay } from './check-relay.js';
import { checkCredentials, checkSecure, checkStun } from './check-servers.js';
import { checkSignaling } from './check-signaling.js';
import { checkThroughput } from './check-throughput.js';
import { isAnswer } from './gathering.js';
import { relays } from './ice-config.js';
import { oneByOne, wayOf } from './ice-url.js';

export const CHECKS = [
  'secure', 'signaling', 'credentials', 'stun', 'turnUdp', 'turnTcp', 'turnTls', 'turn443',
  'wrongCredential', 'permission', 'throughput', 'nat', 'microphone', 'camera',
];
const WITHOUT_WEBRTC = ['secure', 'signaling', 'credentials', 'microphone', 'camera'];
const WAYS = ['Udp', 'Tcp', 'Tls'];

export class ConnectivityTest extends EventTarget {
  results = new Map();

  /** `servers`: a list to test instead of the one that this server issues, or null. */
  async run({ servers, seconds }) {
    this.results.clear();
    const { level, advice } = await this.#check('secure', checkSecure);
    const list = await this.#servers(servers);
    if (advice === 'noWebrtc') this.#skip({ level, advice });
    else await this.#connections(list, seconds);
    await this.#check('microphone', checkMicrophone);
    await this.#check('camera', checkCamera);
  }

  /** The list to test; signaling is tried while the server issues it. */
  async #servers(given) {
    let list = given ?? [];
    await Promise.all([
      this.#check('signaling', checkSignaling),
      this.#check('credentials', async () => {
        if (given) return { level: relays(given) ? 'good' : 'bad', advice: relays(given) ? 'credentialsOwn' : 'credentialsNone' };
        const { servers, result } = await checkCredentials();
        list = servers;
        return result;
      }),
    ]);
    return list;
  }

  #skip(result) {
    for (const name of CHECKS) if (!WITHOUT_WEBRTC.includes(name)) this.#tell(name, result);
  }

  async #connections(servers, seconds) {
    const [stun, tried] = await Promise.all([this.#check('stun', () => checkStun(servers)), this.#relays(servers)]);
    this.#judgeRelays(tried, stun);
    const good = tried.filter(({ trouble }) => !trouble);
    const answering = good[0] ?? tried.find(({ trouble }) => isAnswer(trouble));
    const working = good[0]?.server ?? null;
    const overUdp = good.find(({ way }) => way === 'Udp')?.server ?? null;
    await Promise.all([
      this.#check('wrongCredential', () => checkWrongCredential(answering?.server ?? null)),
      this.#check('permission', () => checkPermission(working)),
      this.#check('nat', () => checkNat(servers, overUdp)),
    ]);
    await this.#check('throughput', () => checkThroughput(working, seconds));
  }

  /** Every URL by itself; those of one way one after the other, so that a user's quota of allocations is not used up. */
  async #relays(servers) {
    const all = oneByOne(servers).filter(({ relay }) => relay).map((one) => ({ ...one, way: wayOf(one) }));
    for (const name of ['turnUdp', 'turnTcp', 'turnTls', 'turn443']) this.#tell(name, null);
    const tried = await Promise.all(WAYS.map(async (way) => {
      const outcomes = [];
      for (const one of all.filter((other) => other.way === way)) outcomes.push({ ...one, ...(await tryRelay(one)) });
      return outcomes;
    }));
    return tried.flat();
  }

  #judgeRelays(tried, stun) {
    const hasSix = (stun.facts ?? []).some(([key, address]) => key === 'address6' && address);
    for (const way of WAYS) this.#tell(`turn${way}`, judgeRelay(way, tried.filter((one) => one.way === way), hasSix));
    this.#tell('turn443', judgeRelay('443', tried.filter(({ way, port }) => way !== 'Udp' && port === 443), hasSix));
  }

  async #check(name, act) {
    this.#tell(name, null);
    const result = await Promise.resolve().then(act).catch(({ message }) => ({ level: 'bad', advice: 'unexpected', values: { reason: message } }));
    this.#tell(name, result);
    return result;
  }

  #tell(name, result) {
    if (result) this.results.set(name, result);
    this.dispatchEvent(new CustomEvent(result ? 'result' : 'running', { detail: { name, result } }));
  }
}
