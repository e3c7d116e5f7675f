// Keys and what they do: AppRTC's (space or m, c, f, i, l, q) and this page's own. A key does what its button does.

import { isDialogOpen, openDialog } from './dialog.js';
import { element } from './element.js';
import { words } from './strings.js';

/** In the order in which they are shown. */
const KEYS = [
  [['m', ' '], 'microphone'], [['c'], 'camera'], [['s'], 'screen'], [['l'], 'selfView'], [['f'], 'fullScreen'], [['i'], 'details'],
  [['t'], 'chat'], [['?'], 'help'], [['q'], 'hangUp'],
];
const ACTS = new Map(KEYS.flatMap(([keys, act]) => keys.map((key) => [key, act])));

/** Calls `acts[NAME]` for a click on `data-act="NAME"` or its key. */
export function connectKeys(acts) {
  document.addEventListener('click', ({ target }) => {
    acts[target.closest('[data-act]')?.dataset.act]?.();
  });
  document.addEventListener('keydown', (event) => {
    const act = ACTS.get(event.key.toLowerCase());
    if (!act || !acts[act] || event.repeat || event.ctrlKey || event.metaKey || event.altKey || isBusy(event)) return;
    if (!isOffered(act)) return;
    event.preventDefault();
    acts[act]();
  });
}

/** The dialog behind `?`. */
export function showKeys() {
  const rows = KEYS.filter(([, act]) => act === 'help' || isOffered(act)).map(([keys, act]) => [
    element('dt', {}, ...keys.flatMap((key, at) => [at ? ` ${words.or} ` : '', element('kbd', {}, key === ' ' ? words.spaceKey : key)])),
    element('dd', {}, words[act]),
  ]);
  openDialog(words.help, element('dl', { class: 'keys' }, ...rows.flat()), element('p', { class: 'quiet small' }, words.helpText));
}

/** Text fields own their keys, so does an open dialog, and the space bar presses a focused button. */
function isBusy({ key, target }) {
  return isDialogOpen() || target.closest('input, textarea, select') !== null || (key === ' ' && target.closest('button, a, summary') !== null);
}

/** A key does what an enabled button would do that can be seen, or that is one click away in the menu. */
function isOffered(act) {
  const reachable = (button) => button.checkVisibility() || (!button.hidden && button.closest('#more') && document.getElementById('controls').checkVisibility());
  return act === 'help' || [...document.querySelectorAll(`[data-act="${act}"]`)].some((button) => !button.disabled && reachable(button));
}
