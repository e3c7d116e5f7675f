// The file drop: many receivers, lost connections, damaged blocks, folders, the old page, and a tab that does not grow.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import jsqr from 'jsqr';
import * as drop from './dropper.mjs';
import { temporary } from './folder.mjs';
import { build, ORIGIN } from './house.mjs';
import { openWithModules } from './modules.mjs';
import * as old from './old-page.mjs';

const PATIENCE = 240_000;
const SIGNALING = ORIGIN.replace('http', 'ws');
const MIB = 2 ** 20;

const house = await build({ kinds: ['open', 'cone', 'cone'] });
const [ada, bob, eve] = [await house.browser(1), await house.browser(2), await house.browser(3)];

/** The old page, at client `browser`'s. */
async function oldPage(browser) {
  const { page } = await browser.tab();
  await openWithModules(page, ORIGIN);
  return { page, id: await page.evaluate(old.register, SIGNALING) };
}

/** What a telephone reads of the code on the page. */
async function scanned(page) {
  const { size, spots } = await page.$eval('#qr svg', (svg) => {
    const spots = [...svg.querySelector('path').getAttribute('d').matchAll(/M(\d+) (\d+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    return { size: svg.viewBox.baseVal.width, spots };
  });
  const scale = 4;
  const pixels = new Uint8ClampedArray((size * scale) ** 2 * 4).fill(255);
  for (const [x, y] of spots) {
    for (let dy = 0; dy < scale; dy += 1) pixels.fill(0, ((y * scale + dy) * size * scale + x * scale) * 4, ((y * scale + dy) * size * scale + (x + 1) * scale) * 4);
  }
  for (let at = 3; at < pixels.length; at += 4) pixels[at] = 255;
  return jsqr.default(pixels, size * scale, size * scale)?.data;
}

test('there is a link as long as it leads here, and its code is the link', async () => {
  const { page } = await ada.tab();
  // Whoever opens a socket waits.
  let open = () => {};
  const opened = new Promise((resolve) => { open = resolve; });
  await page.routeWebSocket(/\/peer\/websocket/, async (socket) => {
    await opened;
    socket.connectToServer();
  });
  await page.goto(`${ORIGIN}/drop`);
  await page.waitForFunction(() => document.getElementById('link-status').textContent !== '');
  assert.equal(await page.isVisible('#link-parts'), false);
  assert.equal(await page.inputValue('#link'), '');
  open();
  await page.waitForSelector('#link-parts:not([hidden])', { timeout: PATIENCE });
  const link = await page.inputValue('#link');
  assert.match(link, new RegExp(`^${ORIGIN}/\\?peer_id=[0-9a-f-]{36}$`));
  assert.equal(await scanned(page), link);
  await house.server.stop();
  await page.waitForSelector('#link-parts[hidden]', { state: 'attached', timeout: PATIENCE });
  await house.open();
  await page.waitForSelector('#link-parts:not([hidden])', { timeout: PATIENCE });
  assert.equal(await page.inputValue('#link'), link);
});

test('a link that is broken, or leads to nobody, says so', async () => {
  const broken = await drop.receiver(bob, `${ORIGIN}/?peer_id=0123`, { connected: false });
  await drop.reach(broken.page, 'wrong');
  const dead = await drop.receiver(bob, `${ORIGIN}/drop?peer_id=00000000-0000-4000-8000-000000000000`, { connected: false });
  await drop.reach(dead.page, 'dead');
  assert.match(await dead.page.textContent('#state'), /Nobody is at this link/);
  assert.deepEqual([...broken.complaints, ...dead.complaints], []);
});

test('100 MB reach two receivers byte for byte, one of them across a lost network; all see the same codes', async () => {
  const from = await drop.sender(ada);
  const wanted = await drop.addRandom(from.page, 'film.bin', 100_000_000);
  const [first, second] = await Promise.all([drop.receiver(bob, from.link), drop.receiver(eve, from.link)]);
  const codes = await Promise.all([first, second].map(({ page }) => drop.code(page)));
  assert.match(codes[0], /^\d{5}( \d{5}){5}$/);
  await from.page.waitForFunction(() => document.querySelectorAll('#visitors [data-safety]:not([data-safety=""])').length === 2, null, { timeout: PATIENCE });
  const shown = await from.page.$$eval('#visitors [data-safety]', (rows) => rows.map((one) => one.dataset.safety));
  assert.deepEqual(shown.sort(), codes.sort());
  for (const { page } of [first, second]) await page.waitForSelector('#path[data-path="direct"]', { timeout: PATIENCE });

  const whole = drop.download(first.page, 'film.bin');
  const resumed = drop.download(second.page, 'film.bin');
  await drop.progress(second.page, 'film.bin', 10 * MIB);
  house.network.plug(3, 'down');
  await drop.reach(second.page, 'reconnecting');
  assert.equal(await drop.digest(await whole), wanted);
  house.network.plug(3, 'up');
  assert.equal(await drop.digest(await resumed), wanted);
  const asked = await second.page.evaluate(() => window.said.filter(({ type }) => type === 'get').map(({ data }) => data.block));
  assert.ok(asked[0] === 0 && asked.at(-1) >= 9, `blocks asked for: ${asked}`);
  // The sender knows them again.
  await from.page.waitForFunction(() => {
    const known = [...document.querySelectorAll('#visitors > li')].filter((one) => one.dataset.safety !== '');
    return known.length === 2 && known.every((one) => one.dataset.received === '1');
  }, null, { timeout: PATIENCE });
  await Promise.all([from, first, second].map(({ page }) => page.close()));
});

test('a folder keeps its paths in the archive, a text is there at once, and what was taken back is gone', async () => {
  const folder = join(temporary('folder'), 'Reise');
  mkdirSync(join(folder, 'Bilder', 'leer'), { recursive: true });
  const contents = { 'Reise/brief.txt': 'Grüße', 'Reise/Bilder/ä b.bin': 'x'.repeat(2 * MIB + 17), 'Reise/Bilder/nichts': '' };
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, '..', name), text);
  const from = await drop.sender(ada);
  await from.page.setInputFiles('#folder-input', folder);
  await from.page.setInputFiles('#files-input', { name: 'mistake.txt', mimeType: 'text/plain', buffer: Buffer.from('no') });
  await from.page.click('summary');
  await from.page.fill('#text', 'the password is\n<b>swordfish</b>');
  await from.page.click('#add-text');
  const to = await drop.receiver(bob, `${from.link}&it=relay`);
  await to.page.waitForSelector('#path[data-path="relayed"]', { timeout: PATIENCE });
  await (await (await drop.row(from.page, 'mistake.txt')).$('button')).click();
  assert.equal(await (await (await drop.row(to.page, 'Text.txt')).$('textarea')).inputValue(), 'the password is\n<b>swordfish</b>');
  await to.page.waitForFunction(() => document.querySelectorAll('#files > li').length === 4, null, { timeout: PATIENCE });
  const saved = to.page.waitForEvent('download', { timeout: PATIENCE });
  await to.page.click('#all');
  const listed = JSON.parse(execFileSync('python3', ['-c', READ_ZIP, await drop.kept(await saved)], { encoding: 'utf8' }));
  const hash = (text) => createHash('sha256').update(text).digest('hex');
  const expected = { ...contents, 'Text.txt': 'the password is\n<b>swordfish</b>' };
  assert.deepEqual(listed, Object.fromEntries(Object.entries(expected).map(([name, text]) => [name, hash(text)])));
  assert.deepEqual([...from.complaints, ...to.complaints], []);
  await Promise.all([from, to].map(({ page }) => page.close()));
});

/** Prints every name with the SHA-256 of what is in it; `testzip` reads all of it and compares the checksums. */
const READ_ZIP = `
import hashlib, json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
print(json.dumps({name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}))
`;

test('a block that is changed on the way is asked for again; one that always is, is never kept, and that is told', async () => {
  const from = await drop.sender(ada);
  const wanted = await drop.addRandom(from.page, 'true.bin', 3 * MIB);
  await from.page.evaluate(() => {
    const send = RTCDataChannel.prototype.send;
    window.tampering = 1;
    RTCDataChannel.prototype.send = function tamper(message) {
      if (typeof message !== 'string' && new DataView(message.buffer).getUint32(4) === 40 && window.tampering > 0) {
        message[100] ^= 1;
        window.tampering -= 1;
      }
      return send.call(this, message);
    };
  });
  const to = await drop.receiver(bob, from.link);
  assert.equal(await drop.digest(await drop.download(to.page, 'true.bin')), wanted);
  const asked = await to.page.evaluate(() => window.said.filter(({ type }) => type === 'get').map(({ data }) => data.block));
  assert.deepEqual(asked, [0, 1]);
  await from.page.evaluate(() => { window.tampering = Infinity; });
  await drop.addRandom(from.page, 'false.bin', 3 * MIB);
  await (await (await drop.row(to.page, 'false.bin')).$('button')).click();
  await to.page.waitForSelector('.transfer[data-state="broken"][data-reason="damaged"]', { timeout: PATIENCE });
  assert.match(await to.page.textContent('.transfer[data-state="broken"] .note'), /damaged/);
  assert.deepEqual([...from.complaints, ...to.complaints], []);
  await Promise.all([from, to].map(({ page }) => page.close()));
});

test('a page over plain http has no hashes and no private files of the browser, and receives all the same', async () => {
  const from = await drop.sender(ada);
  const wanted = await drop.addRandom(from.page, 'plain.bin', 3 * MIB + 5);
  const plain = await house.browser(2, { secure: false });
  const to = await drop.receiver(plain, from.link);
  assert.equal(await to.page.evaluate(() => isSecureContext || crypto.subtle !== undefined), false);
  assert.equal(await drop.digest(await drop.download(to.page, 'plain.bin')), wanted);
  assert.deepEqual(to.complaints, []);
  await Promise.all([plain.close(), from.page.close()]);
});

test('somebody with the old page receives from this one', async () => {
  const from = await drop.sender(ada);
  const wanted = await drop.addRandom(from.page, 'old.bin', 300_000);
  const { page } = await oldPage(bob);
  const got = await page.evaluate(old.download, [from.link.split('=')[1], 'old.bin']);
  assert.equal(Buffer.from(got).toString('hex'), wanted);
  await from.page.waitForSelector('#visitors [data-protocol="chunks"][data-received="1"]', { timeout: PATIENCE });
  assert.deepEqual(from.complaints, []);
  await Promise.all([from.page, page].map((one) => one.close()));
});

test('this page receives from somebody with the old one', async () => {
  const { page, id } = await oldPage(bob);
  const wanted = await page.evaluate(old.share, ['old.bin', 300_000]);
  const to = await drop.receiver(ada, `${ORIGIN}/?peer_id=${id}`);
  assert.equal(await drop.digest(await drop.download(to.page, 'old.bin')), Buffer.from(wanted).toString('hex'));
  assert.match(await to.page.textContent('#state-text'), /older page/);
  assert.deepEqual(to.complaints, []);
  await Promise.all([to.page, page].map((one) => one.close()));
});

test('the tab does not grow with what it receives', async () => {
  const size = 300 * MIB;
  const from = await drop.sender(ada);
  await drop.addRandom(from.page, 'large.bin', size);
  const to = await drop.receiver(bob, from.link);
  const session = await to.page.context().newCDPSession(to.page);
  await session.send('Performance.enable');
  const heap = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'JSHeapUsedSize').value;
  };
  const space = house.network.client(2);
  const before = { heap: await heap(), process: drop.rendererMemory(house.network, space) };
  await (await (await drop.row(to.page, 'large.bin')).$('.actions button')).click();
  const most = { heap: 0, process: 0 };
  const curve = [];
  while (!(await to.page.$('.transfer[data-state="done"], .transfer[data-state="broken"]'))) {
    const now = { heap: await heap(), process: drop.rendererMemory(house.network, space) };
    curve.push(`${Math.round(now.heap / MIB)}/${Math.round(now.process / MIB)}`);
    for (const kind of ['heap', 'process']) most[kind] = Math.max(most[kind], now[kind]);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.equal(await to.page.$$eval('.transfer[data-state="done"]', (rows) => rows.length), 1);
  assert.ok(most.heap - before.heap < 64 * MIB && most.process - before.process < 160 * MIB, `MiB of heap/process: ${curve.join(' ')}`);
  await Promise.all([from, to].map(({ page }) => page.close()));
});
