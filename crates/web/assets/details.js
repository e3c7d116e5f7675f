// The box behind the info button: how the call travels, in numbers, for each person; as JSON to copy, and as a file with everything.

import { copyText } from './clipboard.js';
import { saveFile } from './save-file.js';
import { element, pairs } from './element.js';
import { measure, rates } from './numbers.js';
import { words } from './strings.js';

const EVERY = 2000;
const VERSION = new URL(import.meta.url).pathname.split('/')[2];

/**
 * `source`: `facts()` gives `{room, state, signaling, since, sent, received}`, `connections()` a list of `{name, pc, setUp}` (milliseconds),
 * `diary` what happened.
 */
export class Details {
  #box = document.getElementById('details');
  #list = element('div', {});
  #status = element('p', { class: 'small', role: 'status' });
  #source;
  /** Connection to its numbers at the look before. */
  #before = new Map();
  #measured = [];

  constructor(source) {
    this.#source = source;
    const button = (text, act) => {
      const made = element('button', { type: 'button', class: 'button' }, text);
      made.addEventListener('click', act);
      return made;
    };
    this.#box.replaceChildren(
      this.#list,
      element('div', { class: 'row' }, button(words.detail.copy, () => this.#copy()), button(words.detail.download, () => this.#report())),
      this.#status,
    );
    setInterval(() => this.look(), EVERY);
  }

  toggle() {
    this.#box.hidden = !this.#box.hidden;
    for (const button of document.querySelectorAll('[data-act="details"]')) button.setAttribute('aria-pressed', String(!this.#box.hidden));
    return this.look();
  }

  hide() {
    if (!this.#box.hidden) this.toggle();
  }

  /** Everything that the box shows, as plain values. */
  async numbers() {
    await this.look(true);
    const { since, ...facts } = this.#source.facts();
    return {
      version: VERSION,
      at: new Date().toISOString(),
      ...facts,
      callSeconds: since ? Math.round((Date.now() - since) / 1000) : null,
      connections: this.#measured.map(({ name, setUp, now, rate }) => {
        const { at, ...numbers } = now;
        return { name, setUpMs: setUp, ...numbers, kilobitsPerSecond: rate };
      }),
    };
  }

  /** Two looks in the same moment say nothing about a rate: `before` stays as it was. */
  async look(needed = false) {
    if (this.#box.hidden && !needed) return;
    const found = await Promise.all(this.#source.connections().map(async ({ pc, ...rest }) => {
      const now = await measure(pc);
      const before = this.#before.get(pc);
      return { ...rest, pc, now, rate: rates(now, before), fresh: !before || now.at - before.at > EVERY / 4 };
    }));
    this.#before = new Map(found.map(({ pc, now, fresh }) => [pc, fresh ? now : this.#before.get(pc)]));
    this.#measured = found;
    if (!this.#box.hidden) this.#show();
  }

  #show() {
    const text = words.detail;
    const { room, state, signaling, since, sent, received } = this.#source.facts();
    const facts = [
      [text.room, room],
      [text.state, words.state[state] ?? words.meet.state[state] ?? state],
      [text.signaling, signaling ? words.state.connected : text.none],
      [text.messages, text.sentReceived(sent, received)],
      [text.duration, since ? duration(Date.now() - since) : text.none],
      [text.version, VERSION],
    ];
    const people = this.#measured.flatMap(({ name, ...one }) => [...(name ? [element('h3', {}, name)] : []), element('dl', {}, ...pairs(rows(one)))]);
    this.#list.replaceChildren(element('dl', {}, ...pairs(facts)), ...people);
  }

  async #copy() {
    const field = element('textarea', { class: 'unseen', 'aria-hidden': 'true', tabindex: '-1' });
    field.value = JSON.stringify(await this.numbers(), null, 2);
    this.#box.append(field);
    this.#status.textContent = (await copyText(field.value, field)) ? words.detail.copied : words.copyFailed;
    field.remove();
  }

  /** The numbers, what happened, and the browser's own statistics. Nothing in it opens a door: no credentials, no descriptions. */
  async #report() {
    const numbers = await this.numbers();
    const stats = await Promise.all(this.#source.connections().map(async ({ pc }) => [...(await pc.getStats()).values()]));
    const report = { page: location.href, browser: navigator.userAgent, numbers, diary: this.#source.diary.lines, stats };
    saveFile(new Blob([JSON.stringify(report, null, 2)], { type: 'application/json' }), `posthouse-${numbers.room}-report.json`);
  }
}

function rows({ setUp, now, rate }) {
  const say = words.detail;
  const { states, candidates, pair, media } = now;
  return [
    [say.states, `${states.signaling}, ${states.gathering}, ${states.ice}, ${states.connection}`],
    [say.candidates, say.pair(candidates.local.join(' ') || say.none, candidates.remote.join(' ') || say.none)],
    [say.path, pair ? (pair.path === 'relayed' ? words.path.relayed(pair.relayProtocol?.toUpperCase() ?? '') : words.path.direct) : say.none],
    [say.selected, pair ? say.pair(place(pair.local), place(pair.remote)) : say.none],
    [say.setUp, setUp === null ? say.none : say.milliseconds(setUp)],
    [say.delay, pair?.roundTripMs == null ? say.none : say.milliseconds(pair.roundTripMs)],
    ...['audio', 'video'].flatMap((kind) => [
      [say[`${kind}Sent`], flow(rate[kind].sending, media[kind].lossSendingPercent, media[kind].codecSending, media[kind].sending)],
      [say[`${kind}Received`], flow(rate[kind].receiving, media[kind].lossReceivingPercent, media[kind].codecReceiving, media[kind].receiving)],
    ]),
  ];
}

function place({ type, protocol, address, port }) {
  const host = address?.includes(':') ? `[${address}]` : (address ?? '');
  return `${type} ${protocol} ${host}:${port}`;
}

function flow(kilobits, loss, codec, size) {
  const say = words.detail;
  if (kilobits === null) return say.none;
  return [say.kilobits(kilobits), loss === null ? '' : say.loss(loss), codec, size ? `${size.width}×${size.height}` : ''].filter(Boolean).join(', ');
}

function duration(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  const pad = (value) => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
}
