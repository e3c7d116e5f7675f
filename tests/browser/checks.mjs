// The connectivity test as a person uses it: press the button, wait, read the rows.

import assert from 'node:assert/strict';

const PATIENCE = 90_000;

/** Presses the button and waits until all is done: the level of every row. */
export async function run(page) {
  await page.click('#start');
  await page.waitForSelector('#start[data-state="done"]', { timeout: PATIENCE })
    .catch(async () => assert.fail(`not done: ${await page.textContent('#checks')}`));
  return page.$$eval('.check', (rows) => Object.fromEntries(rows.map((row) => [row.id.replace('check-', ''), row.dataset.level])));
}

/** The names of the rows at `level`. */
export const at = (levels, level) => Object.keys(levels).filter((name) => levels[name] === level);

export const report = (page) => page.inputValue('#report-text');
