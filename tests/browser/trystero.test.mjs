// Trystero as it comes from npm, with its torrent strategy: two browsers meet through the tracker on `/announce`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, ORIGIN } from './house.mjs';
import { openWithModules } from './modules.mjs';

// One of the two may have to wait for the other's next announce, half a minute later: Trystero takes offers of one side alone.
const PATIENCE = 120_000;
const TRACKER = `${ORIGIN.replace('http', 'ws')}/announce`;

const house = await build({ kinds: ['open', 'open'] });

/** Somebody in a room of one tracker. */
async function peer(number, room, tracker) {
  const { page, complaints } = await (await house.browser(number)).tab();
  await openWithModules(page, ORIGIN);
  await page.evaluate(async ([room, url]) => {
    const { joinRoom, selfId } = await import('@trystero-p2p/torrent');
    const config = { appId: 'posthouse', relayConfig: { urls: [url] }, rtcConfig: { iceServers: [] } };
    globalThis.room = joinRoom(config, room);
    Object.assign(globalThis, { selfId, met: [], left: [], heard: [] });
    globalThis.room.onPeerJoin = (id) => globalThis.met.push(id);
    globalThis.room.onPeerLeave = (id) => globalThis.left.push(id);
    globalThis.words = globalThis.room.makeAction('words');
    globalThis.words.onMessage = (data, { peerId }) => globalThis.heard.push([peerId, data]);
  }, [room, tracker]);
  return { page, complaints, id: await page.evaluate(() => globalThis.selfId) };
}

const until = ({ page }, list, length) =>
  page.waitForFunction(([list, length]) => globalThis[list].length >= length, [list, length], { timeout: PATIENCE });

const read = ({ page }, list) => page.evaluate((list) => globalThis[list], list);

test('two browsers meet through the tracker and send each other messages', async () => {
  const ada = await peer(1, 'kitchen', TRACKER);
  const stranger = await peer(1, 'kitchen', `${TRACKER}?key=other`);
  const bob = await peer(2, 'kitchen', TRACKER);
  await until(ada, 'met', 1);
  await until(bob, 'met', 1);
  assert.deepEqual(await read(ada, 'met'), [bob.id]);
  assert.deepEqual(await read(bob, 'met'), [ada.id]);
  await ada.page.evaluate(() => globalThis.words.send('hello'));
  await until(bob, 'heard', 1);
  await bob.page.evaluate((id) => globalThis.words.send({ 'oh,': 'hello' }, { target: id }), ada.id);
  await until(ada, 'heard', 1);
  assert.deepEqual(await read(bob, 'heard'), [[ada.id, 'hello']]);
  assert.deepEqual(await read(ada, 'heard'), [[bob.id, { 'oh,': 'hello' }]]);
  await bob.page.evaluate(() => globalThis.room.leave());
  await until(ada, 'left', 1);
  assert.deepEqual(await read(stranger, 'met'), [], 'another key is another tracker');
  assert.deepEqual([...ada.complaints, ...bob.complaints, ...stranger.complaints], []);
});
