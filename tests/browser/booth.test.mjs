// What both pages with calls have: devices and screen, chat and files, numbers, keys, and coming back after a lost network.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Caller, meet } from './caller.mjs';
import { temporary } from './folder.mjs';
import { Guest } from './guest.mjs';
import { build, ORIGIN } from './house.mjs';

const PATIENCE = 60_000;
/** The second of Chromium's fake cameras gives depths, which nobody encodes; the third gives pictures. */
const SEVERAL = ['--use-fake-device-for-media-stream=device-count=3'];

const house = await build({ kinds: ['open', 'cone'] });
const first = await house.browser(1, { flags: SEVERAL });
const second = await house.browser(2, { flags: SEVERAL });

let number = 0;
const newMeeting = (query = '') => `${ORIGIN}/meet/booth-${(number += 1)}?people=4${query}`;

/** Two in a call of two. */
async function call(query = '') {
  const [ada, bob] = [new Caller(await first.tab()), new Caller(await second.tab())];
  const room = house.room(query);
  await ada.join(room);
  await ada.reach('waiting');
  await bob.join(room);
  await meet(ada, bob);
  return [ada, bob];
}

/** Some in a meeting. */
async function gathering(names, query = '') {
  const guests = [];
  const url = newMeeting(query);
  for (const [index, name] of names.entries()) {
    const one = new Guest(name, await (index % 2 ? second : first).tab());
    await one.enter(url);
    await one.reach(index === 0 ? 'waiting' : 'connected');
    guests.push(one);
  }
  await Promise.all(guests.map((one) => one.sees(names.length - 1)));
  return guests;
}

/** Waits until the condition holds in the page. */
const holds = ({ page }, condition, value) => page.waitForFunction(condition, value, { timeout: PATIENCE });

const quiet = (...people) => assert.deepEqual(people.flatMap(({ complaints }) => complaints), []);
const close = (...people) => Promise.all(people.map(({ page }) => page.context().close()));

/** The shape of another person's picture: the cameras here are 4 to 3, the screen is wide. */
const isWide = (selector) => {
  const { videoWidth, videoHeight } = document.querySelector(selector) ?? {};
  return videoWidth / videoHeight > 1.5;
};
const isNarrow = (selector) => {
  const { videoWidth, videoHeight } = document.querySelector(selector) ?? {};
  return videoWidth / videoHeight < 1.5;
};

/** As the browser's own button does it. */
const endOwnPicture = ({ page }) => page.evaluate(() => document.getElementById('self').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended')));

/** Many tests are about one call and one meeting, in this order: each leaves them standing, with its panels closed. */
let ada, bob, cyd, dan;
/** These are in a call over the relay alone, over TCP. */
let kim, lou;

test('a shared screen is seen on the other side until the browser’s own button ends it', async () => {
  [ada, bob] = await call('?hd=false');
  await holds(bob, isNarrow, '#remote');
  await ada.page.keyboard.press('s');
  await holds(bob, isWide, '#remote');
  await holds(bob, () => document.getElementById('stage').dataset.peerScreen === 'true');
  assert.equal(await ada.page.getAttribute('[data-act="screen"]', 'aria-pressed'), 'true');
  assert.equal(await ada.page.getAttribute('[data-act="screen"]', 'aria-label'), 'Stop sharing your screen');
  await endOwnPicture(ada);
  await holds(bob, isNarrow, '#remote');
  assert.equal(await ada.page.getAttribute('[data-act="screen"]', 'aria-pressed'), 'false');
  await bob.sees();
  quiet(ada, bob);
});

test('in a meeting, too, and with the camera off', async () => {
  [cyd, dan] = await gathering(['Cyd', 'Dan'], '&hd=false');
  await cyd.press('camera');
  await holds(dan, () => document.querySelector('.tile[data-member]').dataset.camera === 'off');
  await cyd.press('screen');
  await holds(dan, isWide, '.tile[data-member][data-camera="on"][data-screen="true"] video');
  await cyd.press('screen');
  await holds(dan, () => document.querySelector('.tile[data-member]').dataset.camera === 'off');
  await cyd.press('camera');
  await holds(dan, () => document.querySelector('.tile[data-member]').dataset.camera === 'on');
  quiet(cyd, dan);
});

test('another camera is sent in the middle of a call, and a third when that one is unplugged', async () => {
  const sent = () => ada.page.evaluate(() => window.posthouse.pc.getSenders().find(({ track }) => track?.kind === 'video')?.track.label);
  const before = await sent();
  await ada.page.click('#more-opener');
  await ada.page.click('[data-act="devices"]');
  await holds(ada, () => document.querySelectorAll('dialog [data-device="video"] option').length === 3);
  const other = await ada.page.$eval('dialog [data-device="video"]', ({ options }) => [...options].at(-1).value);
  await ada.page.selectOption('dialog [data-device="video"]', other);
  await holds(ada, (before) => ![before, undefined].includes(window.posthouse.pc.getSenders().find(({ track }) => track?.kind === 'video')?.track.label), before);
  await ada.page.keyboard.press('Escape');
  await bob.sees();
  await endOwnPicture(ada);
  await holds(ada, () => /gone: unplugged/.test(document.querySelector('#notice:not([hidden])')?.textContent));
  await bob.sees();
  quiet(ada, bob);
});

test('before the call, the microphone’s level moves, a device can be chosen, and one may come in muted', async () => {
  const fay = new Caller(await first.tab());
  const room = house.room();
  await fay.open(room);
  await holds(fay, () => document.querySelector('#lobby meter').value > 0.02);
  await fay.page.click('#lobby summary');
  await holds(fay, () => document.querySelectorAll('#lobby [data-device="audio"] option').length >= 2);
  const chosen = await fay.page.$eval('#lobby [data-device="audio"]', ({ options }) => [...options].find(({ selected }) => !selected).value);
  await fay.page.selectOption('#lobby [data-device="audio"]', chosen);
  await fay.page.reload();
  await fay.page.click('#lobby summary');
  await holds(fay, (chosen) => document.querySelector('#lobby [data-device="audio"]')?.value === chosen, chosen);
  await fay.page.check('#join-muted');
  await fay.page.click('#join');
  await fay.reach('waiting');
  assert.equal(await fay.page.getAttribute('#controls [data-act="microphone"]', 'aria-pressed'), 'false');
  quiet(fay);
  await close(fay);
});

/** Offers `bytes` as a file from one to the others, who take it; gives what each of them saved. */
async function give(from, takers, bytes) {
  await from.page.setInputFiles('#chat-files', { name: 'gift.bin', mimeType: 'application/octet-stream', buffer: bytes });
  return Promise.all(takers.map(async ({ page }, index) => {
    if (await page.isHidden('#chat')) await page.click('#controls [data-act="chat"]');
    await page.click('#chat-log button[aria-label="Accept: gift.bin"]', { timeout: PATIENCE });
    const [saved] = await Promise.all([page.waitForEvent('download'), page.click('#chat-log button[aria-label="Save: gift.bin"]', { timeout: PATIENCE })]);
    assert.equal(saved.suggestedFilename(), 'gift.bin');
    const file = join(temporary('saved'), String(index));
    await saved.saveAs(file);
    return readFileSync(file);
  }));
}

async function say({ page }, text) {
  if (await page.isHidden('#chat')) await page.click('#controls [data-act="chat"]');
  await page.fill('#chat-text', text);
  await page.keyboard.press('Enter');
}

/** And nothing has the focus. */
async function closeChats(...people) {
  for (const { page } of people) {
    if (await page.isVisible('#chat')) await page.click('#controls [data-act="chat"]');
    await page.evaluate(() => document.activeElement.blur());
  }
}

const reads = ({ page }, text) => page.waitForSelector(`#chat-log p:has-text("${text}")`, { state: 'attached', timeout: PATIENCE });

test('in a call of two, words and files cross as they are, and a file may be declined', async () => {
  await say(ada, 'good morning');
  await reads(bob, 'good morning');
  await say(bob, '<b>& good evening');
  await reads(ada, '<b>& good evening');
  const gift = randomBytes(3_000_001);
  const [saved] = await give(bob, [ada], gift);
  assert.ok(gift.equals(saved), 'byte for byte');
  await ada.page.setInputFiles('#chat-files', { name: 'unwanted.bin', mimeType: '', buffer: Buffer.alloc(10) });
  await bob.page.click('#chat-log button[aria-label="Decline: unwanted.bin"]', { timeout: PATIENCE });
  await ada.page.waitForSelector('#chat-log .parcel[data-state="declined"]', { timeout: PATIENCE });
  await closeChats(ada, bob);
  quiet(ada, bob);
});

test('in a meeting, a file goes to everybody, an empty one too', async () => {
  const eve = new Guest('Eve', await first.tab());
  await eve.enter(cyd.page.url());
  await Promise.all([cyd, dan, eve].map((one) => one.canChat(2)));
  const gift = randomBytes(400_000);
  for (const saved of await give(cyd, [dan, eve], gift)) assert.ok(gift.equals(saved), 'byte for byte');
  await eve.press('hangUp');
  await holds(dan, () => document.querySelectorAll('.tile[data-member]').length === 1);
  const [nothing] = await give(dan, [cyd], Buffer.alloc(0));
  assert.equal(nothing.length, 0);
  await closeChats(cyd, dan);
  quiet(cyd, dan, eve);
  await close(eve);
});

/** What the details copy: their JSON, out of the field that is copied from. */
const numbers = ({ page }) => page.evaluate(() => window.posthouse.numbers());

test('the numbers tell the truth: relayed where only the relay is allowed, direct where it is not needed', async () => {
  [kim, lou] = await call('?it=relay&tt=tcp');
  await kim.goesRelayed();
  await ada.goesDirect();
  for (const [caller, path, protocol] of [[kim, 'relayed', 'tcp'], [ada, 'direct', null]]) {
    const { connections: [one], ...facts } = await numbers(caller);
    assert.equal(one.pair.path, path);
    assert.equal(one.pair.relayProtocol, protocol);
    assert.equal(one.pair.path === 'relayed', /relay/.test(await caller.path()));
    assert.deepEqual(one.states, { signaling: 'stable', gathering: one.states.gathering, ice: one.states.ice, connection: 'connected' });
    assert.ok(one.setUpMs >= 0 && facts.sent > 0 && facts.received > 0, JSON.stringify({ one, facts }));
    assert.ok(one.media.video.bytesReceived > 0 && one.media.video.bytesSent > 0, JSON.stringify(one.media));
  }
  const [hal, ida] = await gathering(['Hal', 'Ida'], '&it=relay');
  const { connections: [one], state } = await numbers(hal);
  assert.deepEqual([one.name, one.pair.path, state], ['Ida', 'relayed', 'connected']);
  quiet(ada, bob, kim, lou, hal, ida);
  await close(hal, ida);
});

test('the box of numbers follows the call, copies, and gives a report without credentials', async () => {
  await kim.page.keyboard.press('i');
  await holds(kim, () => /Relayed over TCP/.test(document.querySelector('#details:not([hidden])')?.textContent) && /\d kbit\/s/.test(document.querySelector('#details').textContent));
  await kim.page.click('#details button:text("Copy as JSON")');
  await kim.page.waitForSelector('#details [role="status"]:text("Copied")');
  const [saved] = await Promise.all([kim.page.waitForEvent('download'), kim.page.click('#details button:text("Download report")')]);
  const file = join(temporary('saved'), 'report.json');
  await saved.saveAs(file);
  const report = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(report.numbers.connections[0].pair.path, 'relayed');
  assert.ok(report.diary.some(({ what, detail }) => what === 'state' && detail === 'connected'));
  assert.ok(report.stats[0].length > 10);
  assert.doesNotMatch(JSON.stringify(report), /credential|"password"|browser tests only/);
  quiet(kim, lou);
  await close(kim, lou);
});

test('the question mark shows the keys on both pages, and they do what they say', async () => {
  for (const { page } of [ada, cyd]) {
    await page.keyboard.press('?');
    const keys = await page.$$eval('dialog kbd', (all) => all.map((one) => one.textContent));
    assert.deepEqual(keys, ['m', 'Space', 'c', 's', 'l', 'f', 'i', 't', '?', 'q']);
    await page.keyboard.press('m');
    assert.equal(await page.getAttribute('#controls [data-act="microphone"]', 'aria-pressed'), 'true', 'a dialog owns its keys');
    await page.keyboard.press('Escape');
    for (const [key, act] of [['m', 'microphone'], ['c', 'camera'], ['l', 'selfView']]) {
      await page.keyboard.press(key);
      await page.waitForSelector(`#controls [data-act="${act}"][aria-pressed="false"]`, { state: 'attached' });
    }
    assert.equal(await page.isHidden('#self'), true);
    await page.keyboard.press('Space');
    await page.waitForSelector('#controls [data-act="microphone"][aria-pressed="true"]');
    await page.keyboard.press('t');
    await page.keyboard.type('mcq?');
    assert.equal(await page.inputValue('#chat-text'), 'mcq?', 'a field owns its keys');
    assert.equal(await page.isVisible('dialog'), false);
    await page.focus('#hang-up');
    await page.keyboard.press('q');
    await page.waitForSelector('#ended:not([hidden])');
  }
  quiet(ada, bob, cyd, dan);
  await close(ada, bob, cyd, dan);
});

test('the invitation has the link and its QR code, and the focus comes back', async () => {
  const fay = new Caller(await first.tab());
  const room = house.room();
  await fay.join(room);
  await fay.reach('waiting');
  await fay.page.click('#waiting [data-act="invite"]');
  assert.equal(await fay.page.inputValue('dialog input'), room);
  assert.equal(await fay.page.getAttribute('dialog svg.qr', 'role'), 'img');
  await fay.page.keyboard.press('Escape');
  assert.equal(await fay.page.evaluate(() => document.activeElement.dataset.act), 'invite');
  quiet(fay);
  await close(fay);
});

test('every way in which a device can fail is told in words with what to do', async () => {
  const { page, complaints } = await first.tab();
  const failures = [
    ['NotAllowedError', 'Permission denied', /blocked for this site.*Allow/],
    ['NotAllowedError', 'Permission denied by system', /privacy settings/],
    ['NotAllowedError', 'Permission dismissed', /choose “Allow”/],
    ['NotFoundError', 'Requested device not found', /found.*Plug one in/],
    ['NotReadableError', 'Could not start video source', /used by another program.*Close that program/],
    ['OverconstrainedError', '', /cannot do what the link asks for.*Choose another/],
    ['TypeError', 'strange', /could not be started.*Unplug/],
  ];
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => {
      const [name, message] = JSON.parse(sessionStorage.getItem('failure'));
      return Promise.reject(Object.assign(new Error(message), { name }));
    };
    navigator.permissions.query = () => Promise.resolve({ state: 'prompt' });
  });
  await page.goto(ORIGIN);
  for (const path of [house.room(), newMeeting()]) {
    for (const [name, message, pattern] of failures) {
      await page.evaluate((failure) => sessionStorage.setItem('failure', JSON.stringify(failure)), [name, message]);
      await page.goto(path);
      await page.waitForFunction((source) => new RegExp(source).test(document.getElementById('problem').textContent), pattern.source);
      assert.match(await page.textContent('#problem'), /You can still join/);
      assert.equal(await page.isVisible('#try-devices'), true);
    }
  }
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('a network that goes and comes back is told, and both pages go on', async () => {
  [ada, bob] = await call();
  [cyd, dan] = await gathering(['Cyd', 'Dan']);
  house.network.plug(2, 'down');
  await Promise.all([ada.reach('reconnecting'), holds(cyd, () => document.querySelector('.tile[data-member]').dataset.path === 'reconnecting')]);
  await dan.reach('reconnecting');
  await dan.press('microphone');
  house.network.plug(2, 'up');
  await meet(ada, bob);
  await Promise.all([cyd, dan].map((one) => one.reach('connected')));
  await holds(cyd, () => document.querySelector('.tile[data-member]').dataset.path === 'direct');
  await Promise.all([cyd, dan].map((one) => one.sees(1)));
  assert.equal(ada.byes + bob.byes, 0, 'nobody left');
  await cyd.page.waitForSelector('.tile[data-member] .who:text-is("Dan · muted")', { timeout: PATIENCE });
  await close(cyd, dan);
});

test('a killed browser leaves a meeting that goes on, with room for somebody else', async () => {
  const doomed = await house.browser(2);
  const url = newMeeting();
  const [fay, gus, hal] = [new Guest('Fay', await first.tab()), new Guest('Gus', await doomed.tab()), new Guest('Hal', await second.tab())];
  await fay.enter(url);
  await gus.enter(url);
  await fay.sees(1);
  await doomed.kill();
  await fay.notices(/^Gus lost the connection/);
  await hal.enter(url);
  await hal.reach('connected');
  await fay.page.waitForSelector('.tile[data-path="direct"] .who:text("Hal")', { timeout: PATIENCE });
  quiet(fay, hal);
  await close(fay, hal);
});

test('while the server is away, a call of two goes on below a countdown, and has its seats again after', async () => {
  await house.server.stop();
  await holds(ada, () => /trying again in \d+ s$/.test(document.querySelector('#banner:not([hidden])')?.textContent));
  await bob.sees();
  await house.open();
  await Promise.all([ada.reachSignaling(), bob.reachSignaling()]);
  await ada.page.waitForSelector('#banner', { state: 'hidden' });
  assert.deepEqual([await ada.state(), await bob.state()], ['connected', 'connected']);
  await close(ada, bob);
});
