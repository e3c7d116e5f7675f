// Menus for camera, microphone and, where the browser lets a page choose it, the speaker. Before the call and in it.

import { canChooseSpeaker, chosenDevice, devicesOf, noteDevice, watchDevices } from './devices.js';
import { element } from './element.js';
import { words } from './strings.js';

let number = 0;

/** An element with a menu for each kind, up to date until `signal` is aborted. `speak(id)` sends the sound of the others to a speaker. */
export function deviceMenus(media, speak, signal) {
  const kinds = ['video', 'audio', ...(canChooseSpeaker() ? ['speaker'] : [])];
  const menus = kinds.map((kind) => new Menu(kind, media, speak));
  const refresh = () => menus.forEach((menu) => menu.fill());
  watchDevices(refresh, signal);
  media.addEventListener('change', refresh, { signal });
  refresh();
  return element('div', { class: 'device-menus' }, ...menus.map(({ row }) => row));
}

class Menu {
  #kind;
  #media;
  #select;

  constructor(kind, media, speak) {
    this.#kind = kind;
    this.#media = media;
    const id = `device-${kind}-${(number += 1)}`;
    this.#select = element('select', { id, class: 'field', 'data-device': kind });
    this.row = element('p', { class: 'fields' }, element('label', { for: id }, words.device[kind]), this.#select);
    this.#select.addEventListener('change', ({ target }) => {
      if (kind !== 'speaker') return void media.choose(kind, target.value);
      noteDevice(kind, target.value);
      speak(target.value);
    });
  }

  async fill() {
    const devices = await devicesOf(this.#kind);
    const current = this.#media.track(this.#kind)?.getSettings().deviceId ?? chosenDevice(this.#kind);
    const options = devices.map(({ id, label }, at) => new Option(label || words.device.unnamed(at + 1), id, false, id === current));
    if (this.#kind !== 'speaker' && options.length > 0 && !this.#media.track(this.#kind)) {
      options.unshift(new Option(words.device.none, '', true, true));
      options[0].disabled = true;
    }
    if (options.length === 0) options.push(new Option(words.device.unknown, ''));
    this.#select.replaceChildren(...options);
    this.#select.disabled = devices.length === 0;
  }
}
