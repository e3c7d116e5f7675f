// A parcel as a line of the chat: what it is, how far it is, and the buttons that its state has.

import { saveFile } from './save-file.js';
import { element } from './element.js';
import { LIMIT } from './parcel.js';
import { words } from './strings.js';

const UNITS = ['B', 'kB', 'MB', 'GB'];

/** "12.3 MB". */
export function sizeText(bytes) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[power]}`;
}

export const limitText = () => words.file.limit(sizeText(LIMIT));

/** `who`: to whom it goes, or from whom it comes. */
export function parcelRow(parcel, who, incoming) {
  const text = element('span', {});
  const progress = element('progress', { max: Math.max(1, parcel.size), value: 0, 'aria-label': parcel.name });
  const buttons = element('span', { class: 'row' });
  const row = element('p', { class: incoming ? 'parcel' : 'parcel own' }, element('b', {}, parcel.name), ' ', text, progress, buttons);
  let shown = null;
  const show = () => {
    progress.value = parcel.moved;
    if (shown === parcel.state) return;
    shown = parcel.state;
    row.dataset.state = shown;
    text.textContent = words.file[incoming ? 'incoming' : 'outgoing'][shown](who, sizeText(parcel.size));
    progress.hidden = shown !== 'moving';
    buttons.replaceChildren(...buttonsFor(parcel, incoming));
  };
  parcel.addEventListener('change', show);
  show();
  return row;
}

function buttonsFor(parcel, incoming) {
  const text = words.file;
  if (incoming && parcel.state === 'offered') return [button(text.accept, parcel, () => parcel.accept(), true), button(text.decline, parcel, () => parcel.stop())];
  if (incoming && parcel.state === 'done') return [button(text.save, parcel, () => saveFile(parcel.blob, parcel.name), true)];
  return ['offered', 'moving'].includes(parcel.state) ? [button(text.cancel, parcel, () => parcel.stop())] : [];
}

function button(text, { name }, act, primary = false) {
  const made = element('button', { type: 'button', class: primary ? 'button primary' : 'button', 'aria-label': `${text}: ${name}` }, text);
  made.addEventListener('click', act);
  return made;
}
