// The learning page: its three buttons in their order, over each kind of ICE servers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, ORIGIN } from './house.mjs';

const PATIENCE = 30_000;

const house = await build({ kinds: ['open'] });
const browser = await house.browser(1);

/** Which of the three buttons can be pressed. */
function offered(page) {
  return page.$$eval('#start, #call, #hang-up', (buttons) => buttons.filter((one) => !one.disabled).map((one) => one.id).join(' '));
}

/** Waits until the step `name` was shown, and says what it says. */
async function step(page, name) {
  const shown = page.locator(`#steps [data-step="${name}"]`).first();
  await shown.waitFor({ timeout: PATIENCE }).catch(async () => assert.fail(`no step ${name} in: ${await page.textContent('#steps')}`));
  return shown.textContent();
}

async function call(page, servers) {
  await page.check(`#choices [value="${servers}"]`);
  await page.click('#call');
  await step(page, 'connected');
  await page.waitForFunction(() => document.getElementById('callee-video').getVideoPlaybackQuality().totalVideoFrames > 5, null, { timeout: PATIENCE });
  assert.equal(await offered(page), 'hang-up');
}

test('start, call and hang up are offered one after the other, and every step is shown', async () => {
  const { page, complaints } = await browser.tab();
  await page.goto(`${ORIGIN}/learn`);
  assert.equal(await offered(page), 'start');
  await page.click('#start');
  await page.waitForSelector('#call:enabled');
  assert.equal(await offered(page), 'call');
  await call(page, 'none');
  for (const name of ['offer', 'answer']) assert.match(await step(page, name), /v=0\r?\n/);
  assert.match(await step(page, 'made'), /with 0 ICE servers and policy “all”/);
  for (const name of ['added', 'offerLocal', 'offerRemote', 'answerLocal', 'answerRemote', 'track']) await step(page, name);
  for (const side of ['caller', 'callee']) {
    assert.equal(await page.textContent(`#states [data-side="${side}"][data-state="connectionState"]`), 'connected');
    assert.ok((await page.$$(`#${side}-candidates [data-type="host"]`)).length > 0, `${side} has candidates`);
  }
  await page.click('#hang-up');
  assert.equal(await offered(page), 'call');
  await step(page, 'hungUp');
  assert.deepEqual(complaints, []);
});

test('through the relay alone both sides have relayed candidates and nothing else', async () => {
  const { page, complaints } = await browser.tab();
  await page.goto(`${ORIGIN}/learn`);
  await page.click('#start');
  await page.waitForSelector('#call:enabled');
  await call(page, 'relay');
  assert.match(await step(page, 'connected'), /of type relay to one of type relay/);
  const types = await page.$$eval('#caller-candidates li, #callee-candidates li', (all) => all.map((one) => one.dataset.type));
  assert.ok(types.length >= 2 && types.every((type) => type === 'relay'), `candidates: ${types}`);
  await page.click('#hang-up');
  await call(page, 'own');
  await page.click('#hang-up');
  assert.deepEqual(complaints, []);
});

test('where there is no camera a drawn picture is called with, by keyboard alone', async () => {
  const shy = await house.browser(1, { granted: false });
  const { page, complaints } = await shy.tab();
  await page.goto(`${ORIGIN}/learn?lang=de`);
  await page.focus('#start');
  await page.keyboard.press('Enter');
  assert.match(await step(page, 'drawn'), /gezeichnetes Bild/);
  await page.check('#choices [value="relay"]');
  await page.focus('#call');
  await page.keyboard.press('Enter');
  await step(page, 'connected');
  await page.keyboard.press('Enter');
  await step(page, 'hungUp');
  assert.deepEqual(complaints, []);
});
