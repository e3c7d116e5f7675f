// y-webrtc as it comes from npm: two documents in two browsers become one, through the server's topics.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, ORIGIN } from './house.mjs';
import { openWithModules } from './modules.mjs';

const PATIENCE = 60_000;
const SIGNALING = `${ORIGIN.replace('http', 'ws')}/yjs`;

const house = await build({ kinds: ['open', 'open'] });

/** Somebody with a document in a room. */
async function author(number, room, password) {
  const { page, complaints } = await (await house.browser(number)).tab();
  await openWithModules(page, ORIGIN);
  await page.evaluate(async ([room, password, signaling]) => {
    const [Y, { WebrtcProvider }] = await Promise.all([import('yjs'), import('y-webrtc')]);
    globalThis.text = new Y.Doc();
    globalThis.provider = new WebrtcProvider(room, globalThis.text, { signaling: [signaling], password, peerOpts: { config: { iceServers: [] } } });
  }, [room, password, SIGNALING]);
  return { page, complaints };
}

const write = ({ page }, words) => page.evaluate((words) => globalThis.text.getText('t').insert(0, words), words);

/** Waits until the document says `words`; connections in tests are of WebRTC alone, for the two browsers share nothing else. */
const reads = ({ page }, words) =>
  page.waitForFunction((words) => globalThis.text.getText('t').toString() === words, words, { timeout: PATIENCE });

for (const password of [null, 'a password that the server never sees']) {
  test(`two documents become one, ${password ? 'with' : 'without'} a password`, async () => {
    const room = `notes-${password ? 'secret' : 'open'}`;
    const ada = await author(1, room, password);
    await write(ada, 'hello');
    const bob = await author(2, room, password);
    await reads(bob, 'hello');
    await write(bob, 'oh, ');
    await reads(ada, 'oh, hello');
    const peers = await bob.page.evaluate(() => globalThis.provider.room.webrtcConns.size);
    assert.equal(peers, 1);
    assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  });
}

test('the client finds the room again after the server was away', async () => {
  const ada = await author(1, 'away', null);
  await ada.page.waitForFunction(() => globalThis.provider.signalingConns[0].connected, null, { timeout: PATIENCE });
  await house.server.stop();
  await ada.page.waitForFunction(() => !globalThis.provider.signalingConns[0].connected, null, { timeout: PATIENCE });
  await house.open();
  const bob = await author(2, 'away', null);
  await write(bob, 'back');
  await reads(ada, 'back');
});
