// Two people whose firewalls let no UDP out: the call goes over the relay, by TCP.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange, meet } from './caller.mjs';
import { build } from './house.mjs';

const MEGABYTE = 1_000_000;

const house = await build({ kinds: ['symmetric', 'symmetric'] });

test('where UDP is blocked, a call is relayed over TCP on both sides and carries a megabyte intact', async (t) => {
  for (const number of [1, 2]) house.network.firewall(number, 'meta l4proto tcp');
  const [ada, bob] = [await house.caller(1), await house.caller(2)];
  const room = house.room();
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  await Promise.all([ada.goesRelayed(), bob.goesRelayed()]);
  t.diagnostic(`UDP blocked on both sides: connected ${await bob.setUpTime()} ms after Join`);
  for (const one of [ada, bob]) {
    assert.equal(await one.path(), 'relay to relay');
    assert.equal(await one.relayProtocol(), 'tcp');
  }
  for (const number of [1, 2]) assert.ok(house.network.stopped(number) > 0, `firewall ${number} had UDP to stop`);
  await exchange(ada, bob, MEGABYTE);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  await ada.hangUp();
  await bob.hangUp();
});
