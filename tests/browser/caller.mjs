// A person in front of a call page: joins, hangs up, and looks at what came through.

import assert from 'node:assert/strict';
import { until } from './until.mjs';

const PATIENCE = 40_000;

export class Caller {
  /** Texts that the server's socket brought, in order. */
  heard = [];

  /** The URLs of the page's WebSockets. */
  sockets = [];

  constructor({ page, complaints }) {
    this.page = page;
    this.complaints = complaints;
    page.on('websocket', (socket) => {
      this.sockets.push(socket.url());
      socket.on('framereceived', ({ payload }) => this.heard.push(JSON.parse(payload).msg));
    });
  }

  async open(url) {
    await this.page.goto(url);
  }

  async join(url) {
    await this.open(url);
    await this.page.click('#join');
  }

  async hangUp() {
    await this.page.click('#hang-up');
    await this.reach('left');
  }

  /** Waits until the page's state is `state`. */
  async reach(state, timeout = PATIENCE) {
    await this.page
      .waitForFunction((wanted) => window.posthouse.state === wanted, state, { timeout })
      .catch(async () => assert.fail(`the page is "${await this.state()}", not "${state}"; complaints: ${this.complaints}`));
  }

  state() {
    return this.page.evaluate(() => window.posthouse.state);
  }

  /** Waits until the server can reach this page again. */
  async reachSignaling() {
    await this.page.waitForFunction(() => window.posthouse.signaling, null, { timeout: PATIENCE });
  }

  /** How often the other member's `bye` was heard. */
  get byes() {
    return this.heard.filter((text) => text && JSON.parse(text).type === 'bye').length;
  }

  /** Waits until pictures of the other side are decoded, more and more of them. */
  async sees() {
    const before = await this.framesDecoded();
    await until(this.page, async (least) => {
      const stats = await window.posthouse.pc?.getStats();
      return [...(stats?.values() ?? [])].some((report) => report.type === 'inbound-rtp' && report.framesDecoded > least);
    }, before + 5, PATIENCE);
  }

  framesDecoded() {
    return this.page.evaluate(async () => {
      const stats = await window.posthouse.pc.getStats();
      return [...stats.values()].find((report) => report.type === 'inbound-rtp' && report.kind === 'video')?.framesDecoded ?? 0;
    });
  }

  /** The candidate types of the selected pair, as "host to relay". */
  path() {
    return this.page.evaluate(async () => {
      const stats = await window.posthouse.pc.getStats();
      // Firefox names no transport: it marks the pair.
      const transport = [...stats.values()].find((report) => report.type === 'transport' && report.selectedCandidatePairId);
      const pair = stats.get(transport?.selectedCandidatePairId) ?? [...stats.values()].find((report) => report.selected);
      return `${stats.get(pair.localCandidateId).candidateType} to ${stats.get(pair.remoteCandidateId).candidateType}`;
    });
  }

  /** From the click on Join to the first connection, in milliseconds, by the page's own marks. */
  setUpTime() {
    return this.page.evaluate(() => {
      const at = (state) => performance.getEntriesByName(`posthouse ${state}`)[0].startTime;
      return Math.round(at('connected') - at('joining'));
    });
  }

  /** How this side speaks to its relay, "udp", "tcp" or "tls"; undefined when the selected pair needs none. */
  relayProtocol() {
    return this.page.evaluate(async () => {
      const stats = await window.posthouse.pc.getStats();
      const transport = [...stats.values()].find((report) => report.type === 'transport');
      return stats.get(stats.get(transport.selectedCandidatePairId).localCandidateId).relayProtocol;
    });
  }

  /** ICE may begin with the relay and find the direct way a moment later; the page's chip must follow. */
  async goesDirect() {
    await this.showsPath(/^Direct$/);
    assert.doesNotMatch(await this.path(), /relay/);
  }

  async goesRelayed() {
    await this.showsPath(/^Relayed/);
    assert.match(await this.path(), /relay/);
  }

  /** Waits until the chip that tells the user says so. */
  async showsPath(words) {
    await this.page
      .waitForFunction((source) => new RegExp(source).test(document.querySelector('#path:not([hidden])')?.textContent), words.source)
      .catch(async () => assert.fail(`the path is ${await this.path()}, in words "${await this.page.textContent('#path')}"`));
  }

  /** Gets ready for `size` bytes on the data channel; `received()` then gives their SHA-256. */
  async expectBytes(size) {
    await this.page.evaluate(async (expected) => {
      while (window.posthouse.channel?.readyState !== 'open') await new Promise((resolve) => setTimeout(resolve, 50));
      window.testArrival = new Promise((resolve) => {
        const parts = [];
        let length = 0;
        window.posthouse.channel.addEventListener('message', ({ data }) => {
          if (typeof data === 'string') return;
          parts.push(data);
          length += data.byteLength;
          if (length >= expected) resolve(new Blob(parts).arrayBuffer());
        });
      });
    }, size);
  }

  received() {
    return this.page.evaluate(async () => {
      const digest = await crypto.subtle.digest('SHA-256', await window.testArrival);
      return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
    });
  }

  /** Sends `size` random bytes in pieces of 16 KiB and gives their SHA-256. */
  sendBytes(size) {
    return this.page.evaluate(async (total) => {
      const piece = 16_384;
      const bytes = new Uint8Array(total);
      for (let at = 0; at < total; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, total)));
      const { channel } = window.posthouse;
      while (channel.readyState !== 'open') await new Promise((resolve) => setTimeout(resolve, 50));
      for (let at = 0; at < total; at += piece) {
        while (channel.bufferedAmount > 4 * piece) await new Promise((resolve) => setTimeout(resolve, 10));
        channel.send(bytes.subarray(at, Math.min(at + piece, total)));
      }
      const digest = await crypto.subtle.digest('SHA-256', bytes);
      return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
    }, size);
  }
}

/** Random bytes from each side arrive on the other as they were sent. */
export async function exchange(one, other, size) {
  await one.expectBytes(size);
  await other.expectBytes(size);
  assert.equal(await one.sendBytes(size), await other.received());
  assert.equal(await other.sendBytes(size), await one.received());
}

/** Both are in the call and see each other. */
export async function meet(one, other) {
  await Promise.all([one.reach('connected'), other.reach('connected')]);
  await Promise.all([one.sees(), other.sees()]);
}
