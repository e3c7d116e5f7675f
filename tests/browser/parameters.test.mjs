// AppRTC's parameters in the address, each by what it changes in a call.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller, meet } from './caller.mjs';
import { Guest } from './guest.mjs';
import { build, ORIGIN } from './house.mjs';
import { until } from './until.mjs';

const PATIENCE = 60_000;

const house = await build({ kinds: ['open'] });
const browser = await house.browser(1);

/** Two meet: the first with what is asked for in the address, the second without. */
async function call(query) {
  const [ada, bob] = [new Caller(await browser.tab()), new Caller(await browser.tab())];
  const room = house.room();
  await ada.join(room + query);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  return [ada, bob];
}

async function end(...callers) {
  assert.deepEqual(callers.flatMap(({ complaints }) => complaints), []);
  await Promise.all(callers.map(({ page }) => page.context().close()));
}

/** With which codec this side sends. */
function sends({ page }, kind) {
  return until(page, async (kind) => (await window.posthouse.numbers()).connections[0]?.media[kind].codecSending, kind, PATIENCE);
}
const local = ({ page }) => page.evaluate(() => window.posthouse.pc.localDescription.sdp);
const remote = ({ page }) => page.evaluate(() => window.posthouse.pc.remoteDescription.sdp);

test('asc and vsc choose what is sent, arc and vrc what the other side sends', async () => {
  const [eve, fay] = await call('?asc=PCMU&vsc=VP9');
  assert.deepEqual([await sends(eve, 'audio'), await sends(eve, 'video')], ['PCMU', 'VP9']);
  await end(eve, fay);
  const [cyd, dan] = await call('?arc=PCMU&vrc=VP9');
  assert.deepEqual([await sends(dan, 'audio'), await sends(dan, 'video')], ['PCMU', 'VP9']);
  await end(cyd, dan);
});

/** One call has all of these; each of the five tests that follow looks at its own. */
const TUNED = '?asbr=16&vsbr=120&arbr=20&vrbr=100&stereo=true&opusfec=false&opusdtx=true&opusmaxpbr=16000&dscp=true&ipv6=false'
  + '&ts=http://evil.example&wshpp=evil.example:443&wstls=true';
let ada, bob;

test('asbr and vsbr limit what is sent, arbr and vrbr what the other side may send', async () => {
  [ada, bob] = await call(TUNED);
  assert.deepEqual((await remote(ada)).match(/^b=AS:\d+/gm), ['b=AS:16', 'b=AS:120']);
  assert.deepEqual((await remote(bob)).match(/^b=AS:\d+/gm), ['b=AS:20', 'b=AS:100']);
  const target = ({ page }, kind) => page.evaluate(async (kind) => {
    const stats = [...(await window.posthouse.pc.getStats()).values()];
    return stats.find((one) => one.type === 'outbound-rtp' && one.kind === kind).targetBitrate;
  }, kind);
  for (const [caller, kind, most] of [[ada, 'audio', 16_000], [ada, 'video', 120_000], [bob, 'audio', 20_000], [bob, 'video', 100_000]]) {
    assert.ok(await target(caller, kind) <= most, `${kind}: at most ${most}, not ${await target(caller, kind)}`);
  }
});

test('stereo, opusfec, opusdtx and opusmaxpbr reach Opus on both sides', async () => {
  for (const sdp of [await local(ada), await remote(bob), await remote(ada)]) {
    const [line] = sdp.match(/^a=fmtp:111 .*$/m);
    for (const option of ['stereo=1', 'useinbandfec=0', 'usedtx=1', 'maxplaybackrate=16000']) assert.ok(line.includes(option), line);
  }
});

test('dscp asks the browser to mark the packets', async () => {
  await ada.page.waitForFunction(() => window.posthouse.pc.getSenders().every((one) => one.getParameters().encodings.every(({ networkPriority }) => networkPriority === 'high')), null, { timeout: PATIENCE });
});

test('ipv6=false keeps IPv6 out of what is sent, and the call stands without it', async () => {
  assert.doesNotMatch(await local(ada) + await remote(bob), /a=candidate:\S+ \d \w+ \d+ \S*:/);
});

test('ts, wshpp and wstls lead nowhere else', async () => {
  assert.ok(ada.sockets.length > 0);
  for (const url of ada.sockets) assert.equal(new URL(url).host, new URL(ORIGIN).host);
  await end(ada, bob);
});

test('hd, audio and video choose what the devices are asked for', async () => {
  const settings = async (query) => {
    const caller = new Caller(await browser.tab());
    await caller.join(house.room(query));
    await caller.reach('waiting');
    await caller.page.waitForFunction(() => document.getElementById('self').srcObject);
    const found = await caller.page.evaluate(() => document.getElementById('self').srcObject.getVideoTracks()[0].getSettings());
    await end(caller);
    return found;
  };
  assert.equal((await settings('?hd=true')).width, 1280);
  assert.equal((await settings('?hd=false')).width, 640);
  assert.equal((await settings('?hd=false&video=minWidth=960,maxWidth=960,maxFrameRate=10')).width, 960);
});

test('debug=loopback is a call with oneself, through the server and the relay', async () => {
  const eve = new Caller(await browser.tab());
  await eve.join(house.room('?debug=loopback&it=relay'));
  await eve.reach('connected');
  await eve.sees();
  await eve.goesRelayed();
  await eve.hangUp();
  await eve.page.click('#rejoin');
  await eve.reach('connected');
  await eve.sees();
  await end(eve);
});

test('in a meeting they mean the same', async () => {
  const url = `${ORIGIN}/meet/tuned`;
  const [eve, fay] = [new Guest('Eve', await browser.tab()), new Guest('Fay', await browser.tab())];
  await eve.enter(`${url}?vsc=VP9&vrbr=100&stereo=true`);
  await fay.enter(url);
  await Promise.all([eve.sees(1), fay.sees(1)]);
  assert.equal(await sends(eve, 'video'), 'VP9');
  const told = await fay.page.evaluate(() => [...window.posthouse.peers.connections.values()][0].pc.remoteDescription.sdp);
  assert.match(told, /b=AS:100/);
  assert.match(told, /stereo=1/);
  await end(eve, fay);
});
