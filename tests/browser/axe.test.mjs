// An accessibility checker looks at every page, in light and in dark, and finds nothing serious; fingers find their buttons.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Caller, meet } from './caller.mjs';
import { build, ORIGIN } from './house.mjs';

const PATIENCE = 90_000;
const AXE = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const house = await build({ kinds: ['open'] });
const browser = await house.browser(1);

/** Fails with what axe finds on the page as it is now. */
async function examine(page, what) {
  await page.evaluate(AXE);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(async () => {
      // A colour on its way to another one is neither.
      await Promise.all(document.getAnimations().map((animation) => animation.finished));
      return (await axe.run(document)).violations;
    });
    const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
    const told = serious.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
    assert.deepEqual(told, [], `${what}, ${colorScheme}`);
  }
}

/** Fails where a finger does not fit (44 pixels), or the page is wider than the telephone. A label is as good as its field. */
async function reach(page) {
  const controls = await page.$$eval('button, a, summary, select, textarea, input', (all) => all.filter((one) => one.checkVisibility()).map((one) => {
    const { width, height } = (one.closest('label') ?? one).getBoundingClientRect();
    return { name: one.id || one.textContent, size: Math.min(width, height) };
  }));
  assert.ok(controls.length > 3, `${controls.length} controls`);
  assert.deepEqual(controls.filter(({ size }) => size < 44), []);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= PHONE.viewport.width, `the page is ${width} pixels wide`);
}

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
  await examine(ada.page, 'pre-join');
  await ada.page.click('#join');
  await ada.reach('waiting');
  await examine(ada.page, 'waiting');
  await bob.join(room);
  await meet(ada, bob);
  await ada.page.keyboard.press('i');
  await examine(ada.page, 'call with details');
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
