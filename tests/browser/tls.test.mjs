// Two people whose firewalls let nothing out but TCP to port 443: page, WebSocket and TURN over TLS share that port.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Authority } from './authority.mjs';
import { exchange, meet } from './caller.mjs';
import { build } from './house.mjs';
import { SERVER_ADDRESS } from './network.mjs';

const MEGABYTE = 1_000_000;
const HOST = 'posthouse.test';
const URL = `https://${HOST}`;

const authority = new Authority();
const extra = `${authority.certify(HOST)}[edge]\nlisten = ["${SERVER_ADDRESS}:443"]\n`;
const house = await build({ kinds: ['symmetric', 'symmetric'], extra, url: URL });
for (const number of [1, 2]) {
  house.network.name(number, HOST);
  house.network.firewall(number, `ip daddr ${SERVER_ADDRESS} tcp dport 443`);
}

/** Somebody whose browser trusts the test's authority, and needs no permission to take the page as secure. */
function caller(number) {
  return house.caller(number, { secure: false, home: authority.home() });
}

test('where only port 443 is open, page, WebSocket and TURN over TLS all go through it', async (t) => {
  const [ada, bob] = [await caller(1), await caller(2)];
  const room = house.room();
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  await Promise.all([ada.goesRelayed(), bob.goesRelayed()]);
  t.diagnostic(`nothing but port 443 on both sides: connected ${await bob.setUpTime()} ms after Join`);
  for (const one of [ada, bob]) {
    assert.equal(await one.path(), 'relay to relay');
    assert.equal(await one.relayProtocol(), 'tls');
    assert.ok(one.page.url().startsWith(`${URL}/`), one.page.url());
    assert.deepEqual(one.sockets.map((url) => new globalThis.URL(url).origin), [`wss://${HOST}`]);
  }
  for (const number of [1, 2]) assert.ok(house.network.stopped(number) > 0, `firewall ${number} had something to stop`);
  await exchange(ada, bob, MEGABYTE);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  await ada.hangUp();
  await bob.hangUp();
});

test('a browser that does not know the authority shows no page', async () => {
  const stranger = await house.caller(1, { secure: false });
  await assert.rejects(stranger.open(`${URL}/`), /ERR_CERT_AUTHORITY_INVALID/);
});

test('whoever types http is led to the page over https', async () => {
  const ada = await caller(2);
  // Chromium would go to port 80, which is closed here; the port that is open is asked for by hand.
  await ada.open(`http://${HOST}:443/r/typed`);
  assert.equal(ada.page.url(), `${URL}/r/typed`);
});
