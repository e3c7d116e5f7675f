// Two people behind symmetric NATs: nothing connects them but the relay.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller, exchange, meet } from './caller.mjs';
import { build } from './house.mjs';

const MEGABYTE = 1_000_000;

const house = await build({ kinds: ['symmetric', 'symmetric'] });
const first = await house.browser(1);
const second = await house.browser(2);

async function callers() {
  return [new Caller(await first.tab()), new Caller(await second.tab())];
}

test('a call between two symmetric NATs is relayed, seen on both sides, and carries a megabyte intact', async (t) => {
  const [ada, bob] = await callers();
  const room = house.room();
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  await Promise.all([ada.goesRelayed(), bob.goesRelayed()]);
  t.diagnostic(`two symmetric NATs: connected ${await bob.setUpTime()} ms after Join`);
  await exchange(ada, bob, MEGABYTE);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  await ada.hangUp();
  await bob.hangUp();
});

test('whoever hangs up is heard once, and can rejoin', async () => {
  const [ada, bob] = await callers();
  const room = house.room();
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  for (let again = 1; again <= 2; again += 1) {
    await bob.hangUp();
    await ada.reach('waiting');
    assert.equal(ada.byes, again, 'one goodbye for each hang-up');
    await bob.page.click('#rejoin');
    await meet(ada, bob);
  }
  await ada.hangUp();
  await bob.reach('waiting');
  await ada.page.click('#rejoin');
  await meet(ada, bob);
  assert.equal(bob.byes, 1);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  await ada.hangUp();
  await bob.hangUp();
});

test('the seat of a closed tab is free at once', async () => {
  const [ada, bob] = await callers();
  const room = house.room();
  await ada.join(room);
  await bob.join(room);
  await meet(ada, bob);
  await bob.page.close({ runBeforeUnload: false });
  await ada.reach('waiting');
  assert.equal(ada.byes, 1);
  const cleo = new Caller(await second.tab());
  await cleo.join(room);
  await meet(ada, cleo);
  assert.equal(ada.byes, 1);
  assert.deepEqual([...ada.complaints, ...cleo.complaints], []);
  await ada.hangUp();
  await cleo.hangUp();
});

test('after a browser is killed, the room takes a new caller and the survivor hears one goodbye', async () => {
  const ada = new Caller(await first.tab());
  const doomed = await house.browser(2);
  const bob = new Caller(await doomed.tab());
  const room = house.room();
  await ada.join(room);
  await bob.join(room);
  await meet(ada, bob);
  await doomed.kill();
  const cleo = new Caller(await second.tab());
  await cleo.join(room);
  await meet(ada, cleo);
  assert.equal(ada.byes, 1, 'one goodbye from the dead');
  assert.deepEqual([...ada.complaints, ...cleo.complaints], []);
  await ada.hangUp();
  await cleo.hangUp();
});

test('a third person is told in words that the room is full', async () => {
  const [ada, bob] = await callers();
  const room = house.room();
  await ada.join(room);
  await bob.join(room);
  await meet(ada, bob);
  const cleo = new Caller(await first.tab());
  await cleo.join(room);
  await cleo.reach('full');
  assert.equal(await cleo.page.textContent('#ended-title'), 'This room is full');
  assert.equal(await ada.state(), 'connected');
  await ada.hangUp();
  await bob.hangUp();
});

test('a call survives when one side loses its network for a while', async () => {
  const [ada, bob] = await callers();
  const room = house.room();
  await ada.join(room);
  await bob.join(room);
  await meet(ada, bob);
  house.network.plug(2, 'down');
  await ada.reach('reconnecting');
  house.network.plug(2, 'up');
  await meet(ada, bob);
  assert.equal(ada.byes + bob.byes, 0, 'nobody left');
});
