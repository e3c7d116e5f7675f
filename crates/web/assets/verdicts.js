// Results in words: for the rows of the page and for the report alike.

import { words } from './strings.js';

/** The one sentence of a result. */
export function sentence({ advice, problem, values = {} }) {
  if (problem) return words.problem[problem];
  const word = words.test.advice[advice];
  return typeof word === 'function' ? word(values) : word;
}

/** The lines of its details, as `[name, text]`. */
export function lines({ facts = [] }) {
  return facts.map(([key, ...rest]) => [words.test.fact[key], text(...rest)]);
}

/** A text; or a word or format of `words.test.fact`, with its value. */
function text(first, value) {
  if (first === null) return words.test.fact.none;
  if (value === undefined) return first;
  const format = words.test.fact[first];
  if (typeof format === 'function') return format(value);
  return value === null ? format : `${format}: ${value}`;
}
