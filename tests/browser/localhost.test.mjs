// The first minute: the binary without any configuration, and two tabs on the same machine.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import { launch } from './browser.mjs';
import { Caller, meet } from './caller.mjs';
import { Network } from './network.mjs';
import { start } from './server.mjs';

const ORIGIN = 'http://127.0.0.1:8080';

// The server's own home has a network card, as every machine has: browsers leave loopback out when they look for addresses.
const network = new Network();
const namespace = network.server;
const server = await start({ namespace });
const browser = await launch({ namespace, origin: ORIGIN });
after(async () => {
  await browser.close();
  await server.stop();
  network.remove();
});

async function call(query) {
  const [ada, bob] = [new Caller(await browser.tab()), new Caller(await browser.tab())];
  const room = `${ORIGIN}/r/two-tabs${query}`;
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  return [ada, bob];
}

test('two tabs on the same machine hold a call', async (t) => {
  const [ada, bob] = await call('');
  await Promise.all([ada.goesDirect(), bob.goesDirect()]);
  t.diagnostic(`one machine: connected ${await bob.setUpTime()} ms after Join`);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  await ada.hangUp();
  await bob.hangUp();
});

test('two tabs hold a call over the relay alone', async () => {
  const [ada, bob] = await call('?it=relay');
  await Promise.all([ada.goesRelayed(), bob.goesRelayed()]);
  assert.equal(await ada.path(), 'relay to relay');
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  await ada.hangUp();
  await bob.hangUp();
});

test('nothing listens beyond this machine', () => {
  const sockets = execFileSync('ip', ['netns', 'exec', namespace, 'ss', '-Hlntup'], { encoding: 'utf8' });
  const open = sockets.split('\n').filter((line) => line.includes('posthouse')).map((line) => line.split(/\s+/)[4]);
  assert.ok(open.length > 0, 'the server listens');
  for (const address of open) assert.match(address, /^(127\.|\[::1\])/, `listens on ${address}`);
});
