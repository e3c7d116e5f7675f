// The pictures of a meeting: a tile for each person, the first one your own.

import { element } from './element.js';
import { selectedPath } from './path.js';
import { speakAsChosen } from './speakers.js';
import { words } from './strings.js';

const LOOK_EVERY = 2000;
const WITHOUT_PATH = { new: 'connecting', connecting: 'connecting', disconnected: 'reconnecting', failed: 'reconnecting', closed: 'gone' };

export class Grid {
  #root;
  /** Member to `{tile, video, chip, caption, stream, connection}`. */
  #tiles = new Map();

  constructor(root) {
    this.#root = root;
    setInterval(() => this.look(), LOOK_EVERY);
  }

  add({ member, connection }) {
    this.remove({ member });
    const video = element('video', { autoplay: true, playsinline: true });
    const caption = element('span', { class: 'who' });
    const chip = element('span', { class: 'chip' });
    const silhouette = document.querySelector('#self-tile .silhouette').cloneNode(true);
    const tile = element('li', { class: 'tile', 'data-member': member }, video, silhouette, element('p', { class: 'nameplate' }, caption, chip));
    this.#tiles.set(member, { tile, video, chip, caption, connection, stream: new MediaStream() });
    this.#root.append(tile);
    this.#count();
    this.look();
  }

  remove({ member }) {
    this.#tiles.get(member)?.tile.remove();
    this.#tiles.delete(member);
    this.#count();
  }

  clear() {
    for (const member of [...this.#tiles.keys()]) this.remove({ member });
  }

  addTrack({ member, track }) {
    const one = this.#tiles.get(member);
    if (!one) return;
    for (const old of one.stream.getTracks().filter(({ kind }) => kind === track.kind)) one.stream.removeTrack(old);
    one.stream.addTrack(track);
    if (one.video.srcObject !== one.stream) one.video.srcObject = one.stream;
    speakAsChosen(one.video);
    one.video.play().catch(() => {});
  }

  /** Names and switches as the room knows them. */
  show(members) {
    for (const [member, { tile, video, caption }] of this.#tiles) {
      const { name, data, away } = members.get(member) ?? {};
      const who = name || words.meet.nobody;
      caption.textContent = [who, data?.audio === false && words.meet.muted, data?.screen === true && words.meet.sharing].filter(Boolean).join(' · ');
      video.setAttribute('aria-label', words.meet.videoOf(who));
      tile.dataset.camera = data?.video === false ? 'off' : 'on';
      tile.dataset.screen = String(data?.screen === true);
      tile.dataset.away = String(Boolean(away));
    }
  }

  /** How each picture travels. */
  async look() {
    await Promise.all([...this.#tiles.values()].map(async ({ tile, chip, connection }) => {
      const path = connection.state === 'connected' ? await selectedPath(connection.pc).catch(() => null) : null;
      const kind = path ? (path.relayed ? 'relayed' : 'direct') : (WITHOUT_PATH[connection.state] ?? 'connecting');
      tile.dataset.path = kind;
      chip.textContent = path?.relayed ? words.path.relayed(path.protocol) : words.meet.chip[kind];
    }));
  }

  #count() {
    this.#root.dataset.count = String(Math.min(this.#tiles.size + 1, 9));
  }
}
