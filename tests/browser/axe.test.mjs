// An accessibility checker looks at every page, in light and in dark, and finds nothing serious; fingers find their buttons.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller, meet } from './caller.mjs';
import * as drop from './dropper.mjs';
import { build, ORIGIN } from './house.mjs';
import { examine, reach } from './laws.mjs';

const PATIENCE = 90_000;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const house = await build({ kinds: ['open'] });
const browser = await house.browser(1);

test('the landing page', async () => {
  const { page } = await browser.tab(PHONE);
  await page.goto(ORIGIN);
  await page.fill('#room-name', 'ab!');
  await page.keyboard.press('Enter');
  await examine(page, 'landing page with a complaint');
  await reach(page);
});

test('the call page before, while waiting, in the call and after', async () => {
  const [ada, bob] = [new Caller(await browser.tab()), new Caller(await browser.tab(PHONE))];
  const room = house.room();
  await ada.open(room);
  await ada.page.waitForSelector('#join');
  await ada.page.click('#lobby summary');
  await examine(ada.page, 'pre-join');
  await ada.page.click('#join');
  await ada.reach('waiting');
  await examine(ada.page, 'waiting');
  await ada.page.click('#waiting [data-act="invite"]');
  await examine(ada.page, 'invitation');
  await ada.page.keyboard.press('Escape');
  await bob.join(room);
  await meet(ada, bob);
  await ada.page.keyboard.press('i');
  await ada.page.waitForSelector('#details dd');
  await examine(ada.page, 'call with details');
  await ada.page.keyboard.press('i');
  await ada.page.keyboard.press('?');
  await examine(ada.page, 'call with its keys');
  await ada.page.keyboard.press('Escape');
  await bob.page.click('#more-opener');
  await examine(bob.page, 'call on a phone with its menu');
  await reach(bob.page);
  await bob.page.click('[data-act="devices"]');
  await examine(bob.page, 'call on a phone with its devices');
  await reach(bob.page);
  await bob.page.keyboard.press('Escape');
  await bob.page.click('#controls [data-act="chat"]');
  await ada.page.setInputFiles('#chat-files', { name: 'gift.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
  await bob.page.waitForSelector('.parcel button');
  await examine(bob.page, 'call on a phone with a file');
  await reach(bob.page);
  await bob.page.click('#controls [data-act="chat"]');
  await examine(bob.page, 'call on a phone');
  await ada.hangUp();
  await examine(ada.page, 'after the call');
  await bob.hangUp();
});

test('a meeting before, with its panels, on a phone, and after', async () => {
  const room = `${ORIGIN}/meet/examined?people=3`;
  const tabs = [await browser.tab(), await browser.tab(PHONE)];
  const [ada, bob] = tabs.map(({ page }) => page);
  await ada.goto(room);
  await ada.waitForSelector('#join');
  await examine(ada, 'meeting, before');
  await ada.click('#join');
  await ada.waitForSelector('#waiting:not([hidden])');
  await examine(ada, 'meeting, alone');
  await bob.goto(room);
  await bob.click('#join');
  await ada.waitForSelector('.tile[data-path="direct"]', { timeout: PATIENCE });
  await ada.click('#controls [data-act="people"]');
  await examine(ada, 'meeting with its people');
  await bob.click('#controls [data-act="chat"]');
  await bob.fill('#chat-text', 'hello');
  await bob.keyboard.press('Enter');
  await examine(bob, 'meeting with chat on a phone');
  await reach(bob);
  await ada.click('#hang-up');
  await examine(ada, 'meeting, after');
});

test('the learning page in a call', async () => {
  const { page } = await browser.tab(PHONE);
  await page.goto(`${ORIGIN}/learn`);
  await examine(page, 'learning page');
  await page.click('#start');
  await page.click('#call');
  await page.waitForSelector('[data-step="connected"]', { timeout: PATIENCE });
  await page.click('[data-step="offer"] summary');
  await examine(page, 'learning page in a call');
  await reach(page);
});

test('the file drop on both sides, on a phone, and a link to nobody', async () => {
  const from = await drop.sender(browser, PHONE);
  await drop.addRandom(from.page, 'folder/a file with quite a long name for the width of a telephone.bin', 100_000);
  await drop.addRandom(from.page, 'other.bin', 100);
  await from.page.click('summary');
  await from.page.fill('#text', 'hello');
  await from.page.click('#add-text');
  const to = await drop.receiver(browser, from.link, PHONE);
  await drop.download(to.page, 'other.bin');
  for (const [page, what] of [[from.page, 'sender'], [to.page, 'receiver']]) {
    await examine(page, `file drop, ${what}`);
    await reach(page);
  }
  const dead = await drop.receiver(browser, `${ORIGIN}/?peer_id=00000000-0000-4000-8000-000000000000&lang=de`, { connected: false, ...PHONE });
  await drop.reach(dead.page, 'dead');
  await examine(dead.page, 'file drop, dead link');
});

test('the connectivity test with its results and its expert part, on a phone', async () => {
  const { page } = await browser.tab(PHONE);
  await page.goto(`${ORIGIN}/test?seconds=1&lang=de`);
  await examine(page, 'connectivity test');
  await page.click('#start');
  await page.waitForSelector('#start[data-state="done"]', { timeout: PATIENCE });
  await page.click('#expert > summary');
  await page.click('#own');
  await page.click('#gather');
  await page.waitForSelector('#candidates tr');
  for (const summary of await page.$$('.check summary')) await summary.click();
  await examine(page, 'connectivity test with results');
  await reach(page);
});

test('the checker is awake: a picture without a word is found', async () => {
  const { page } = await browser.tab();
  await page.goto(ORIGIN);
  await page.evaluate(() => document.querySelector('main').append(document.createElement('img')));
  await assert.rejects(examine(page, 'spoiled page'), /image-alt/);
});
