// HelloWebRTC's own pages of 2014, unchanged, in two browsers: both dialects, at the root of the listener as they know it.
// They have no licence, so no copy is here; `HELLOWEBRTC` names a checkout of `kyorohiro/HelloWebRTC`.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build, ORIGIN } from './house.mjs';

const PATIENCE = 60_000;
const FOLDER = process.env.HELLOWEBRTC;
const skip = !FOLDER && '*** SKIPPED HelloWebRTC: name a checkout of kyorohiro/HelloWebRTC in HELLOWEBRTC';

const house = skip ? null : await build({ kinds: ['open', 'open'], extra: '[signaling]\nroot = "hello"\n' });

/** Its pages, from where they lie; the server that they name is at the address where ours is. */
async function open(number, folder) {
  const { page } = await (await house.browser(number)).tab();
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  await page.addInitScript(eraOf2014, `${ORIGIN.replace('http', 'ws')}/`);
  await page.route(`${ORIGIN}/**`, (route) => {
    const path = join(FOLDER, folder, new URL(route.request().url()).pathname);
    if (!existsSync(path)) return route.fulfill({ status: 404, body: '' });
    const contentType = path.endsWith('.html') ? 'text/html' : 'text/javascript';
    return route.fulfill({ contentType, body: readFileSync(path, 'utf8') });
  });
  await page.goto(`${ORIGIN}/sample.html`);
  return { page, said };
}

/**
 * What browsers had in 2014 and have no more: `createOffer` and `createAnswer` that answer to a callback alone. `ws://localhost:8080`, which stands in the pages, leads to the server under test.
 */
function eraOf2014(server) {
  const Socket = globalThis.WebSocket;
  globalThis.WebSocket = function WebSocket() {
    globalThis.signaling = new Socket(server);
    return globalThis.signaling;
  };
  const { prototype } = globalThis.RTCPeerConnection;
  for (const name of ['createOffer', 'createAnswer']) {
    const make = prototype[name];
    prototype[name] = function create(done) {
      return make.call(this).then(done);
    };
  }
}

const connected = ({ page }) =>
  page.waitForFunction(() => globalThis.signaling?.readyState === 1, null, { timeout: PATIENCE });

/** Waits until the page has written a line with these words to its console. */
async function says({ said }, words) {
  const end = Date.now() + PATIENCE;
  while (!said.some((line) => line.includes(words))) {
    assert.ok(Date.now() < end, `never said '${words}':\n${said.slice(-30).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('the page of dialect B meets another, trickles candidates and says hello', { skip }, async () => {
  const [ada, bob] = [await open(1, 'signalPeer'), await open(2, 'signalPeer')];
  await connected(ada);
  await connected(bob);
  await ada.page.click('#join');
  await says(ada, 'joinNetwork():');
  await bob.page.click('#join');
  await ada.page.getByText('offer', { exact: true }).first().click({ timeout: PATIENCE });
  await ada.page.getByText('good job').first().click({ timeout: PATIENCE });
  await bob.page.getByText('::hello').waitFor({ timeout: PATIENCE });
});

test('the page of dialect A meets another and says hello', { skip }, async () => {
  const [ada, bob] = [await open(1, 'signalServer'), await open(2, 'signalServer')];
  for (const [one, name] of [[ada, 'ada'], [bob, 'bob']]) {
    await connected(one);
    await one.page.evaluate((name) => { globalThis._mMyUUID = name; document.getElementById('uuid').textContent = name; }, name);
  }
  await ada.page.click('#join');
  await ada.page.locator('button[value=ada]').waitFor({ timeout: PATIENCE });
  await bob.page.click('#join');
  await ada.page.locator('button[value=bob]').click({ timeout: PATIENCE });
  await says(bob, 'onopen:');
  await says(ada, 'onopen:');
  await ada.page.click('#sendOffer');
  await says(bob, 'onmessage:hello');
});
