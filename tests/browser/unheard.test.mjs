// What waits in a meeting for somebody who is not connected yet: no browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Unheard } from '../../crates/web/assets/unheard.js';

test('what is said waits for each person by themselves, in its order, and is given once', () => {
  const unheard = new Unheard();
  for (const text of ['one', 'two']) unheard.keep('bob', text);
  unheard.keep('cyd', 'two');
  assert.deepEqual(unheard.take('bob'), ['one', 'two']);
  assert.deepEqual(unheard.take('bob'), []);
  assert.deepEqual(unheard.take('cyd'), ['two']);
  unheard.keep('dan', 'three');
  unheard.clear();
  assert.deepEqual(unheard.take('dan'), []);
});

test('for somebody who never connects the newest wait, so many and so long', () => {
  const unheard = new Unheard();
  for (let number = 1; number <= 100; number += 1) unheard.keep('many', String(number));
  const many = unheard.take('many');
  assert.deepEqual([many.length, many[0], many.at(-1)], [64, '37', '100']);
  for (let number = 0; number < 10; number += 1) unheard.keep('long', String(number).repeat(10_000));
  assert.deepEqual(unheard.take('long').map(([digit]) => digit), ['4', '5', '6', '7', '8', '9']);
});
