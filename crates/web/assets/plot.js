// A line over time, drawn as SVG.

import { element } from './element.js';
import { words } from './strings.js';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [420, 140, 34, 24, 12];

/** `rates` in Mbit/s, evenly spread over `seconds`. */
export function plot({ seconds, rates }) {
  const most = Math.max(1, Math.ceil(Math.max(...rates)));
  const x = (index) => LEFT + (index * (WIDTH - LEFT - 8)) / Math.max(1, rates.length - 1);
  const y = (rate) => HEIGHT - BOTTOM - (rate * (HEIGHT - BOTTOM - TOP)) / most;
  const points = rates.map((rate, index) => `${x(index).toFixed(1)},${y(rate).toFixed(1)}`);
  const caption = words.test.plot(seconds);
  const picture = part('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': caption, class: 'plot' });
  for (const rate of [0, most / 2, most]) picture.append(part('line', { x1: LEFT, x2: WIDTH - 8, y1: y(rate), y2: y(rate), class: 'grid' }), label(LEFT - 8, y(rate) + 4, rate, 'end'));
  picture.append(label(LEFT, HEIGHT - 4, '0 s', 'start'), label(WIDTH - 8, HEIGHT - 4, `${seconds} s`, 'end'));
  if (points.length > 1) {
    picture.append(part('polygon', { points: `${LEFT},${y(0)} ${points.join(' ')} ${x(rates.length - 1)},${y(0)}`, class: 'area' }));
    picture.append(part('polyline', { points: points.join(' '), class: 'curve' }));
  }
  return element('figure', { class: 'plotted' }, picture, element('figcaption', { class: 'quiet small' }, caption));
}

/** A text in a picture; `anchor` says which end of it is at `x`. */
export function label(x, y, text, anchor) {
  const made = part('text', { x, y, 'text-anchor': anchor });
  made.textContent = String(text);
  return made;
}

/** An element of a picture. */
export function part(tag, attributes) {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
