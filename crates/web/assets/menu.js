// The menu behind the three dots, the same on both pages: what is needed less often than the buttons of the bar.

import { element } from './element.js';
import { icon } from './icon.js';
import { words } from './strings.js';

/** Act, drawing, key. A switch (with `true`) has a pressed state. */
const ITEMS = [
  ['devices', 'sliders', ''], ['flip', 'flip', ''], ['selfView', 'person', 'L', true], ['fullScreen', 'enlarge', 'F', true],
  ['details', 'info', 'I', true], ['invite', 'link', ''], ['help', 'keyboard', '?'],
];

/** Fills `menu` and lets `opener` open it; it closes at a choice, at Escape and at a click beside it. */
export function buildMenu(menu, opener) {
  menu.replaceChildren(...ITEMS.map(([act, drawing, key, isSwitch]) => element(
    'button', { type: 'button', 'data-act': act, 'aria-pressed': isSwitch ? 'false' : null },
    icon(drawing), element('span', {}, words[act]), key ? element('kbd', { 'aria-hidden': 'true' }, key) : '',
  )));
  const set = (open) => {
    menu.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
    if (open) menu.querySelector('button:not([hidden])').focus();
    else if (document.activeElement === document.body || menu.contains(document.activeElement)) opener.focus();
  };
  opener.addEventListener('click', () => set(menu.hidden));
  document.addEventListener('click', ({ target }) => !menu.hidden && !opener.contains(target) && set(false));
  document.addEventListener('keydown', (event) => {
    if (menu.hidden) return;
    if (event.key === 'Escape') set(false);
    else if (['ArrowDown', 'ArrowUp'].includes(event.key)) step(menu, event);
  });
}

function step(menu, event) {
  event.preventDefault();
  const items = [...menu.querySelectorAll('button:not([hidden], :disabled)')];
  const by = event.key === 'ArrowDown' ? 1 : -1;
  items.at((items.indexOf(document.activeElement) + by) % items.length).focus();
}
