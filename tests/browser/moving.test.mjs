// Somebody walks out of the house in the middle of a call: another network, another address, the same call.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller, meet } from './caller.mjs';
import { Guest } from './guest.mjs';
import { build, ORIGIN } from './house.mjs';
import { until } from './until.mjs';

const PATIENCE = 90_000;

const house = await build({ kinds: ['cone', 'cone'] });
const [stays, moves] = [await house.browser(1), await house.browser(2)];

/** Waits until what `page` sends comes from one of `addresses`, and tells how many seconds that took. */
async function sendsFrom(page, addresses) {
  const begun = Date.now();
  await until(page, async (addresses) => {
    const { pc, peers } = window.posthouse;
    const [connection] = pc ? [pc] : [...peers?.connections.values() ?? []].map((one) => one.pc);
    const stats = await connection?.getStats();
    const transport = [...stats?.values() ?? []].find(({ type }) => type === 'transport');
    const { address, relatedAddress } = stats?.get(stats.get(transport?.selectedCandidatePairId)?.localCandidateId) ?? {};
    return connection?.connectionState === 'connected' && [address, relatedAddress].some((one) => addresses.includes(one));
  }, addresses, PATIENCE);
  return (Date.now() - begun) / 1000;
}

/** Every state that the page has from now on. */
async function record(page) {
  await page.evaluate(() => {
    window.testStates = [];
    new MutationObserver(() => window.testStates.push(document.getElementById('stage').dataset.state))
      .observe(document.getElementById('stage'), { attributeFilter: ['data-state'] });
  });
}

/** Fails when the page ever told its user that the room is full, or that the call is over. */
async function neverThrownOut(page) {
  const states = await page.evaluate(() => window.testStates);
  assert.deepEqual(states.filter((state) => ['full', 'left', 'unreachable', 'waiting'].includes(state)), [], `states: ${states}`);
}

test('a meeting goes on when one of its members comes into another network', async (t) => {
  const [ada, bob] = [new Guest('Ada', await stays.tab()), new Guest('Bob', await moves.tab())];
  for (const one of [ada, bob]) await one.enter(`${ORIGIN}/meet/walk?people=3`);
  await Promise.all([ada.sees(1), bob.sees(1)]);
  const member = () => bob.page.evaluate(() => window.posthouse.room.member);
  const before = await member();
  for (const { page } of [ada, bob]) await record(page);
  const after = house.network.move(2);
  t.diagnostic(`meeting: the new way was in use after ${await sendsFrom(bob.page, Object.values(after))} s`);
  await Promise.all([ada.reach('connected'), bob.reach('connected'), ada.sees(1), bob.sees(1)]);
  assert.equal(await member(), before, 'the same seat');
  assert.match(String(await ada.tiles()), /^Bob/);
  for (const { page } of [ada, bob]) await neverThrownOut(page);
  for (const one of [bob, ada]) await one.press('hangUp');
});

test('a call goes on when one of its two comes into another network', async (t) => {
  const [ada, bob] = [new Caller(await stays.tab()), new Caller(await moves.tab())];
  const room = house.room();
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  for (const { page } of [ada, bob]) await record(page);
  const after = house.network.move(2);
  t.diagnostic(`call: the new way was in use after ${await sendsFrom(bob.page, Object.values(after))} s`);
  await meet(ada, bob);
  for (const { page } of [ada, bob]) await neverThrownOut(page);
  assert.equal(ada.byes + bob.byes, 0, 'nobody left');
  for (const one of [bob, ada]) await one.hangUp();
});
