// One line of a list with a transfer in it: a name, a word about it, buttons, a bar.

import { element } from './element.js';
import { durationText, rateText, sizeText } from './human.js';
import { words } from './strings.js';

/** `row` is the `<li>`; everything else is changed in place, so that the focus stays where it is. */
export class TransferRow {
  constructor(name, size) {
    this.name = element('span', { class: 'name' }, name);
    this.size = element('span', { class: 'quiet small size' }, size === null ? '' : sizeText(size));
    this.note = element('p', { class: 'quiet small note' });
    this.actions = element('div', { class: 'actions' });
    this.bar = element('progress', { max: 1, value: 0, 'aria-label': words.drop.progressOf(name), hidden: true });
    this.row = element('li', { class: 'transfer' }, element('div', { class: 'title' }, this.name, this.size), this.actions, this.bar, this.note);
  }

  /** `state` is for the style sheet; `note` is a sentence or nothing. */
  say(state, note = '') {
    this.row.dataset.state = state;
    if (this.note.textContent !== note) this.note.textContent = note;
  }

  /** A bar, and beside it how fast and how long. `total` null: no bar. */
  progress(done, total, speed) {
    this.bar.hidden = total === null;
    if (total === null) return;
    this.bar.value = total > 0 ? Math.min(1, done / total) : 1;
    this.note.textContent = progressText(done, total, speed);
  }
}

export function progressText(done, total, speed) {
  const seconds = speed.remaining(total - done);
  const parts = [words.drop.of(sizeText(done), sizeText(total)), speed.rate > 0 ? rateText(speed.rate) : '', seconds === null ? '' : words.drop.left(durationText(seconds))];
  return parts.filter(Boolean).join(' · ');
}

/** A real button with a word on it; `about` completes its accessible name. */
export function button(word, about, act, look = '') {
  const made = element('button', { type: 'button', class: `button ${look}`.trim(), 'aria-label': `${word}: ${about}` }, word);
  made.addEventListener('click', act);
  return made;
}
