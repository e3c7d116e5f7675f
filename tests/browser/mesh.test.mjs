// The client's mesh in one Chromium: four members, as the real binary serves the client, over the client's own small server.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { build, ORIGIN } from './house.mjs';

const HOUSE = readFileSync(new URL('../../crates/web/client/test/house.mjs', import.meta.url), 'utf8');
const PATIENCE = 60_000;

const house = await build({ kinds: ['open'] });
const browser = await house.browser(1);

/** A page in which four members hold a mesh with two channels and a camera each. */
async function mesh() {
  const { page, complaints } = await browser.tab();
  const empty = '<!DOCTYPE html><link rel="icon" href="data:,">';
  await page.route(`${ORIGIN}/mesh`, (route) => route.fulfill({ contentType: 'text/html', body: empty }));
  await page.route(`${ORIGIN}/house.mjs`, (route) => route.fulfill({ contentType: 'text/javascript', body: HOUSE }));
  await page.goto(`${ORIGIN}/mesh`);
  await page.evaluate(async () => {
    globalThis.setImmediate = (act) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (port1.close(), act());
      port2.postMessage(null);
    };
    const [{ connect, Peers }, { House }] = await Promise.all([import('/v1/client.js'), import('/house.mjs')]);
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const server = new House();
    globalThis.server = server;
    globalThis.errors = [];
    globalThis.open = (room) => {
      const peers = new Peers(room, { stream, channels: { chat: {}, file: { ordered: false } } });
      const one = { room, peers, heard: [], tracks: 0 };
      peers.on('error', ({ error }) => globalThis.errors.push(error.message));
      peers.on('message', ({ label, data }) => one.heard.push(`${label}: ${data}`));
      peers.on('track', () => { one.tracks += 1; });
      return one;
    };
    globalThis.all = [];
    for (const name of ['Ada', 'Bob', 'Cyd', 'Dan']) {
      const room = connect({ room: 'mesh', name, WebSocket: server.WebSocket });
      globalThis.all.push(globalThis.open(await room.joined));
    }
    globalThis.stands = () => globalThis.all.every(({ peers }) => peers.connections.size === 3
      && [...peers.connections.values()].every(({ state, pc, channels }) => state === 'connected' && pc.signalingState === 'stable'
        && [...channels.values()].every(({ readyState }) => readyState === 'open')));
  });
  await stands(page);
  return { page, complaints };
}

const stands = (page) => page.waitForFunction(() => globalThis.stands(), null, { timeout: PATIENCE });

test('four members have channels and pictures from each to each', async () => {
  const { page, complaints } = await mesh();
  await page.evaluate(() => globalThis.all.map(({ room, peers }) => peers.broadcast('chat', room.member)));
  await page.waitForFunction(() => globalThis.all.every(({ heard }) => heard.length === 3), null, { timeout: PATIENCE });
  const seen = await page.evaluate(() => globalThis.all.map(({ heard, tracks }) => ({ heard: heard.sort(), tracks })));
  for (const [index, { heard, tracks }] of seen.entries()) {
    assert.deepEqual(heard, ['m1', 'm2', 'm3', 'm4'].filter((_, other) => other !== index).map((member) => `chat: ${member}`));
    assert.equal(tracks, 6);
  }
  assert.deepEqual(await page.evaluate(() => globalThis.errors), []);
  assert.deepEqual(complaints, []);
});

test('when all begin, only one of two offers; when all restart at once, every pair finds together again', async () => {
  const { page } = await mesh();
  const count = () => page.evaluate(() => globalThis.server.heard.flatMap(({ data }) => data?.peers?.signals ?? [])
    .filter(({ description }) => description?.type === 'offer').length);
  assert.equal(await count(), 6);
  const ufrags = () => page.evaluate(() => globalThis.all.flatMap(({ peers }) => [...peers.connections.values()]
    .map(({ pc }) => /a=ice-ufrag:(.*)/.exec(pc.currentRemoteDescription.sdp)[1])));
  const before = await ufrags();
  await page.evaluate(() => globalThis.all.forEach(({ peers }) => peers.restart(true)));
  await page.waitForFunction((before) => globalThis.stands() && globalThis.all.flatMap(({ peers }) => [...peers.connections.values()])
    .every(({ pc }) => !before.includes(/a=ice-ufrag:(.*)/.exec(pc.currentRemoteDescription.sdp)[1])), before, { timeout: PATIENCE });
  assert.deepEqual(await page.evaluate(() => globalThis.errors), []);
});

test('a page that was loaded again is met again, the first one and the last one', async () => {
  const { page } = await mesh();
  for (const index of [0, 3]) {
    await page.evaluate((index) => {
      globalThis.all[index].peers.close();
      globalThis.all[index] = globalThis.open(globalThis.all[index].room);
    }, index);
    await stands(page);
  }
  assert.deepEqual(await page.evaluate(() => globalThis.errors), []);
});

test('renewed ICE servers reach every connection', async () => {
  const { page } = await mesh();
  const urls = await page.evaluate(async () => {
    const [{ room, peers }] = globalThis.all;
    const renewed = room.next('ice');
    const seat = globalThis.server.seats('mesh')[0];
    globalThis.server.post(seat, { type: 'ice', ice: { iceServers: [{ urls: ['stun:192.0.2.1'] }], expires_in: 600 } });
    await renewed;
    return [...peers.connections.values()].map(({ pc }) => pc.getConfiguration().iceServers[0].urls);
  });
  assert.deepEqual(urls, [['stun:192.0.2.1'], ['stun:192.0.2.1'], ['stun:192.0.2.1']]);
});
