// Firefox ESR: it calls Chromium, meets others, and sees what Chromium sees on every page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Authority } from './authority.mjs';
import { Caller, exchange, meet } from './caller.mjs';
import { at, report, run } from './checks.mjs';
import { Guest } from './guest.mjs';
import * as drop from './dropper.mjs';
import { build } from './house.mjs';
import { SERVER_ADDRESS } from './network.mjs';

const PATIENCE = 60_000;
const MEGABYTE = 1_000_000;
const HOST = 'posthouse.test';
const URL = `https://${HOST}`;

const authority = new Authority();
const extra = `${authority.certify(HOST)}[edge]\nlisten = ["${SERVER_ADDRESS}:443"]\n`;
const house = await build({ kinds: ['open', 'open'], extra, url: URL });
for (const number of [1, 2]) house.network.name(number, HOST);
const fox = await house.firefox(1, { authority: authority.certificate });
const chromium = await house.browser(2, { secure: false, home: authority.home() });

test('these browsers', (t) => t.diagnostic(`${fox.version}, ${chromium.version}`));

/** `first` waits in a room until `second` comes. */
async function call(first, second, query = '') {
  const [ada, bob] = [new Caller(await first.tab()), new Caller(await second.tab())];
  const room = house.room(query);
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  return [ada, bob];
}

async function end(...callers) {
  assert.deepEqual(callers.flatMap(({ complaints }) => complaints), []);
  for (const one of callers) await one.hangUp();
}

for (const [who, first, second] of [['Firefox calls Chromium', fox, chromium], ['Chromium calls Firefox', chromium, fox]]) {
  test(`${who}: both see each other, the path is direct, a megabyte crosses the data channel`, async (t) => {
    const [ada, bob] = await call(first, second);
    await Promise.all([ada.goesDirect(), bob.goesDirect()]);
    t.diagnostic(`two open clients: connected ${await bob.setUpTime()} ms after Join`);
    await exchange(ada, bob, MEGABYTE);
    await end(ada, bob);
  });
}

for (const [who, first, second] of [['Firefox to Chromium', fox, chromium], ['Chromium to Firefox', chromium, fox]]) {
  test(`a file goes from ${who}, whole and checked, under one safety code`, async () => {
    const from = await drop.sender(first, { origin: URL });
    await drop.addRandom(from.page, 'file.bin', 40 * MEGABYTE);
    const to = await drop.receiver(second, from.link);
    const code = await drop.code(to.page);
    await from.page.waitForSelector(`#visitors [data-safety="${code}"]`, { timeout: PATIENCE });
    const row = await drop.row(to.page, 'file.bin');
    await (await row.$('.actions button')).click();
    await to.page.waitForSelector('.transfer[data-state="done"]', { timeout: PATIENCE });
    await from.page.waitForSelector('#visitors [data-received="1"]', { timeout: PATIENCE });
    assert.deepEqual([...from.complaints, ...to.complaints], []);
    await Promise.all([from, to].map(({ page }) => page.close()));
  });
}

test('Firefox and Chromium call each other over the relay alone', async () => {
  const [ada, bob] = await call(fox, chromium, '?it=relay');
  await Promise.all([ada.goesRelayed(), bob.goesRelayed()]);
  // Checks may tell a relay's address before signaling does: a peer-reflexive one, RFC 8445 §7.3.1.3.
  for (const one of [ada, bob]) assert.match(await one.path(), /^relay to (relay|prflx)$/);
  await end(ada, bob);
});

test('two Firefoxes and a Chromium meet: everybody sees everybody, and chat reaches all', async () => {
  const guests = [];
  for (const [name, browser] of [['Ada', fox], ['Bob', chromium], ['Cyd', fox]]) {
    const one = new Guest(name, await browser.tab());
    await one.enter(`${URL}/meet/foxes?people=3`);
    await one.reach(guests.length === 0 ? 'waiting' : 'connected');
    guests.push(one);
  }
  await Promise.all(guests.map((one) => one.sees(2)));
  await Promise.all(guests.map((one) => one.canChat(2)));
  for (const one of guests) {
    await one.press('chat');
    await one.page.fill('#chat-text', `hello from ${one.name}`);
    await one.page.keyboard.press('Enter');
  }
  for (const one of guests) {
    for (const { name } of guests) {
      await one.page.waitForSelector(`#chat-log p:has-text("hello from ${name}")`, { state: 'attached', timeout: PATIENCE });
    }
  }
  assert.deepEqual(guests.flatMap(({ complaints }) => complaints), []);
  for (const one of guests) await one.press('hangUp');
});

test('the learning page calls in Firefox, directly and over the relay alone', async () => {
  const { page, complaints } = await fox.tab();
  await page.goto(`${URL}/learn`);
  await page.click('#start');
  for (const servers of ['none', 'relay']) {
    await page.waitForSelector('#call:enabled');
    await page.check(`#choices [value="${servers}"]`);
    await page.click('#call');
    await page.waitForSelector('#steps [data-step="connected"]', { timeout: PATIENCE });
    await page.evaluate(async () => {
      const video = document.getElementById('callee-video');
      for (let frames = 0; frames < 5; frames += 1) await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    });
    await page.click('#hang-up');
  }
  assert.deepEqual(complaints, []);
});

test('the connectivity test is all green in Firefox on an open network', async () => {
  const { page, complaints } = await fox.tab();
  await page.goto(`${URL}/test?seconds=1`);
  const levels = await run(page);
  assert.equal(at(levels, 'good').length, 14, await report(page));
  // Firefox says so of every connection that fails, and some must: with a wrong credential, towards a forbidden peer.
  assert.deepEqual(complaints.filter((complaint) => !/^exception: ICE failed, /.test(complaint)), []);
});

test('what Firefox refuses by the page’s own policy is noticed here', async () => {
  const { page, complaints } = await fox.tab();
  await page.goto(URL);
  await page.evaluate(() => document.body.append(Object.assign(new Image(), { src: 'https://elsewhere.test/dot.png' })));
  await page.waitForFunction(() => document.images[document.images.length - 1].complete);
  assert.match(complaints.join(), /policy violation: img-src https:\/\/elsewhere.test/);
});
