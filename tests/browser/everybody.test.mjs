// What holds for every page, page by page: a new page is one more line of the table.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caller } from './caller.mjs';
import { Guest } from './guest.mjs';
import { build, ORIGIN } from './house.mjs';
import { examine, faults, press, reach, unrest, walk } from './laws.mjs';

const PATIENCE = 90_000;
/** The narrowest telephone that is still sold. */
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

const house = await build({ kinds: ['open'] });
const browser = await house.browser(1);

/** `way`: pairs of what is pressed and what must then be there, by keyboard alone. */
const PAGES = [
  { name: 'landing page', path: '/', way: [['#random', '#room-name:not(:placeholder-shown)'], ['#open-room', '#join']] },
  { name: 'call', path: '/r/everybody', way: [['#join', '#waiting:not([hidden])'], ['#hang-up', '#rejoin']] },
  { name: 'meeting', path: '/meet/everybody?people=3', way: [['#join', '#waiting:not([hidden])'], ['#hang-up', '#rejoin']] },
  { name: 'file drop', path: '/drop', way: [['details > summary', '#text'], ['#copy', '#announcement span']] },
  { name: 'file drop at a broken link', path: '/?peer_id=0123', way: [] },
  { name: 'connectivity test', path: '/test?seconds=1', way: [['#start', '#start[data-state="done"]'], ['#expert > summary', '#gather']] },
  { name: 'learning page', path: '/learn', way: [['#start', '#call:enabled'], ['#call', '[data-step="connected"]'], ['#hang-up', '[data-step="hungUp"]']] },
];

for (const { name, path, way } of PAGES) {
  const open = async (options = PHONE, query = '') => {
    const { page, complaints } = await browser.tab(options);
    await page.goto(`${ORIGIN}${path}${query && (path.includes('?') ? '&' : '?')}${query}`);
    await page.waitForFunction(() => document.title !== 'Posthouse' || location.pathname === '/');
    return { page, complaints };
  };

  test(`${name}: whole on a narrow telephone, nothing loaded from elsewhere, no element at fault`, async (t) => {
    const { page, complaints } = await open();
    await reach(page);
    assert.deepEqual(await faults(page), []);
    assert.deepEqual(await unrest(page), []);
    const loaded = await page.evaluate(() => performance.getEntries().filter(({ entryType }) => ['navigation', 'resource'].includes(entryType))
      .map(({ name, transferSize, decodedBodySize }) => ({ name, transferSize, decodedBodySize })));
    assert.deepEqual(loaded.filter((one) => !one.name.startsWith(`${ORIGIN}/`)), []);
    const sum = (key) => (loaded.reduce((total, one) => total + one[key], 0) / 1000).toFixed(1);
    t.diagnostic(`${name}: ${loaded.length} files, ${sum('decodedBodySize')} kB, ${sum('transferSize')} kB on the wire`);
    assert.deepEqual(complaints, []);
  });

  test(`${name}: Tab leads to everything, and one sees where one is`, async () => {
    const { page } = await open({});
    assert.deepEqual(await walk(page), { missed: [], unseen: [] });
  });

  test(`${name}: the keyboard alone suffices, and axe finds nothing on the way`, async () => {
    const { page, complaints } = await open();
    await examine(page, name);
    for (const [control, then] of way) {
      await press(page, control);
      await page.waitForSelector(then, { timeout: PATIENCE });
      await examine(page, `${name} after ${control}`);
    }
    await reach(page);
    assert.deepEqual(await faults(page), []);
    assert.deepEqual(complaints, []);
  });

  test(`${name}: in German it is as whole, and as narrow`, async () => {
    const texts = [];
    for (const language of ['en', 'de']) {
      const { page } = await open(PHONE, `lang=${language}`);
      assert.equal(await page.getAttribute('html', 'lang'), language);
      assert.deepEqual(await faults(page), []);
      await reach(page);
      texts.push(await page.$$eval('[data-text]', (all) => all.map((one) => one.textContent)));
    }
    const [english, german] = texts;
    const same = english.filter((text, at) => text === german[at]);
    // A name stays a name.
    assert.ok(same.length <= english.length / 4, `the same in both languages: ${same}`);
  });
}

test('in a call and in a meeting the screen stays on, and may go off after', async () => {
  const awake = async () => {
    const tab = await browser.tab();
    await tab.page.addInitScript(() => {
      window.testLocks = 0;
      navigator.wakeLock.request = async () => {
        window.testLocks += 1;
        return Object.assign(new EventTarget(), { release: async () => { window.testLocks -= 1; } });
      };
    });
    return tab;
  };
  const held = (one, number) => one.page.waitForFunction((number) => window.testLocks === number, number, { timeout: PATIENCE });
  const pair = [new Caller(await awake()), new Caller(await awake())];
  const room = house.room();
  for (const one of pair) await one.join(room);
  await Promise.all(pair.map((one) => held(one, 1)));
  await pair[0].hangUp();
  await held(pair[0], 0);
  const guests = [new Guest('Ada', await awake()), new Guest('Bob', await awake())];
  for (const one of guests) await one.enter(`${ORIGIN}/meet/awake?people=3`);
  await Promise.all(guests.map((one) => held(one, 1)));
  await guests[1].press('hangUp');
  await held(guests[1], 0);
});
