// Curves over time, drawn as SVG and told in words.

import { element } from './element.js';
import { label, part } from './plot.js';
import { words } from './dashboard-words.js';

const [HEIGHT, LEFT, BOTTOM, TOP] = [170, 74, 24, 12];
/** A picture is as wide as its place, so that its words are as large as the others. */
const [NARROWEST, WIDEST] = [260, 720];

/** Draws `curves` (`{ name, points: [[at, value]] }`) between two moments into `figure`; `written` makes a text of a value. */
export function draw(figure, { title, from, to, curves, written }) {
  const most = nice(Math.max(1, ...curves.flatMap(({ points }) => points.filter(([at]) => at >= from).map(([, value]) => value))));
  const width = Math.min(WIDEST, Math.max(NARROWEST, Math.round(figure.clientWidth)));
  const x = (at) => LEFT + (Math.max(0, at - from) * (width - LEFT - 8)) / Math.max(1, to - from);
  const y = (value) => HEIGHT - BOTTOM - (value * (HEIGHT - BOTTOM - TOP)) / most;
  const now = curves.map(({ name, points }) => `${name}: ${written(points.at(-1)?.[1] ?? 0)}`);
  const minutes = Math.round((to - from) / 60_000);
  const picture = part('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, role: 'img', 'aria-label': `${words.dashboard.chart(title, minutes)} ${now.join(', ')}` });
  for (const value of [0, most / 2, most]) {
    picture.append(part('line', { x1: LEFT, x2: width - 8, y1: y(value), y2: y(value), class: 'grid' }), label(LEFT - 8, y(value) + 4, written(value), 'end'));
  }
  picture.append(label(LEFT, HEIGHT - 4, words.dashboard.minutesAgo(minutes), 'start'), label(width - 8, HEIGHT - 4, words.dashboard.rightNow, 'end'));
  for (const [index, { points }] of curves.entries()) {
    const line = points.filter(([at]) => at >= from).map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    picture.append(part('polyline', { points: line, class: `curve-${index}` }));
  }
  figure.replaceChildren(element('figcaption', { class: 'small' }, title), picture, element('ul', { class: 'legend' }, ...now.map(legend)));
}

function legend(text, index) {
  const stroke = part('svg', { viewBox: '0 0 28 10', 'aria-hidden': 'true' });
  stroke.append(part('line', { x1: 0, x2: 28, y1: 5, y2: 5, class: `curve-${index}` }));
  return element('li', {}, stroke, text);
}

/** The next round number: 1, 2, 4, 6 or 8 of some power of ten, so that half of it is one, too. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 4, 6, 8, 10].find((step) => step * power >= value) ?? 10);
}
