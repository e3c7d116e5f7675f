// Amounts as people write them, in the page's language: the browser knows the units' names.

import { language } from './strings.js';

const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

function amount(value, unit) {
  const digits = value < 10 && unit !== 'byte' && unit !== 'second' ? 1 : 0;
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: unit === 'byte' ? 'long' : 'short', maximumFractionDigits: digits }).format(value);
}

/** `1.4 MB`, of thousands. */
export function sizeText(bytes, per = '') {
  const step = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return amount(bytes / 1000 ** step, SIZES[step] + per);
}

/** `1.4 MB/s`. */
export const rateText = (bytes) => sizeText(bytes, '-per-second');

/** `2 min`, `5 sec`. */
export function durationText(seconds) {
  if (seconds < 90) return amount(Math.max(1, Math.round(seconds)), 'second');
  return seconds < 5400 ? amount(Math.round(seconds / 60), 'minute') : amount(seconds / 3600, 'hour');
}
