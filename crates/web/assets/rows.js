// The rows of the test: one for each check, with its colour, its word and its sentence.

import { element, pairs } from './element.js';
import { plot } from './plot.js';
import { words } from './strings.js';
import { lines, sentence } from './verdicts.js';

export class Rows {
  #rows = new Map();

  constructor(list, names) {
    for (const name of names) this.#rows.set(name, row(name));
    list.replaceChildren(...this.#rows.values());
  }

  reset() {
    for (const item of this.#rows.values()) show(item, 'idle');
  }

  running(name) {
    show(this.#rows.get(name), 'running');
  }

  result(name, result) {
    const item = this.#rows.get(name);
    show(item, result.level, sentence(result));
    const told = lines(result);
    if (told.length > 0) item.append(element('details', {}, element('summary', {}, words.test.more), element('dl', { class: 'facts' }, ...pairs(told))));
    if (result.plot) item.append(plot(result.plot));
  }
}

function row(name) {
  const title = words.test.check[name];
  const item = element('li', { class: 'check', id: `check-${name}` }, element('h3', {}, title), element('span', { class: 'level' }), element('p', { class: 'advice' }));
  show(item, 'idle');
  return item;
}

function show(item, level, advice = '') {
  item.dataset.level = level;
  item.querySelector('.level').textContent = words.test.level[level];
  item.querySelector('.advice').textContent = advice;
  for (const part of item.querySelectorAll('details, figure')) part.remove();
}
