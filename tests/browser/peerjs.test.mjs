// PeerJS as it comes from npm: told a host, a port and a path, it works.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, ORIGIN } from './house.mjs';
import { openWithModules } from './modules.mjs';
import { SERVER_ADDRESS } from './network.mjs';

const PATIENCE = 60_000;
const OPTIONS = {
  host: SERVER_ADDRESS,
  port: 8080,
  config: { iceServers: [{ urls: `stun:${SERVER_ADDRESS}:3478` }] },
};

/** Somebody with a peer under an id (none: the server gives one), who answers calls and echoes data. */
async function peer(house, number, id, options = {}) {
  const { page, complaints } = await (await house.browser(number)).tab();
  await openWithModules(page, ORIGIN);
  const one = new Someone(page, complaints);
  await one.become(id, { ...OPTIONS, path: '/peerjs', ...options });
  return one;
}

class Someone {
  constructor(page, complaints) {
    this.page = page;
    this.complaints = complaints;
  }

  /** Resolves with `opened`, or with the error's type. */
  async become(id, options) {
    this.id = await this.page.evaluate(async ([id, options]) => {
      const log = (globalThis.log = { opens: 0, errors: [], disconnects: 0 });
      const peer = (globalThis.peer = id ? new globalThis.Peer(id, options) : new globalThis.Peer(options));
      peer.on('connection', (connection) => connection.on('data', (data) => connection.send({ echo: data })));
      peer.on('call', async (call) => call.answer(await navigator.mediaDevices.getUserMedia({ audio: true, video: true })));
      peer.on('disconnected', () => (log.disconnects += 1));
      peer.on('error', (error) => log.errors.push(error.type));
      return new Promise((resolve) => {
        peer.on('open', (id) => {
          log.opens += 1;
          resolve(id);
        });
        peer.on('error', (error) => resolve(error.type));
      });
    }, [id, options]);
  }

  /** Says something over a new data channel, and resolves with the echo. */
  ask(other, data) {
    return this.page.evaluate(([other, data]) => new Promise((resolve, reject) => {
      const connection = globalThis.peer.connect(other, { reliable: true });
      connection.on('open', () => connection.send(data));
      connection.on('data', resolve);
      connection.on('error', (error) => reject(new Error(error.type)));
    }), [other, data]);
  }

  /** Calls, and resolves when a picture of the other was decoded. */
  call(other) {
    return this.page.evaluate(async (other) => {
      const own = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
      const call = globalThis.peer.call(other, own);
      const stream = await new Promise((resolve) => call.on('stream', resolve));
      const video = Object.assign(document.createElement('video'), { srcObject: stream, muted: true });
      await video.play();
      await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
      call.close();
      return [video.videoWidth > 0, stream.getAudioTracks().length];
    }, other);
  }

  /** Waits until `count` of `what` were counted. */
  counts(what, count) {
    return this.page.waitForFunction(([what, count]) => globalThis.log[what] >= count, [what, count], { timeout: PATIENCE });
  }

  errors() {
    return this.page.evaluate(() => globalThis.log.errors);
  }

  /** Asks for its name again until it hears `OPEN`, as an app does that wants to stay. */
  reattach(opens) {
    return this.page.waitForFunction((opens) => {
      const { peer, log } = globalThis;
      if (log.opens < opens && peer.disconnected && !peer.destroyed) peer.reconnect();
      return log.opens >= opens;
    }, opens, { timeout: PATIENCE, polling: 500 });
  }

  list() {
    return this.page.evaluate(() => new Promise((resolve) => {
      globalThis.peer.on('error', (error) => resolve(error.type));
      globalThis.peer.listAllPeers(resolve);
    }));
  }
}

test('two peers talk and call, and hear of what is taken, absent or not allowed', async () => {
  // A name whose socket is lost would be kept for longer than this test waits for anything.
  const house = await build({ kinds: ['cone', 'cone'], extra: '[rooms]\nresume = "5m"\n' });
  const [ada, bob] = [await peer(house, 1, 'ada'), await peer(house, 2, null)];
  assert.equal(ada.id, 'ada');
  assert.match(bob.id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(await bob.ask('ada', { words: 'é' }), { echo: { words: 'é' } });
  assert.deepEqual(await ada.ask(bob.id, [1, 2]), { echo: [1, 2] });
  assert.deepEqual(await bob.call('ada'), [true, 1]);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  const thief = await peer(house, 2, 'ada', { path: '/' });
  assert.equal(thief.id, 'unavailable-id');
  // EXPIRE, which names the one who did not come.
  await bob.page.evaluate(() => globalThis.peer.connect('nobody'));
  await bob.page.waitForFunction(() => globalThis.log.errors.includes('peer-unavailable'), null, { timeout: PATIENCE });
  assert.equal(await bob.list(), 'server-error');
  // A page that is loaded again has another token, and gets its name as soon as the server has read its goodbye.
  const { page } = ada;
  await openWithModules(page, ORIGIN);
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    await ada.become('ada', { ...OPTIONS, path: '/' });
    if (ada.id === 'ada') return;
  }
  assert.fail(`the name is not given back: ${ada.id}`);
});

test('a peer has its name and its calls again after the server was away, and after the network was', async () => {
  const house = await build({ kinds: ['cone', 'cone'], extra: '[signaling.peerjs]\nallow_discovery = true\nkeys = ["app"]\n' });
  const options = { key: 'app', token: 'a.long.token' };
  const [ada, bob] = [await peer(house, 1, 'ada', options), await peer(house, 2, 'bob', { key: 'app' })];
  assert.deepEqual(await ada.list(), ['ada', 'bob']);
  const stranger = await peer(house, 2, 'eve', { key: 'other' });
  assert.equal(stranger.id, 'server-error');

  await house.server.stop();
  await Promise.all([ada.counts('disconnects', 1), bob.counts('disconnects', 1)]);
  await house.open();
  await Promise.all([ada.reattach(2), bob.reattach(2)]);
  assert.equal(await bob.ask('ada', 'still you?').then(({ echo }) => echo), 'still you?');

  // The server still believes in the socket whose network is gone: its owner gets the name nevertheless.
  house.network.plug(1, 'down');
  await ada.page.evaluate(() => globalThis.peer.disconnect());
  house.network.plug(1, 'up');
  await ada.reattach(3);
  assert.equal(await bob.ask('ada', 'and now?').then(({ echo }) => echo), 'and now?');
  assert.deepEqual((await bob.list()).toSorted(), ['ada', 'bob']);
  assert.ok((await ada.errors()).every((type) => ['network', 'disconnected'].includes(type)), await ada.errors());
});
