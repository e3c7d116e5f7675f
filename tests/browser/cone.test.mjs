// Two people behind cone NATs find each other without the relay, once the server has told them their addresses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meet } from './caller.mjs';
import { build } from './house.mjs';

const house = await build({ kinds: ['cone', 'cone', 'symmetric', 'open'] });

test('a call between two cone NATs is direct', async (t) => {
  const [ada, bob] = [await house.caller(1), await house.caller(2)];
  const room = house.room();
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  await Promise.all([ada.goesDirect(), bob.goesDirect()]);
  t.diagnostic(`two cone NATs: connected ${await bob.setUpTime()} ms after Join`);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
});

test('a symmetric NAT reaches an open client without the relay', async (t) => {
  const [ada, bob] = [await house.caller(3), await house.caller(4)];
  const room = house.room();
  await ada.join(room);
  await bob.join(room);
  await meet(ada, bob);
  await Promise.all([ada.goesDirect(), bob.goesDirect()]);
  t.diagnostic(`an open client and a symmetric NAT: connected ${await bob.setUpTime()} ms after Join`);
});
