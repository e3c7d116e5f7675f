// Every language has a word for everything: the files are compared name by name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { german as germanDashboard } from '../../crates/web/assets/dashboard-words-de.js';
import { english as englishDashboard } from '../../crates/web/assets/dashboard-words-en.js';
import { german } from '../../crates/web/assets/words-de.js';
import { english } from '../../crates/web/assets/words-en.js';

/** `test.advice.stunGood: function of 1`, for every word, sorted. */
function shape(words, path = []) {
  return Object.entries(words).flatMap(([name, word]) => {
    const here = [...path, name];
    if (typeof word === 'object') return shape(word, here);
    return `${here.join('.')}: ${typeof word}${typeof word === 'function' ? ` of ${word.length}` : ''}`;
  }).sort();
}

test('German has the same words as English', () => {
  assert.deepEqual(shape(german), shape(english));
  assert.deepEqual(shape(germanDashboard), shape(englishDashboard));
});

test('no word is empty', () => {
  const empty = (words) => Object.entries(words).filter(([, word]) => (typeof word === 'object' ? empty(word).length > 0 : word === ''));
  assert.deepEqual([english, german, englishDashboard, germanDashboard].flatMap(empty), []);
});
