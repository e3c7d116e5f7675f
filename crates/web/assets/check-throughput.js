// Throughput and loss: numbered packets over the relay for some seconds, never repeated, at most as fast as a call needs.

import { RelayPair } from './relay-pair.js';
import { pause } from './patience.js';

const PACKET = 1000;
const TICK = 20;
/** 8 Mbit/s: more than a call with pictures takes, and no burden for the relay. */
const PER_SECOND = 1000;
const BACKLOG = 64 * 1024;
const SAMPLE = 200;
const STRAGGLERS = 500;

/** `server`: one through which bytes go. The result carries `plot`: `{seconds, rates}`, in Mbit/s. */
export async function checkThroughput(server, seconds) {
  if (!server) return { level: 'fair', advice: 'throughputUnknown' };
  const pair = new RelayPair(server);
  try {
    const [near, far] = await pair.open({ ordered: false, maxRetransmits: 0 });
    return judge(await measure(near, far, seconds), seconds, await pair.protocol());
  } finally {
    pair.close();
  }
}

async function measure(near, far, seconds) {
  let [sent, received, since] = [0, 0, 0];
  const rates = [];
  far.addEventListener('message', () => { received += 1; });
  const start = performance.now();
  let sampled = start;
  while (performance.now() - start < seconds * 1000) {
    sent += send(near, (performance.now() - start) / 1000 * PER_SECOND - sent);
    await pause(TICK);
    const now = performance.now();
    if (now - sampled >= SAMPLE) {
      rates.push(((received - since) * PACKET * 8) / 1000 / (now - sampled));
      [since, sampled] = [received, now];
    }
  }
  await pause(STRAGGLERS);
  return { sent, received, rates };
}

/** Sends what is due, as long as it does not pile up; how many. What piled up is not owed later. */
function send(channel, due) {
  const packet = new Uint8Array(PACKET);
  let count = 0;
  while (count < Math.min(due, PER_SECOND / 10) && channel.bufferedAmount < BACKLOG) {
    channel.send(packet);
    count += 1;
  }
  return count;
}

function judge({ sent, received, rates }, seconds, protocol) {
  const average = (received * PACKET * 8) / 1e6 / seconds;
  const loss = sent > 0 ? (100 * (sent - received)) / sent : 100;
  const level = average >= 1.5 && loss < 5 ? 'good' : average >= 0.3 && loss < 15 ? 'fair' : 'bad';
  const facts = [
    ['average', 'rate', average.toFixed(1)],
    ['sent', String(sent)],
    ['received', String(received)],
    ['lost', 'percent', loss.toFixed(1)],
    ...(protocol ? [['transport', protocol]] : []),
  ];
  const advice = `throughput${level[0].toUpperCase()}${level.slice(1)}`;
  return { level, advice, values: { rate: `${average.toFixed(1)} Mbit/s`, loss: `${loss.toFixed(1)} %` }, facts, plot: { seconds, rates } };
}
