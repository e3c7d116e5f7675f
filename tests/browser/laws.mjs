// What holds for every page: axe finds nothing serious, fingers and keys reach everything, and nothing moves for whoever wants rest.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const AXE = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const FINGER = 44;
/** More presses of Tab than any page has controls. */
const MANY = 120;

/** Fails with what axe finds on the page as it is now, in light and in dark. */
export async function examine(page, what) {
  await page.evaluate(AXE);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(async () => {
      // A colour on its way to another one is neither.
      await Promise.all(document.getAnimations().map((animation) => animation.finished));
      return (await axe.run(document)).violations;
    });
    const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
    const told = serious.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
    assert.deepEqual(told, [], `${what}, ${colorScheme}`);
  }
}

/** Fails where a finger does not fit, or the page is wider than the telephone. A label is as good as its field. */
export async function reach(page) {
  const controls = await page.$$eval('button, a, summary, select, textarea, input', (all) => all.filter((one) => one.checkVisibility()).map((one) => {
    const { width, height } = (one.closest('label') ?? one).getBoundingClientRect();
    return { name: one.id || one.textContent, size: Math.min(width, height) };
  }));
  assert.ok(controls.length > 1, `${controls.length} controls`);
  assert.deepEqual(controls.filter(({ size }) => size < FINGER), []);
  const [width, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width <= room, `the page is ${width} pixels wide in a window of ${room}`);
}

/** What is wrong with the page's elements, whatever state it is in. */
export function faults(page) {
  return page.evaluate(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const told = (one) => one.id || one.outerHTML.slice(0, 80);
    const faults = [];
    const blame = (what, elements) => faults.push(...elements.map((one) => `${what}: ${told(one)}`));
    const name = (one) => one.getAttribute('aria-label') || one.textContent.trim() || one.querySelector('img')?.alt || one.title;
    blame('not a real button', all('[role="button"]:not(button), [onclick], :is(div, span, p, li)[tabindex="0"]:not([role="region"], [role="log"])'));
    blame('a button without a type', all('button:not([type])'));
    blame('a control without a name', all('button, a').filter((one) => one.checkVisibility() && !name(one)));
    blame('a pressed state that is none', all('[aria-pressed]').filter((one) => !/^(true|false)$/.test(one.getAttribute('aria-pressed'))));
    blame('a video that a telephone would take out of the page', all('video:not([playsinline])'));
    blame('a word that is missing', all('[data-text]').filter((one) => one.textContent.trim() === ''));
    if (!document.querySelector('[role="status"], [role="alert"], [role="log"], [aria-live]')) faults.push('no live region');
    if (/user-scalable|maximum-scale/.test(document.querySelector('meta[name="viewport"]').content)) faults.push('nobody may zoom');
    if (!/light dark|dark light/.test(document.querySelector('meta[name="color-scheme"]')?.content)) faults.push('one theme only');
    return faults;
  });
}

/** What still moves although the user asked for rest. */
export async function unrest(page) {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const moving = await page.evaluate(() => [...document.querySelectorAll('*')].filter((one) => {
    const { transitionDuration, animationDuration, animationName, scrollBehavior } = getComputedStyle(one);
    const seconds = (text) => Math.max(...text.split(',').map(parseFloat));
    return seconds(transitionDuration) > 0.01 || (animationName !== 'none' && seconds(animationDuration) > 0.01) || scrollBehavior === 'smooth';
  }).map((one) => one.id || one.className || one.tagName));
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  return moving;
}

/** Presses Tab once around the page: what could not be reached, and what was reached unseen. */
export async function walk(page) {
  await page.evaluate(() => {
    document.activeElement.blur();
    window.testReached = new Set();
  });
  const unseen = [];
  for (let presses = 0; presses < MANY; presses += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const one = document.activeElement;
      // Between the last and the first stands the browser itself.
      if (one === document.body) return { seen: true };
      if (window.testReached.has(one)) return null;
      window.testReached.add(one);
      const ring = (element) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
      };
      return { name: one.id || one.textContent.trim() || one.outerHTML.slice(0, 80), seen: one.matches(':focus-visible') && ring(one) };
    });
    if (!at) break;
    if (!at.seen) unseen.push(at.name);
  }
  const missed = await page.$$eval('button, a[href], summary, select, textarea, input', (all) => all.filter((one) => {
    // Of a group of radio buttons one is reached by Tab, the others by the arrows.
    const instead = one.type === 'radio' ? [...document.getElementsByName(one.name)] : [one];
    return one.checkVisibility() && !one.matches(':disabled') && one.tabIndex >= 0 && !instead.some((other) => window.testReached.has(other));
  }).map((one) => one.id || one.textContent.trim()));
  return { missed, unseen };
}

/** Goes to `selector` by Tab alone, and presses Enter there. */
export async function press(page, selector) {
  for (let presses = 0; presses < MANY; presses += 1) {
    if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
  }
  return assert.fail(`Tab does not lead to ${selector}`);
}
