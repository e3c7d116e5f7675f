// What people write to each other and send each other during a call: the panel with its log, its field, and its files.

import { element } from './element.js';
import { notice } from './notice.js';
import { limitText, parcelRow } from './parcel-row.js';
import { LIMIT } from './parcel.js';
import { words } from './strings.js';

/** What the other side may put into this page: lines, characters of a line, and files that wait for an answer. */
const [LINES, LETTERS, OFFERS] = [1000, 4000, 16];

const byId = (id) => document.getElementById(id);

export class Chat {
  #send;
  #give;

  /** `send(text)` says something to everybody; `give(file)` sends them a file and gives `[parcel, who]` for each. */
  constructor({ send, give }) {
    this.#send = send;
    this.#give = give;
    byId('chat-limit').textContent = limitText();
    byId('chat-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say();
    });
    byId('chat-file').addEventListener('click', () => byId('chat-files').click());
    byId('chat-files').addEventListener('change', ({ target }) => {
      this.#giveAll(target.files);
      target.value = '';
    });
    this.#takeDrops(byId('chat'));
  }

  /** Whether there is anybody who hears it. */
  show(heard) {
    for (const id of ['chat-text', 'chat-send', 'chat-file']) byId(id).disabled = !heard;
    byId('chat-nobody').hidden = heard;
  }

  said({ name, text, own }) {
    const who = own ? words.meet.you : name || words.meet.nobody;
    const shown = text.slice(0, LETTERS);
    this.#add(element('p', { class: own ? 'own' : false }, element('b', {}, who), ` ${shown}`));
    if (byId('chat').hidden && !own) notice(`${who}: ${shown}`);
  }

  /** A file that somebody offers. */
  offered(parcel, name) {
    if (document.querySelectorAll('.parcel[data-state="offered"]:not(.own)').length >= OFFERS) return parcel.stop();
    const who = name || words.meet.nobody;
    this.#add(parcelRow(parcel, who, true));
    if (byId('chat').hidden) notice(words.file.offers(who, parcel.name));
    return undefined;
  }

  /** Another visit begins with nothing. */
  clear() {
    byId('chat-log').replaceChildren();
  }

  #say() {
    const text = byId('chat-text').value.trim();
    if (text) this.#send(text);
    byId('chat-text').value = '';
  }

  #giveAll(files) {
    for (const file of files) {
      if (file.size > LIMIT) notice(words.file.tooLarge(file.name, limitText()));
      else for (const [parcel, name] of this.#give(file)) this.#add(parcelRow(parcel, name || words.meet.nobody, false));
    }
  }

  #takeDrops(panel) {
    panel.addEventListener('dragover', (event) => {
      event.preventDefault();
      panel.dataset.drop = '';
    });
    panel.addEventListener('dragleave', () => delete panel.dataset.drop);
    panel.addEventListener('drop', (event) => {
      event.preventDefault();
      delete panel.dataset.drop;
      if (!byId('chat-file').disabled) this.#giveAll(event.dataTransfer.files);
    });
  }

  #add(row) {
    byId('chat-log').append(row);
    while (byId('chat-log').childElementCount > LINES) byId('chat-log').firstElementChild.remove();
    row.scrollIntoView({ block: 'nearest' });
  }
}
