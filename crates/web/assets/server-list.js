// The editor of ICE servers: a row of fields for each.

import { element } from './element.js';
import { words } from './strings.js';

export class ServerList {
  #list;
  #made = 0;

  constructor(list) {
    this.#list = list;
  }

  /** The servers that have at least one URL, as `RTCIceServer`s. */
  read() {
    return [...this.#list.children].map((row) => {
      const [urls, username, credential] = [...row.querySelectorAll('input')].map(({ value }) => value.trim());
      return { urls: urls.split(/\s+/).filter(Boolean), ...(username ? { username } : {}), ...(credential ? { credential } : {}) };
    }).filter(({ urls }) => urls.length > 0);
  }

  write(servers) {
    this.#list.replaceChildren();
    for (const server of servers) this.add(server);
    if (servers.length === 0) this.add({});
  }

  add({ urls = [], username = '', credential = '' }) {
    const { expert } = words.test;
    const remove = element('button', { type: 'button', class: 'button' }, expert.remove);
    const row = element('li', { class: 'server' },
      this.#field(expert.urls, [urls].flat().join(' '), 'text'),
      this.#field(expert.username, username, 'text'),
      this.#field(expert.credential, credential, 'password'),
      remove);
    remove.addEventListener('click', () => this.#remove(row));
    this.#list.append(row);
    return row;
  }

  /** Whoever removes a row by keyboard is left at its neighbour, not nowhere. */
  #remove(row) {
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (neighbour ?? this.add({})).querySelector('input').focus();
  }

  #field(text, value, type) {
    this.#made += 1;
    const input = element('input', { id: `server-${this.#made}`, class: 'field', type, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' });
    input.value = value;
    return element('div', { class: 'labelled' }, element('label', { for: input.id }, text), input);
  }
}
