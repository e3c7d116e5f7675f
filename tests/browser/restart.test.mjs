// The server goes away in the middle of a call and comes back without any memory of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meet } from './caller.mjs';
import { build } from './house.mjs';

test('a direct call goes on without the server, and its members find their room again', async () => {
  const house = await build({ kinds: ['cone', 'cone'] });
  const [ada, bob] = [await house.caller(1), await house.caller(2)];
  const room = house.room();
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  await ada.goesDirect();
  await house.server.stop();
  await Promise.all([ada.sees(), bob.sees()]);
  await house.open();
  await Promise.all([ada.reachSignaling(), bob.reachSignaling()]);
  assert.equal(ada.byes + bob.byes, 0);
  assert.equal(await ada.state(), 'connected');
  await bob.hangUp();
  await ada.reach('waiting');
  await bob.page.click('#rejoin');
  await meet(ada, bob);
});

test('a relayed call comes back when the server does', async () => {
  const house = await build({ kinds: ['symmetric', 'symmetric'] });
  const [ada, bob] = [await house.caller(1), await house.caller(2)];
  const room = house.room();
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  await house.server.stop();
  await ada.reach('reconnecting');
  await house.open();
  await meet(ada, bob);
  await ada.goesRelayed();
  assert.equal(ada.byes + bob.byes, 0);
});
