// The page of a meeting: four in a mesh with pictures on every side, chat, lock, knock and removal by the owner, a lost wire, a reload.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guest } from './guest.mjs';
import { build, ORIGIN } from './house.mjs';

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
  assert.deepEqual(guests.flatMap(({ complaints }) => complaints), []);
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
  await bob.page.waitForFunction(() => window.posthouse.room.state.knock);
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
  assert.deepEqual([ada, bob, cyd, dan].flatMap(({ complaints }) => complaints), []);
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
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
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
});

test('over the relay alone, the pictures say so', async () => {
  const [ada, bob] = await gathering(['Ada', 'Bob'], `${newRoom()}&it=relay`);
  await Promise.all([ada.sees(1), bob.sees(1)]);
  await ada.page.waitForSelector('.tile[data-path="relayed"] .chip:text("Relayed")', { timeout: PATIENCE });
});
