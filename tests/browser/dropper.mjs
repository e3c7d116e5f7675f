// People in front of the file drop: one who sends, others who receive.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporary } from './folder.mjs';
import { ORIGIN } from './house.mjs';

const PATIENCE = 240_000;

/** The sender's page, with a link. */
export async function sender(browser, { origin = ORIGIN, ...options } = {}) {
  const { page, complaints } = await browser.tab(options);
  await page.goto(`${origin}/drop`);
  await page.waitForSelector('#link-parts:not([hidden])', { timeout: PATIENCE });
  return { page, complaints, link: await page.inputValue('#link') };
}

/** The page of somebody who followed `link`. Their browser asks no questions about where files go. */
export async function receiver(browser, link, { connected = true, ...options } = {}) {
  const { page, complaints } = await browser.tab({ acceptDownloads: true, ...options });
  await page.addInitScript(() => {
    delete window.showSaveFilePicker;
    window.said = [];
    const send = RTCDataChannel.prototype.send;
    RTCDataChannel.prototype.send = function sendAndNote(message) {
      if (typeof message === 'string') window.said.push(JSON.parse(message));
      return send.call(this, message);
    };
  });
  await page.goto(link);
  if (connected) await reach(page, 'connected');
  return { page, complaints };
}

/** Waits until the receiver's page is in `state`. */
export async function reach(page, state) {
  await page.waitForSelector(`#receiver[data-state="${state}"]`, { timeout: PATIENCE }).catch(async () => {
    assert.fail(`the page is "${await page.getAttribute('#receiver', 'data-state')}", not "${state}"`);
  });
}

/** The safety code that a receiver's page shows. */
export async function code(page) {
  await page.waitForSelector('#safety:not([hidden])', { timeout: PATIENCE });
  return page.textContent('#code');
}

/** Adds a file of random bytes as if it were chosen; its SHA-256. */
export function addRandom(page, name, size) {
  return page.evaluate(async ([name, size]) => {
    const parts = [];
    for (let at = 0; at < size; at += 65536) parts.push(crypto.getRandomValues(new Uint8Array(Math.min(65536, size - at))));
    const file = new File(parts, name);
    const chosen = new DataTransfer();
    chosen.items.add(file);
    const input = document.getElementById('files-input');
    input.files = chosen.files;
    input.dispatchEvent(new Event('change'));
    const digest = size > 150_000_000 ? [] : await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }, [name, size]);
}

/** The row of a file, when it is in the receiver's list. */
export async function row(page, name) {
  return page.waitForSelector(`.transfer:has(.name:text-is("${name}"))`, { timeout: PATIENCE });
}

/** Presses Download, and waits for the file; its path on the disk. */
export async function download(page, name) {
  const one = await row(page, name);
  const saved = page.waitForEvent('download', { timeout: PATIENCE });
  await (await one.$('.actions button')).click();
  return kept(await saved);
}

export async function kept(saved) {
  const path = join(temporary('download'), 'file');
  await saved.saveAs(path);
  return path;
}

export async function digest(path) {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part);
  return hash.digest('hex');
}

/** Waits until the receiver has this many bytes of the file. */
export async function progress(page, name, bytes) {
  await page.waitForFunction(([name, bytes]) => {
    const rows = [...document.querySelectorAll('.transfer')];
    return rows.some((one) => one.querySelector('.name').textContent === name && Number(one.dataset.received) >= bytes);
  }, [name, bytes], { timeout: PATIENCE });
}

/** The memory of all renderer processes in a namespace, in bytes. */
export function rendererMemory(network, namespace) {
  const pids = network.run(namespace, ['ip', 'netns', 'pids', namespace]).split('\n').filter(Boolean);
  const sizes = pids.map((pid) => {
    try {
      const isRenderer = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer');
      return isRenderer ? Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024 : 0;
    } catch {
      return 0;
    }
  });
  return sizes.reduce((a, b) => a + b, 0);
}
