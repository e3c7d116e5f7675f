// The Phoenix broker of peer-id file sharing: npm `phoenix`, of today and of its first days, and `simple-peer` carry a file.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, ORIGIN } from './house.mjs';
import { openWithModules } from './modules.mjs';

const PATIENCE = 60_000;
const SIGNALING = ORIGIN.replace('http', 'ws');
const SIZE = 100_000;

const house = await build({ kinds: ['open', 'open'] });

/** What the file sharing page does: an id from the broker, then a channel under it. Runs in the page. */
async function register([signaling, version]) {
  const { Socket } = version === 1 ? globalThis.Phoenix : await import('phoenix');
  const open = (path) => {
    const socket = new Socket(`${signaling}${path}`);
    socket.connect();
    return socket;
  };
  const joined = (channel) => new Promise((resolve, reject) => channel.join().receive('ok', resolve).receive('error', reject));
  const broker = open('/ws').channel('broker:match', {});
  const registered = new Promise((resolve) => broker.on('registered', ({ id }) => resolve(id)));
  await joined(broker);
  broker.push('register', {});
  const id = await registered;
  await new Promise((resolve) => broker.leave().receive('ok', resolve));
  const socket = open('/peer');
  const channel = socket.channel(`peer:${id}`, {});
  await joined(channel);
  Object.assign(globalThis, { id, channel, socket, errors: [] });
  channel.on('error_connect', (error) => globalThis.errors.push(error));
  return id;
}

/** The sender offers to whoever connects, and sends a file chunk by chunk, each when the one before was acknowledged. */
async function share(size) {
  const { channel, id, SimplePeer } = globalThis;
  const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) % 256);
  const chunks = [];
  for (let at = 0; at < size; at += 16384) chunks.push(String.fromCharCode(...bytes.subarray(at, at + 16384)));
  channel.on('peer_connect', ({ peer_id }) => {
    const peer = new SimplePeer({ initiator: true, trickle: false, config: { iceServers: [] } });
    const send = (type, data) => peer.send(JSON.stringify({ type, data }));
    peer.on('signal', (offer) => channel.push('offer', { offer, peer_id, sender_id: id }));
    channel.on('answer', ({ answer, peer_id: from }) => from === peer_id && peer.signal(answer));
    peer.on('connect', () => send('files', [{ name: 'file', size }]));
    const chunk = (n, transfer_id) =>
      send('file_chunk', { transfer_id, chunkNumber: n, totalChunks: chunks.length, data: chunks[n] });
    peer.on('data', (text) => {
      const { type, data } = JSON.parse(text);
      if (type === 'download') chunk(0, data.transfer_id);
      if (type === 'file_segment_ack' && data.segment_number + 1 < chunks.length) chunk(data.segment_number + 1, data.transfer_id);
    });
  });
  return digest(bytes);

  async function digest(data) {
    return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', data)));
  }
}

/** The receiver asks for the sender and downloads its first file. */
async function download(sender) {
  const { channel, id, SimplePeer } = globalThis;
  const peer = new SimplePeer({ trickle: false, config: { iceServers: [] } });
  const send = (type, data) => peer.send(JSON.stringify({ type, data }));
  peer.on('signal', (answer) => channel.push('answer', { answer, peer_id: sender, sender_id: id }));
  channel.on('offer', ({ offer, peer_id }) => peer_id === sender && peer.signal(offer));
  channel.push('connect', { peer_id: sender, sender_id: id });
  const text = await new Promise((resolve) => {
    let got = '';
    peer.on('data', (message) => {
      const { type, data } = JSON.parse(message);
      if (type === 'files') send('download', { name: data[0].name, transfer_id: 'abcde', transfer_rate: 1 });
      if (type !== 'file_chunk') return;
      got += data.data;
      send('file_segment_ack', { transfer_id: data.transfer_id, segment_number: data.chunkNumber });
      if (data.chunkNumber + 1 === data.totalChunks) resolve(got);
    });
  });
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/** Somebody with an id of the broker, a browser of their own, and version 1 or 2 of the protocol. */
async function person(number, version) {
  const browser = await house.browser(number);
  const { page, complaints } = await browser.tab();
  await openWithModules(page, ORIGIN);
  const id = await page.evaluate(register, [SIGNALING, version]);
  return { browser, page, complaints, id };
}

for (const versions of [[2, 2], [1, 1], [2, 1]]) {
  test(`a file crosses from vsn ${versions[0]}.0.0 to vsn ${versions[1]}.0.0`, async () => {
    const [ada, bob] = [await person(1, versions[0]), await person(2, versions[1])];
    const sent = await ada.page.evaluate(share, SIZE);
    assert.deepEqual(await bob.page.evaluate(download, ada.id), sent);
    assert.deepEqual([...ada.complaints, ...bob.complaints], []);
    await Promise.all([ada.browser.close(), bob.browser.close()]);
  });
}

test('nobody takes a topic that is taken, and an id is gone with its browser', async () => {
  const [ada, eve] = [await person(1, 2), await person(2, 2)];
  const refused = await eve.page.evaluate((id) => new Promise((resolve) => {
    const channel = globalThis.socket.channel(`peer:${id}`, {});
    channel.join().receive('ok', () => resolve('in')).receive('error', ({ reason }) => {
      channel.leave();
      resolve(reason);
    });
  }), ada.id);
  assert.equal(refused, 'Peer id is taken');
  const connect = (id) => eve.page.evaluate((id) => globalThis.channel.push('connect', { peer_id: id, sender_id: globalThis.id }) && globalThis.errors, id);
  assert.deepEqual(await connect(ada.id), []);
  await ada.browser.kill();
  await eve.page.waitForFunction((id) => {
    globalThis.channel.push('connect', { peer_id: id, sender_id: globalThis.id });
    return globalThis.errors.some((error) => error.id === id);
  }, ada.id, { timeout: PATIENCE, polling: 200 });
});
