// The client against a server that loses what it is told to lose.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { connect, RoomError } from '../client.js';
import { House } from './house.mjs';

const open = [];
afterEach(() => Promise.all(open.splice(0).map((room) => room.leave())));

const URL = 'https://calls.example';

/** Somebody in a room of `house`, with all that they heard. */
async function sit(house, name, options = {}) {
  const room = connect({ url: URL, room: 'kitchen', name, WebSocket: house.WebSocket, ...options });
  open.push(room);
  room.heard = [];
  room.on('message', ({ data }) => room.heard.push(data));
  return room.joined;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

test('two meet, and what one says reaches the other once, acknowledged', async () => {
  const house = new House();
  const ada = await sit(house, 'Ada');
  const arrival = ada.next('member-joined');
  const bob = await sit(house, 'Bob');
  assert.equal((await arrival).name, 'Bob');
  assert.deepEqual([...bob.members.values()], [{ member: ada.member, name: 'Ada', data: null, polite: true, away: false }]);
  assert.equal(house.newest().url, 'wss://calls.example/v1/socket');
  assert.equal(house.newest().protocol, 'posthouse.v1');
  await ada.send('to all');
  await bob.send({ to: 'you' }, ada.member);
  await settled();
  assert.deepEqual([ada.heard, bob.heard], [[{ to: 'you' }], ['to all']]);
});

test('a cut socket loses nothing in either direction and brings nothing twice', async () => {
  const house = new House();
  const [ada, bob] = [await sit(house, 'Ada'), await sit(house, 'Bob')];
  const said = Array.from({ length: 200 }, (_, number) => number);
  const sent = said.map((number) => {
    if (number % 37 === 0) setImmediate(() => house.cut());
    return Promise.all([ada.send(number), bob.send(String(number))]);
  });
  await Promise.all(sent);
  while (bob.heard.length < said.length || ada.heard.length < said.length) await settled();
  assert.deepEqual(bob.heard, said);
  assert.deepEqual(ada.heard, said.map(String));
  assert.ok(house.heard.some(({ type }) => type === 'resume'));
});

test('an answer that got lost is asked for again, and the request is done once', async () => {
  const house = new House();
  const [ada, bob] = [await sit(house, 'Ada'), await sit(house, 'Bob')];
  house.losesAnswersTo = 'send';
  await ada.send('once');
  await settled();
  assert.deepEqual(bob.heard, ['once']);
  const ids = house.heard.filter(({ type }) => type === 'send').map(({ id }) => id);
  assert.equal(ids.length, 2);
  assert.equal(ids[0], ids[1]);
});

test('while the server is away there is a countdown; reconnect ends the wait', async () => {
  const house = new House();
  const ada = await sit(house, 'Ada');
  const countdown = ada.next('countdown');
  house.down = true;
  house.cut();
  assert.equal(typeof (await countdown).seconds, 'number');
  assert.equal(ada.connection, 'away');
  const request = ada.send('kept until then');
  house.down = false;
  const back = ada.next('back');
  ada.reconnect();
  await back;
  await request;
  assert.equal(ada.connection, 'open');
});

test('a session that the server forgot ends with its reason, and so do its requests', async () => {
  const house = new House();
  const ada = await sit(house, 'Ada');
  const closed = ada.next('closed');
  house.forget();
  house.cut();
  await settled();
  const request = ada.send('lost');
  const { reason, error } = await closed;
  assert.equal(reason, 'expired');
  assert.equal(error.code, 'resume-expired');
  await assert.rejects(request, RoomError);
  await assert.rejects(ada.send('more'), { code: 'not-joined' });
});

test('whoever is replaced stays out: two pages do not fight for a seat', async () => {
  const house = new House();
  const ada = await sit(house, 'Ada');
  const closed = ada.next('closed');
  house.newest().finish(4409, 'replaced');
  assert.equal((await closed).reason, 'replaced');
  await settled();
  assert.equal(house.sockets.length, 1);
});

test('a full room is an error that says whose fault it is', async () => {
  const house = new House();
  for (const name of ['Ada', 'Bob', 'Cyd', 'Dan']) await sit(house, name);
  await assert.rejects(sit(house, 'Eve'), { code: 'room-full', fault: 'room' });
});

test('a reload comes back to the same seat with what was missed', async () => {
  const house = new House();
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const bob = await sit(house, 'Bob');
  const before = await sit(house, 'Ada', { storage });
  await before.send('first');
  const copy = new Map(kept);
  // The page is no more: nothing of it is said to the server.
  house.down = true;
  const away = before.next('countdown');
  house.newest().lose();
  await away;
  await before.leave();
  house.down = false;
  for (const [key, value] of copy) kept.set(key, value);
  await bob.send('missed');
  house.knocks = [{ member: 'm9', name: 'Eve' }];
  const after = connect({ url: URL, room: 'kitchen', name: 'Ada', WebSocket: house.WebSocket, storage });
  open.push(after);
  const missed = after.next('message');
  const how = after.next('joined');
  const knock = after.next('knock');
  await after.joined;
  assert.deepEqual(await how, { resumed: true });
  assert.equal((await knock).name, 'Eve');
  house.post(house.seats('kitchen')[1], { type: 'knock', member: 'm9', name: 'Eve' });
  house.post(house.seats('kitchen')[1], { type: 'knock', member: 'm10', name: 'Joe' });
  assert.equal((await after.next('knock')).name, 'Joe', 'nobody is told of twice');
  assert.deepEqual([...after.knocks.keys()], ['m9', 'm10']);
  assert.equal(after.member, before.member);
  assert.equal((await missed).data, 'missed');
  await after.send('second');
  await settled();
  assert.deepEqual(bob.heard, ['first', 'second']);
});

test('events are acknowledged each 32 of them', async () => {
  const house = new House();
  const [ada, bob] = [await sit(house, 'Ada'), await sit(house, 'Bob')];
  for (let number = 0; number < 70; number += 1) await ada.send(number);
  while (bob.heard.length < 70) await settled();
  await settled();
  assert.ok(house.heard.filter(({ type }) => type === 'ack').length >= 2);
  assert.ok(house.seats('kitchen')[1].box.length < 32);
});

test('signals of a mesh are no messages of the application', async () => {
  const house = new House();
  const [ada, bob] = [await sit(house, 'Ada'), await sit(house, 'Bob')];
  const signal = bob.next('signal');
  await ada.send({ peers: { from: 'a', signals: [] } });
  assert.equal((await signal).from, ada.member);
  assert.deepEqual(bob.heard, []);
});
