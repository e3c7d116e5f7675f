// The page of a meeting: four in a mesh with pictures on every side, chat, lock, knock and removal by the owner, a lost wire, a reload.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guest } from './guest.mjs';
import { build, ORIGIN } from './house.mjs';
import { until } from './until.mjs';

const PATIENCE = 60_000;

const house = await build({ kinds: ['open'] });
const browser = await house.browser(1);

let number = 0;
const newRoom = (people = 4) => `${ORIGIN}/meet/meeting-${(number += 1)}?people=${people}`;

const guest = async (name, options) => new Guest(name, await browser.tab(options));

async function gathering(names, url = newRoom()) {
  const guests = [];
  for (const [index, name] of names.entries()) {
    const one = await guest(name);
    await one.enter(url);
    await one.reach(index === 0 ? 'waiting' : 'connected');
    guests.push(one);
  }
  return guests;
}

/** Who still shows pictures keeps the machine from the next test. */
const close = (...guests) => Promise.all(guests.map(({ page }) => page.context().close()));

async function end(...guests) {
  assert.deepEqual(guests.flatMap(({ complaints }) => complaints), []);
  await close(...guests);
}

test('four meet: everybody sees everybody, chat reaches all, and a fifth is told that it is full', async () => {
  const url = newRoom();
  const guests = await gathering(['Ada', 'Bob', 'Cyd', 'Dan'], url);
  await Promise.all(guests.map((one) => one.sees(3)));
  const [ada, bob, cyd, dan] = guests;
  assert.deepEqual(await ada.tiles(), ['Bob', 'Cyd', 'Dan']);
  await bob.press('chat');
  await bob.page.fill('#chat-text', 'hello, everybody');
  await bob.page.keyboard.press('Enter');
  await Promise.all([ada, cyd, dan].map((one) => one.page.waitForSelector('#chat-log p:text("hello, everybody")', { state: 'attached', timeout: PATIENCE })));
  await cyd.press('microphone');
  await ada.page.waitForSelector('.who:text("Cyd · muted")', { timeout: PATIENCE });
  await ada.page.waitForSelector('.tile[data-path="direct"]', { timeout: PATIENCE });
  const eve = await guest('Eve');
  await eve.enter(url);
  await eve.reach('full');
  await dan.press('hangUp');
  await dan.reach('left');
  await ada.notices(/^Dan left/);
  await Promise.all([ada, bob, cyd].map((one) => one.page.waitForFunction(() => document.querySelectorAll('.tile[data-member]').length === 2)));
  await end(...guests);
  await close(eve);
});

test('the owner locks, lets in who knocks, and removes; nobody else has the buttons', async () => {
  const url = newRoom();
  const [ada, bob] = await gathering(['Ada', 'Bob'], url);
  await bob.press('people');
  assert.equal(await bob.page.isVisible('#owner'), false);
  await ada.press('people');
  await ada.page.check('#lock');
  await bob.page.waitForSelector('#locked:not([hidden])');
  const cyd = await guest('Cyd');
  await cyd.enter(url);
  await cyd.reach('locked');
  await ada.page.uncheck('#lock');
  await ada.page.check('#knocking');
  await until(bob.page, () => window.posthouse.room.state.knock, null, PATIENCE);
  await cyd.page.click('#rejoin');
  await cyd.reach('knocking');
  await ada.page.click('#knock-list button[aria-label="Let in: Cyd"]');
  await cyd.reach('connected');
  await cyd.sees(2);
  await ada.page.click('#member-list button[aria-label="Remove: Bob"]');
  await bob.reach('kicked');
  await cyd.notices(/^Bob was removed/);
  const dan = await guest('Dan');
  await dan.enter(url);
  await dan.reach('knocking');
  await ada.page.click('#knock-list button[aria-label="Send away: Dan"]');
  await dan.reach('denied');
  await end(ada, bob, cyd, dan);
});

test('a microphone that opens while its owner waits at the door is not shown as muted', async () => {
  const url = newRoom();
  const [ada] = await gathering(['Ada'], url);
  await ada.press('people');
  await ada.page.check('#knocking');
  await until(ada.page, () => window.posthouse.room.state.knock, null, PATIENCE);
  const bob = await guest('Bob');
  await bob.page.addInitScript(() => {
    const { mediaDevices } = navigator;
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    const gate = new Promise((resolve) => { window.testPlugIn = resolve; });
    mediaDevices.getUserMedia = async (constraints) => {
      await gate;
      return open(constraints);
    };
  });
  await bob.enter(url);
  await bob.reach('knocking');
  await bob.page.evaluate(() => window.testPlugIn());
  await bob.page.waitForSelector('#controls [data-act="microphone"][aria-pressed="true"]', { timeout: PATIENCE });
  await ada.page.click('#knock-list button[aria-label="Let in: Bob"]');
  await ada.page.waitForSelector('.tile[data-member][data-camera="on"] .who:text-is("Bob")', { timeout: PATIENCE });
  await end(ada, bob);
});

test('what is said before somebody is connected reaches them then, in its order', async () => {
  const url = newRoom();
  const [ada, bob] = await gathering(['Ada', 'Bob'], url);
  await ada.canChat(1);
  const cyd = await guest('Cyd');
  await cyd.page.addInitScript(() => {
    const describe = RTCPeerConnection.prototype.setLocalDescription;
    const gate = new Promise((resolve) => { window.testGoOn = resolve; });
    RTCPeerConnection.prototype.setLocalDescription = async function (...given) {
      await gate;
      return describe.apply(this, given);
    };
  });
  await cyd.enter(url);
  await ada.page.waitForSelector('.tile[data-member] .who:text("Cyd")', { timeout: PATIENCE });
  await ada.press('chat');
  for (const text of ['first', 'second']) {
    await ada.page.fill('#chat-text', text);
    await ada.page.keyboard.press('Enter');
  }
  await bob.page.waitForSelector('#chat-log p:text("second")', { state: 'attached', timeout: PATIENCE });
  await cyd.page.evaluate(() => window.testGoOn());
  await cyd.page.waitForSelector('#chat-log p:text("second")', { state: 'attached', timeout: PATIENCE });
  assert.deepEqual(await cyd.page.$$eval('#chat-log p', (all) => all.map((one) => one.textContent)), ['Ada first', 'Ada second']);
  await end(ada, bob, cyd);
});

test('a reload goes back in without asking, to the same seat, and is still the owner', async () => {
  const [ada, bob] = await gathering(['Ada', 'Bob'], newRoom(2));
  await Promise.all([ada.sees(1), bob.sees(1)]);
  const member = () => ada.page.evaluate(() => window.posthouse.room.member);
  const before = await member();
  await ada.page.reload();
  await ada.reach('connected');
  assert.equal(await member(), before);
  await Promise.all([ada.sees(1), bob.sees(1)]);
  await ada.press('people');
  assert.equal(await ada.page.isVisible('#owner'), true);
  await end(ada, bob);
});

test('a server that was stopped is waited for with a countdown, and the meeting goes on when it is there again', async () => {
  const [ada, bob] = await gathering(['Ada', 'Bob']);
  await Promise.all([ada.sees(1), bob.sees(1)]);
  await house.server.stop();
  await ada.page.waitForFunction(() => /in \d+ s$/.test(document.getElementById('status').textContent), null, { timeout: PATIENCE });
  await house.open();
  await Promise.all([ada.reach('connected'), bob.reach('connected')]);
  await Promise.all([ada.sees(1), bob.sees(1)]);
  assert.deepEqual(await ada.tiles(), ['Bob']);
  await close(ada, bob);
});

test('over the relay alone, the pictures say so', async () => {
  const [ada, bob] = await gathering(['Ada', 'Bob'], `${newRoom()}&it=relay`);
  await Promise.all([ada.sees(1), bob.sees(1)]);
  await ada.page.waitForSelector('.tile[data-path="relayed"] .chip:text("Relayed")', { timeout: PATIENCE });
});
