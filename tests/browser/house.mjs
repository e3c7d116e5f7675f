// What most tests need: the real binary on the public segment, and a browser behind each NAT. All of it ends with the test file.

import { after } from 'node:test';
import { launch } from './browser.mjs';
import { Caller } from './caller.mjs';
import { launch as launchFirefox } from './firefox.mjs';
import { Network, SERVER_ADDRESS } from './network.mjs';
import { configuration, start } from './server.mjs';

export const ORIGIN = `http://${SERVER_ADDRESS}:8080`;

let room = 0;

/** `kinds`: the NAT of each client. `extra`: TOML for the server. `url`: where browsers find it, when not at `ORIGIN`. */
export async function build({ kinds, extra = '', url = ORIGIN }) {
  const network = new Network(kinds);
  const house = new House(network, configuration(SERVER_ADDRESS, extra, url), url);
  after(() => house.close());
  try {
    await house.open();
  } catch (error) {
    // What throws while a test file is loaded ends the process without its `exit` event.
    await house.close();
    throw error;
  }
  return house;
}

class House {
  server = null;
  #browsers = [];
  #toml;
  #url;

  constructor(network, toml, url) {
    this.network = network;
    this.#toml = toml;
    this.#url = url;
  }

  /** Starts the server, the first time or after it was stopped. */
  async open() {
    this.server = await start({ namespace: this.network.server, toml: this.#toml });
  }

  /** A room that no other test uses. */
  room(query = '') {
    room += 1;
    return `${this.#url}/r/meeting-${room}${query}`;
  }

  /** A new browser at client `number`'s home. */
  async browser(number, options = {}) {
    return this.#keep(await launch({ namespace: this.network.client(number), origin: this.#url, ...options }));
  }

  /** The same, with Firefox. */
  async firefox(number, options = {}) {
    return this.#keep(await launchFirefox({ namespace: this.network.client(number), ...options }));
  }

  /** Somebody with a browser of their own. */
  async caller(number, options = {}) {
    const browser = await this.browser(number, options);
    return new Caller(await browser.tab());
  }

  #keep(browser) {
    this.#browsers.push(browser);
    return browser;
  }

  async close() {
    for (const browser of this.#browsers) await browser.close().catch(() => {});
    await this.server?.stop();
    this.network.remove();
  }
}
