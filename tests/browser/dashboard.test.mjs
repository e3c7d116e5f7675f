// The operator's dashboard: it is signed in to, shows a live call between two NATs with what both hold on the relay, and ends it.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launch } from './browser.mjs';
import { Guest } from './guest.mjs';
import { examine, faults, reach, unrest, walk } from './laws.mjs';
import { Network, SERVER_ADDRESS } from './network.mjs';
import { configuration, start } from './server.mjs';
import { until } from './until.mjs';

const PATIENCE = 60_000;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const ORIGIN = `http://${SERVER_ADDRESS}:8080`;
const DASHBOARD = 'http://127.0.0.1:9641/';
const TOKEN = 'the-admin-token-of-this-test';

const network = new Network(['symmetric', 'symmetric']);
const ending = [() => network.remove()];
after(async () => {
  for (const end of ending.reverse()) await end();
});

// The listener asks whoever is not the page itself for the token, also on loopback: so readiness is that of the page.
const server = await start({ namespace: network.server, toml: configuration(SERVER_ADDRESS, `token = "${TOKEN}"\n`), readyUrl: DASHBOARD });
ending.push(() => server.stop());

async function browser(namespace, origin) {
  const launched = await launch({ namespace, origin });
  ending.push(() => launched.close());
  return launched;
}

const [first, second] = [await browser(network.client(1), ORIGIN), await browser(network.client(2), ORIGIN)];
const operators = await browser(network.server, DASHBOARD);

async function guest(home, name, room) {
  const one = new Guest(name, await home.tab());
  await one.enter(`${ORIGIN}/meet/${room}?people=3`);
  return one;
}

async function call(room) {
  const ada = await guest(first, 'Ada', room);
  await ada.reach('waiting');
  const bob = await guest(second, 'Bob', room);
  await Promise.all([ada.reach('connected'), bob.reach('connected')]);
  return [ada, bob];
}

/** An operator who has signed in. */
async function operator(options, query = '') {
  const { page, complaints } = await operators.tab(options);
  await page.goto(DASHBOARD + query);
  await page.fill('#token', TOKEN);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#board:not([hidden])', { timeout: PATIENCE });
  return { page, complaints };
}

const room = (name) => `li[data-key="v1/${name}"]`;

/** Waits until the allocations of a room have moved more bytes to peers than `least`, as the server tells the page; gives how many. */
function bytesBeyond(page, name, least) {
  return until(page, async ([name, least]) => {
    const { rooms } = await (await fetch(`/api/status?find=${name}`)).json();
    const bytes = rooms.list.flatMap(({ members }) => members).reduce((sum, { bytes_to_peers: bytes }) => sum + bytes, 0);
    return bytes > least && bytes;
  }, [name, least], PATIENCE);
}

test('a wrong token is told, the right one opens, and signing out closes', async () => {
  const { page, complaints } = await operators.tab();
  await page.goto(DASHBOARD);
  await page.waitForSelector('#sign-in:not([hidden])');
  await examine(page, 'dashboard, signing in');
  await page.fill('#token', 'a-wrong-token-of-this-test');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#sign-in-problem:text("not the token")', { timeout: PATIENCE });
  await page.fill('#token', TOKEN);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#board:not([hidden])', { timeout: PATIENCE });
  assert.match(await page.textContent('#server'), /posthouse\.toml/);
  const kept = await page.evaluate(() => [document.cookie, JSON.stringify(localStorage), location.href, document.documentElement.outerHTML].join(' '));
  assert.ok(!kept.includes(TOKEN));
  await page.reload();
  await page.waitForSelector('#board:not([hidden])', { timeout: PATIENCE });
  await page.click('#sign-out');
  await page.waitForSelector('#sign-in:not([hidden])');
  await page.reload();
  await page.waitForSelector('#sign-in:not([hidden])');
  // Chromium itself writes an error for each 401.
  assert.deepEqual(complaints.filter((text) => !/401/.test(text)), []);
});

test('a relayed call of two is shown with members, allocations and growing bytes, and ends for who is removed', async () => {
  const [ada, bob] = await call('kitchen');
  const { page, complaints } = await operator();
  for (const name of ['Ada', 'Bob']) {
    await page.waitForSelector(`${room('kitchen')} .member:has(h4:text-is("${name}")) .allocation [data-fact="toPeers"]:text("bit/s")`, { timeout: PATIENCE });
  }
  const before = await bytesBeyond(page, 'kitchen', 0);
  await bytesBeyond(page, 'kitchen', before + 100_000);
  assert.match(await page.textContent(`${room('kitchen')} [data-fact="client"]`), /^(UDP|TCP) 11\.1\.1\.2[12]:\d+$/);
  assert.match(await page.getAttribute('#traffic-chart svg', 'aria-label'), /bit\/s/);
  await examine(page, 'dashboard with a call');
  assert.deepEqual(await faults(page), []);
  assert.deepEqual(await unrest(page), []);
  assert.deepEqual(await walk(page), { missed: [], unseen: [] });

  // Who thinks again presses Escape, and is back at the button.
  const remove = page.locator('button[aria-label="Remove Bob from kitchen"]');
  await remove.focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('#ask[open]');
  await examine(page, 'dashboard, asking');
  await page.keyboard.press('Escape');
  assert.ok(await remove.evaluate((button) => button === document.activeElement));
  await remove.click();
  await page.click('#ask-yes');
  await bob.reach('kicked');
  await page.waitForSelector('#status:text("Bob was removed from kitchen")', { timeout: PATIENCE });
  await page.waitForFunction((room) => document.querySelectorAll(`${room} .member`).length === 1, room('kitchen'), { timeout: PATIENCE });
  await ada.reach('waiting');
  await page.click('button[aria-label="Close the room kitchen"]');
  await page.click('#ask-yes');
  await page.waitForSelector(room('kitchen'), { state: 'detached', timeout: PATIENCE });
  await page.waitForFunction(() => document.getElementById('figure-allocations').textContent === '0', null, { timeout: PATIENCE });
  assert.deepEqual(complaints.filter((text) => !/401/.test(text)), []);
  assert.deepEqual(bob.complaints, []);
});

test('an allocation that is ended from the telephone stops relaying, and rooms are found by name', async () => {
  const [ada] = await call('parlour');
  const { page } = await operator(PHONE, '?lang=de');
  const end = page.locator(`${room('parlour')} .member:has(h4:text-is("Ada")) .allocation button`).first();
  await end.waitFor({ timeout: PATIENCE });
  await examine(page, 'dashboard on a telephone');
  await reach(page);
  await page.fill('#find', 'cellar');
  await page.waitForSelector(room('parlour'), { state: 'detached', timeout: PATIENCE });
  await page.fill('#find', 'parl');
  await page.waitForSelector(room('parlour'), { timeout: PATIENCE });
  const relayed = await page.textContent(`${room('parlour')} .member:has(h4:text-is("Ada")) [data-fact="relayed"]`);
  await end.click();
  await page.click('#ask-yes');
  await page.waitForSelector(`#status:text("${relayed}")`, { timeout: PATIENCE });
  await page.waitForFunction((relayed) => ![...document.querySelectorAll('[data-fact="relayed"]')].some((one) => one.textContent === relayed), relayed, { timeout: PATIENCE });
  await ada.page.close();
});
