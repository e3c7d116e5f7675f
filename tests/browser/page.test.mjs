// The pages by themselves: what they load, what they say, and how they behave without a camera.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller, meet } from './caller.mjs';
import { build, ORIGIN } from './house.mjs';

const house = await build({ kinds: ['open'] });
const browser = await house.browser(1);

test('the landing page leads to a room and remembers it', async () => {
  const { page, complaints } = await browser.tab();
  await page.goto(ORIGIN);
  await page.fill('#room-name', 'ab!');
  await page.keyboard.press('Enter');
  assert.match(await page.textContent('#room-problem'), /letters, digits/);
  await page.click('#random');
  const name = await page.inputValue('#room-name');
  assert.match(name, /^[a-z]{4}(-[a-z]{4}){3}$/);
  await page.click('#open-room');
  await page.waitForURL(`${ORIGIN}/r/${name}`);
  await page.click('#join');
  await page.waitForSelector('#waiting:not([hidden])');
  assert.equal(await page.inputValue('#room-link'), `${ORIGIN}/r/${name}`);
  await page.click('#hang-up');
  await page.click('#new-room');
  await page.waitForURL(`${ORIGIN}/`);
  assert.equal(await page.textContent('#recent-rooms a'), name);
  assert.deepEqual(complaints, []);
});

test('for more than two the landing page leads to a meeting, and remembers it as one', async () => {
  const { page, complaints } = await browser.tab();
  await page.goto(ORIGIN);
  await page.fill('#room-name', 'round-table');
  await page.selectOption('#people', '8');
  await page.click('#open-room');
  await page.waitForURL(`${ORIGIN}/meet/round-table?people=8`);
  await page.click('#join');
  await page.waitForSelector('#waiting:not([hidden])');
  await page.click('#controls [data-act="people"]');
  assert.equal(await page.textContent('#people-count'), '1 of at most 8 here');
  await page.click('#hang-up');
  await page.click('#new-room');
  await page.waitForURL(`${ORIGIN}/`);
  assert.equal(await page.getAttribute('#recent-rooms a:text("round-table")', 'href'), '/meet/round-table');
  assert.deepEqual(complaints, []);
});

test('the language is the browser’s, until another one is chosen', async () => {
  const { page, complaints } = await browser.tab({ locale: 'de-AT' });
  await page.goto(ORIGIN);
  assert.equal(await page.textContent('#open-room'), 'Raum öffnen');
  assert.equal(await page.getAttribute('html', 'lang'), 'de');
  await page.selectOption('#language', 'en');
  await page.waitForSelector('#open-room:text("Open room")');
  await page.goto(house.room());
  assert.equal(await page.textContent('#join'), 'Join');
  await page.goto(house.room('?lang=de'));
  assert.equal(await page.textContent('#join'), 'Eintreten');
  assert.deepEqual(complaints, []);
});

test('every control has a name, a pressed state where it is a switch, and room for a finger', async () => {
  const caller = new Caller(await browser.tab({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }));
  await caller.join(house.room());
  await caller.reach('waiting');
  const controls = await caller.page.$$eval('button, a, input', (all) => all.filter((one) => one.checkVisibility()).map((one) => ({
    name: one.getAttribute('aria-label') ?? (one.textContent.trim() || one.querySelector('img')?.alt),
    act: one.dataset.act,
    pressed: one.getAttribute('aria-pressed'),
    size: Math.min(one.getBoundingClientRect().width, one.getBoundingClientRect().height),
  })));
  assert.ok(controls.length >= 8, `${controls.length} controls`);
  for (const { name, act, pressed, size } of controls) {
    assert.ok(name, `a control without a name: ${act}`);
    assert.ok(size >= 44, `${name} is ${size} pixels`);
    if (['microphone', 'camera', 'fullScreen', 'details'].includes(act)) assert.match(pressed, /^(true|false)$/, name);
  }
  const width = await caller.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `the page is ${width} pixels wide on a phone of 390`);
  await caller.hangUp();
});

test('keys do what the buttons do', async () => {
  const caller = new Caller(await browser.tab());
  const pressed = (act) => caller.page.getAttribute(`#controls [data-act="${act}"]`, 'aria-pressed');
  await caller.join(house.room());
  await caller.reach('waiting');
  await caller.page.waitForSelector('#controls [data-act="microphone"][aria-pressed="true"]');
  await caller.page.keyboard.press('m');
  assert.equal(await pressed('microphone'), 'false');
  await caller.page.keyboard.press('c');
  assert.equal(await pressed('camera'), 'false');
  await caller.page.focus('#room-link');
  await caller.page.keyboard.press('c');
  assert.equal(await pressed('camera'), 'false', 'a text field owns its keys');
  await caller.page.focus('#hang-up');
  await caller.page.keyboard.press('q');
  await caller.reach('left');
  assert.deepEqual(caller.complaints, []);
});

test('without permission the page says so in words, and one can still join and watch', async () => {
  const shy = await house.caller(1, { granted: false });
  const ada = new Caller(await browser.tab());
  const room = house.room();
  await shy.open(room);
  await shy.page.waitForFunction(() => document.getElementById('problem').textContent !== '');
  assert.match(await shy.page.textContent('#problem'), /blocked for this site.*You can still join/);
  await shy.page.click('#join');
  await ada.join(room);
  await Promise.all([shy.reach('connected'), ada.reach('connected')]);
  await shy.sees();
  await ada.page.waitForSelector('#peer-media:not([hidden])');
  assert.equal(await ada.page.textContent('#peer-media'), 'Their microphone and camera are off');
  assert.deepEqual([...shy.complaints, ...ada.complaints], []);
  await ada.hangUp();
  await shy.hangUp();
});

test('over plain http the page says why there is no camera, and one can still join and watch', async () => {
  const insecure = await house.caller(1, { secure: false });
  const ada = new Caller(await browser.tab());
  const room = house.room();
  await insecure.open(room);
  assert.match(await insecure.page.textContent('#problem'), /https.*You can still join/);
  await insecure.page.click('#join');
  await ada.join(room);
  await Promise.all([insecure.reach('connected'), ada.reach('connected')]);
  await insecure.sees();
  assert.deepEqual([...insecure.complaints, ...ada.complaints], []);
  await ada.hangUp();
  await insecure.hangUp();
});

test('the other side sees who is muted', async () => {
  const [ada, bob] = [new Caller(await browser.tab()), new Caller(await browser.tab())];
  const room = house.room();
  await ada.join(room);
  await bob.join(room);
  await meet(ada, bob);
  await bob.page.click('#controls [data-act="microphone"]');
  await ada.page.waitForSelector('#peer-media:not([hidden])');
  assert.equal(await ada.page.textContent('#peer-media'), 'Their microphone is off');
  await bob.page.click('#controls [data-act="microphone"]');
  await ada.page.waitForSelector('#peer-media', { state: 'hidden' });
  await ada.hangUp();
  await bob.hangUp();
});

test('a room of one who only listens offers nothing and receives both', async () => {
  const [ada, bob] = [new Caller(await browser.tab()), new Caller(await browser.tab())];
  const room = house.room();
  await ada.join(`${room}?audio=false&video=false`);
  await ada.reach('waiting');
  await bob.join(room);
  await Promise.all([ada.reach('connected'), bob.reach('connected')]);
  await ada.sees();
  const directions = await bob.page.evaluate(() => window.posthouse.pc.getTransceivers().map((one) => one.currentDirection));
  assert.deepEqual(directions, ['sendonly', 'sendonly']);
  await ada.hangUp();
  await bob.hangUp();
});
