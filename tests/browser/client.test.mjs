// The JavaScript client in Node against the real binary: join, say, come back, knock, lock, kick, close.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { WebSocket } from 'ws';
import { connect } from '../../crates/web/client/client.js';
import { startOnLoopback, wire } from './loopback.mjs';

const house = await startOnLoopback();
const open = [];
afterEach(() => Promise.all(open.splice(0).map((room) => room.leave())));

let number = 0;
const newRoom = () => `room-${(number += 1)}`;

/** Somebody in a room, with all that they heard; the public name of the server is kept where the way leads over a wire. */
function knockAt(room, name, options = {}) {
  const { url = house.url, ...rest } = options;
  const seat = connect({ url, room, name, WebSocket: Direct, ...rest });
  seat.heard = [];
  seat.on('message', ({ from, data }) => seat.heard.push([seat.members.get(from)?.name, data]));
  open.push(seat);
  return seat;
}

/** Says the server's own name at the door, whatever wire leads there. */
class Direct extends WebSocket {
  constructor(url, protocol) {
    super(url, protocol, { headers: { host: `127.0.0.1:${house.port}` } });
  }
}

const sit = (...args) => knockAt(...args).joined;

async function until(met) {
  const end = Date.now() + 30_000;
  while (!met()) {
    if (Date.now() > end) assert.fail(`not met: ${met}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('three meet; what is said to all and to one reaches whom it is for, in order', async () => {
  const room = newRoom();
  const ada = await sit(room, 'Ada', { create: { capacity: 3 }, data: { colour: 'red' } });
  const [bob, cyd] = [await sit(room, 'Bob'), await sit(room, 'Cyd')];
  assert.equal(ada.state.capacity, 3);
  assert.ok(ada.owner.length >= 20);
  assert.equal(bob.owner, null);
  assert.deepEqual([...bob.members.values()].map(({ name, data, polite }) => [name, data, polite]).slice(0, 1), [['Ada', { colour: 'red' }, true]]);
  await ada.send('to all');
  await ada.send('to Cyd', cyd.member);
  await cyd.send({ answer: 1 }, ada.member);
  await until(() => cyd.heard.length === 2 && bob.heard.length === 1 && ada.heard.length === 1);
  assert.deepEqual(cyd.heard, [['Ada', 'to all'], ['Ada', 'to Cyd']]);
  assert.deepEqual(ada.heard, [['Cyd', { answer: 1 }]]);
  await assert.rejects(sit(room, 'Dan'), { code: 'room-full', fault: 'room' });
  await assert.rejects(ada.send('hello', 'nobody'), { code: 'no-such-member' });
});

test('of two, the later one is polite', async () => {
  const room = newRoom();
  const ada = await sit(room, 'Ada');
  const arrival = ada.next('member-joined');
  const bob = await sit(room, 'Bob');
  assert.equal((await arrival).polite, false);
  assert.equal(bob.members.get(ada.member).polite, true);
});

test('a wire that is cut again and again loses nothing, repeats nothing, and keeps the order', async () => {
  const room = newRoom();
  const way = await wire(house.port);
  const ada = await sit(room, 'Ada', { url: way.url });
  const bob = await sit(room, 'Bob');
  const count = 150;
  const all = [];
  for (let said = 0; said < count; said += 1) {
    all.push(ada.send(said), bob.send(said));
    if (said % 30 === 29) {
      way.cut();
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
  await Promise.all(all);
  await until(() => ada.heard.length >= count && bob.heard.length >= count);
  const expected = Array.from({ length: count }, (_, said) => said);
  assert.deepEqual(bob.heard.map(([, said]) => said), expected);
  assert.deepEqual(ada.heard.map(([, said]) => said), expected);
  assert.ok(bob.members.has(ada.member), 'the seat was kept');
});

test('the others see who is away and who is back, and what was said meanwhile is heard', async () => {
  const room = newRoom();
  const way = await wire(house.port);
  const ada = await sit(room, 'Ada', { url: way.url });
  const bob = await sit(room, 'Bob');
  await ada.send('so that the server knows that answers arrive');
  const [away, countdown] = [bob.next('member-away'), ada.next('countdown')];
  way.open = false;
  way.cut();
  assert.equal((await away).name, 'Ada');
  await countdown;
  assert.equal(bob.members.get(ada.member).away, true);
  await bob.send('meanwhile');
  const back = bob.next('member-back');
  way.open = true;
  ada.reconnect();
  assert.equal((await back).name, 'Ada');
  await until(() => ada.heard.length === 1);
  assert.deepEqual(ada.heard, [['Bob', 'meanwhile']]);
});

test('a reload of the tab comes back to the same seat and is still the owner', async () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const room = newRoom();
  const way = await wire(house.port);
  const before = await sit(room, 'Ada', { storage, url: way.url });
  const bob = await sit(room, 'Bob');
  await before.send('first');
  const copy = new Map(kept);
  const countdown = before.next('countdown');
  way.open = false;
  way.cut();
  await countdown;
  await before.leave();
  await bob.send('missed');
  for (const [key, value] of copy) kept.set(key, value);
  way.open = true;
  const after = await sit(room, 'Ada', { storage, url: way.url });
  assert.equal(after.member, before.member);
  assert.equal(after.owner, before.owner);
  await until(() => after.heard.length === 1);
  await after.lock();
  assert.deepEqual(after.heard, [['Bob', 'missed']]);
  assert.deepEqual(bob.heard, [['Ada', 'first']]);
});

test('who is kicked hears why and stays out of it', async () => {
  const room = newRoom();
  const ada = await sit(room, 'Ada');
  const bob = await sit(room, 'Bob');
  const [closed, left] = [bob.next('closed'), ada.next('member-left')];
  await assert.rejects(bob.kick(ada.member), { code: 'forbidden', fault: 'client' });
  await ada.kick(bob.member);
  assert.equal((await closed).reason, 'kicked');
  assert.equal((await left).reason, 'kicked');
  await assert.rejects(bob.send('still here'), { code: 'not-joined' });
});

test('a locked room is closed to newcomers until it is unlocked', async () => {
  const room = newRoom();
  const ada = await sit(room, 'Ada');
  await ada.lock();
  await assert.rejects(sit(room, 'Bob'), { code: 'room-locked' });
  const state = ada.next('state');
  await ada.unlock();
  assert.equal((await state).locked, false);
  await sit(room, 'Bob');
});

test('a passphrase opens, a wrong one does not', async () => {
  const room = newRoom();
  const ada = await sit(room, 'Ada');
  await ada.setPassphrase('open sesame');
  await assert.rejects(sit(room, 'Bob', { passphrase: 'sesame' }), { code: 'wrong-passphrase' });
  assert.equal((await sit(room, 'Bob', { passphrase: 'open sesame' })).state.passphrase, true);
});

test('who knocks waits until the owner opens, or is sent away', async () => {
  const room = newRoom();
  const ada = await sit(room, 'Ada', { create: { knock: true, capacity: 3 } });
  for (const opens of [true, false]) {
    const knock = ada.next('knock');
    const bob = knockAt(room, 'Bob');
    const waiting = bob.next('waiting');
    const { member, name } = await knock;
    await waiting;
    assert.equal(name, 'Bob');
    assert.equal(ada.knocks.size, 1);
    if (opens) {
      await ada.admit(member);
      assert.equal((await bob.joined).connection, 'open');
    } else {
      await ada.deny(member);
      await assert.rejects(bob.joined, { code: 'denied' });
    }
    await until(() => ada.knocks.size === 0);
  }
});

test('the owner closes the room for everybody', async () => {
  const room = newRoom();
  const [ada, bob] = [await sit(room, 'Ada'), await sit(room, 'Bob')];
  const closed = Promise.all([ada.next('closed'), bob.next('closed')]);
  await ada.close().catch(() => {});
  assert.deepEqual((await closed).map(({ reason }) => reason), ['closed', 'closed']);
});

test('the secret may be shown later: a second owner', async () => {
  const room = newRoom();
  const [ada, bob] = [await sit(room, 'Ada'), await sit(room, 'Bob')];
  await assert.rejects(bob.own('a wrong secret'), { code: 'forbidden' });
  await bob.own(ada.owner);
  await bob.lock();
});

test('presence reaches the others, ICE servers come with the seat and on demand', async () => {
  const room = newRoom();
  const [ada, bob] = [await sit(room, 'Ada'), await sit(room, 'Bob')];
  const changed = ada.next('member-changed');
  await bob.setPresence({ muted: true });
  assert.deepEqual((await changed).data, { muted: true });
  assert.ok(ada.iceServers.some(({ urls, credential }) => credential && [urls].flat().some((url) => url.startsWith('turn:'))));
  const ice = ada.next('ice');
  await ada.renewIce();
  assert.ok((await ice).length > 0);
});

test('a message that is too long is refused, and the room goes on', async () => {
  const room = newRoom();
  const [ada, bob] = [await sit(room, 'Ada'), await sit(room, 'Bob')];
  for (const length of [100_000, 1_000_000]) {
    await assert.rejects(ada.send('x'.repeat(length)), { code: 'too-large' }, `${length}`);
  }
  await ada.send('shorter');
  await until(() => bob.heard.length === 1);
  assert.deepEqual(bob.heard, [['Ada', 'shorter']]);
});

test('a server that was restarted knows nobody: the room ends with its reason', async () => {
  const ada = await sit(newRoom(), 'Ada');
  const closed = ada.next('closed');
  await house.server.stop();
  await house.open();
  ada.reconnect();
  assert.equal((await closed).reason, 'expired');
});
