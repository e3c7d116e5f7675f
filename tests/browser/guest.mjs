// A person in front of a meeting's page.

import assert from 'node:assert/strict';
import { until } from './until.mjs';

const PATIENCE = 60_000;

export class Guest {
  constructor(name, { page, complaints }) {
    Object.assign(this, { name, page, complaints });
  }

  async enter(url) {
    await this.page.goto(url);
    await this.page.fill('#name', this.name);
    await this.page.click('#join');
  }

  reach(state) {
    return this.page.waitForFunction((state) => window.posthouse.state === state, state, { timeout: PATIENCE })
      .catch(async () => assert.fail(`${this.name} is ${await this.page.evaluate(() => window.posthouse.state)}, not ${state}; ${this.complaints}`));
  }

  /** Waits until so many others are connected and pictures of each are decoded, more and more of them. */
  async sees(others) {
    await this.page.evaluate(() => { window.decoded = new WeakMap(); });
    await until(this.page, async (others) => {
      const connections = [...window.posthouse.peers?.connections.values() ?? []];
      if (connections.length !== others) return false;
      const moving = await Promise.all(connections.map(async ({ pc }) => {
        const video = [...(await pc.getStats()).values()].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
        const before = window.decoded.get(pc) ?? video?.framesDecoded;
        window.decoded.set(pc, before);
        return video?.framesDecoded > before + 3;
      }));
      return moving.every(Boolean);
    }, others, PATIENCE);
  }

  /** Pictures may flow before the channels are open. */
  canChat(others) {
    return this.page.waitForFunction((others) => {
      const channels = [...window.posthouse.peers?.connections.values() ?? []].flatMap(({ channels }) => [...channels.values()]);
      return channels.filter(({ readyState }) => readyState === 'open').length === others;
    }, others, { timeout: PATIENCE });
  }

  notices(pattern) {
    return this.page.waitForFunction((source) => new RegExp(source).test(document.querySelector('#notice:not([hidden])')?.textContent), pattern.source, { timeout: PATIENCE });
  }

  tiles() {
    return this.page.$$eval('.tile[data-member] .who', (all) => all.map((one) => one.textContent).sort());
  }

  press(act) {
    return this.page.click(`#controls [data-act="${act}"]`);
  }
}
