// Numbers as people read them, in the page's language.

import { language } from './strings.js';

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 });
const units = new Map();

export const count = (number) => whole.format(number);
export const percent = (part) => percents.format(part);
export const bytes = (number) => scaled(number, 'B');
export const rate = (bytesPerSecond) => scaled(bytesPerSecond * 8, 'bit/s');

function scaled(number, unit) {
  const prefixes = ['', 'k', 'M', 'G', 'T'];
  const power = number < 1000 ? 0 : Math.min(prefixes.length - 1, Math.floor(Math.log10(number) / 3));
  const value = number / 1000 ** power;
  return `${(value < 100 && power > 0 ? tenth : whole).format(value)} ${prefixes[power]}${unit}`;
}

/** `1 d 4 h`, the two largest parts. */
export function span(seconds) {
  const parts = [['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]];
  const first = Math.max(0, parts.findIndex(([, length]) => seconds >= length));
  let rest = Math.max(0, Math.floor(seconds));
  const shown = parts.slice(seconds < 1 ? 3 : first).slice(0, 2).map(([unit, length]) => {
    const number = Math.floor(rest / length);
    rest %= length;
    return [number, unit];
  });
  return shown.filter(([number], index) => number > 0 || index === 0).map(([number, unit]) => inUnit(number, unit)).join(' ');
}

function inUnit(number, unit) {
  if (!units.has(unit)) units.set(unit, new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }));
  return units.get(unit).format(number);
}
