// Before the call: the level of the microphone, a switch to come in muted, and the menus of the devices, below the preview.

import { deviceMenus } from './device-menus.js';
import { element } from './element.js';
import { Level } from './level.js';
import { speakThrough } from './speakers.js';
import { words } from './strings.js';

/** Fills `root`. `show(open)` is told when the page is before the call and when it is not. */
export class Lobby {
  #media;
  #level;
  #muted = element('input', { type: 'checkbox', id: 'join-muted' });
  #open = false;

  constructor(root, media) {
    this.#media = media;
    const meter = element('meter', { min: '0', max: '1', 'aria-labelledby': 'level-label' });
    const text = element('span', { class: 'quiet small' });
    this.#level = new Level(meter, text);
    this.#muted.addEventListener('change', () => media.toggle('audio'));
    root.replaceChildren(
      element('p', { class: 'level' }, element('span', { id: 'level-label', class: 'small' }, words.device.level), meter, text),
      element('label', { class: 'check' }, this.#muted, element('span', {}, words.joinMuted)),
      element('details', { class: 'device-choice' }, element('summary', {}, words.devices), deviceMenus(media, speakThrough)),
    );
    media.addEventListener('change', () => this.#look());
  }

  show(open) {
    this.#open = open;
    this.#look();
  }

  #look() {
    const track = this.#media.track('audio');
    this.#muted.checked = track !== null && !this.#media.isOn('audio');
    this.#muted.disabled = track === null;
    this.#level.watch(this.#open ? track : null);
  }
}
