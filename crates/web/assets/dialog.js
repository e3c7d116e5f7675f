// A dialog over the page: a heading, a way out, and whatever it is for. It is gone when it is closed; the focus goes back to where it was.

import { element } from './element.js';
import { icon } from './icon.js';
import { words } from './strings.js';

let number = 0;

/** Opens it at once and gives the `<dialog>`. */
export function openDialog(title, ...children) {
  number += 1;
  const close = element('button', { type: 'button', class: 'button plain close', 'aria-label': words.close }, icon('close'));
  const heading = element('h2', { id: `dialog-${number}` }, title);
  const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': heading.id }, element('div', { class: 'dialog-top' }, heading, close), ...children);
  close.addEventListener('click', () => dialog.close());
  // A click beside it lands on the dialog's own box, which has no padding of its own.
  dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  (document.fullscreenElement ?? document.body).append(dialog);
  dialog.showModal();
  return dialog;
}

/** Whether any is open: its keys are its own. */
export const isDialogOpen = () => document.querySelector('dialog[open]') !== null;
