// One receiver in the sender's list.

import { element } from './element.js';
import { words } from './strings.js';
import { TransferRow } from './transfer-row.js';

let people = 0;

export class VisitorRow {
  #row;
  #chip = element('span', { class: 'badge' });
  #code = element('p', { class: 'small code', hidden: true });
  #state = '';
  #received = 0;
  #say;

  /** `say(text)` tells what changed to whoever cannot see it. */
  constructor(say) {
    this.#say = say;
    this.#row = new TransferRow(words.drop.newcomer, null);
    this.#row.actions.append(this.#chip);
    this.#row.row.append(this.#code);
  }

  get row() {
    return this.#row.row;
  }

  show(visitor, offered) {
    if (!this.name && visitor.isKnown) this.#call();
    const { state, upload, path, safety, received, ours } = visitor;
    const word = words.drop.visitor[state];
    this.#chip.textContent = visitor.isHere && path ? (path.relayed ? words.path.relayed(path.protocol) : words.path.direct) : word;
    this.#chip.dataset.path = visitor.isHere && path ? (path.relayed ? 'relayed' : 'direct') : 'none';
    this.#row.say(state, upload ? '' : this.#note(visitor, offered));
    this.#row.progress(upload?.sent ?? 0, upload ? upload.size : null, visitor.speed);
    if (upload) this.#row.note.textContent = `${upload.item.path}: ${this.#row.note.textContent}`;
    this.#code.hidden = safety === '';
    this.#code.textContent = words.drop.safetyCode(safety);
    this.row.dataset.safety = safety;
    this.row.dataset.received = received.size;
    this.row.dataset.protocol = ours ? 'blocks' : 'chunks';
    this.#tell(state, received.size);
  }

  /** Numbers go to those who are there, in the order in which they came. */
  #call() {
    people += 1;
    this.name = words.drop.receiver(people);
    this.#row.name.textContent = this.name;
    this.#row.bar.setAttribute('aria-label', words.drop.progressOf(this.name));
  }

  #note({ state, received, ours }, offered) {
    const got = received.size > 0 ? words.drop.gotOf(received.size, offered) : '';
    const old = state === 'connected' && !ours ? words.drop.oldPage : '';
    return [words.drop.visitor[state], got, old].filter(Boolean).join(' · ');
  }

  #tell(state, received) {
    if (!this.name) return;
    if (received > this.#received) this.#say(words.drop.visitorGot(this.name));
    else if (state !== this.#state && state !== 'connecting' && this.#state !== 'sending' && state !== 'sending') this.#say(`${this.name}: ${words.drop.visitor[state]}`);
    this.#state = state;
    this.#received = received;
  }
}
