// Our place at the broker of peer-id file sharing: an id under which others reach this page, kept across lost connections.

import { Phoenix } from './phoenix.js';

const WAITS = [300, 1000, 2000, 4000];

/**
 * Events: `change` (registered or not any more), and what the broker pushes: `peer_connect`, `error_connect`, `offer`, `answer`,
 * with its payload as `detail`.
 */
export class Broker extends EventTarget {
  id = null;
  registered = false;
  #keepsId;
  #socket = null;
  #closed = false;
  #wake = () => {};

  /** A sender's id is in a link, so it comes back under the same one; anybody else takes a new one. */
  constructor({ keepsId }) {
    super();
    this.#keepsId = keepsId;
    addEventListener('online', () => this.probe());
    document.addEventListener('visibilitychange', () => this.probe());
    this.#run();
  }

  connect(peer) {
    this.#push('connect', { peer_id: peer, sender_id: this.id });
  }

  /** `kind`: "offer" or "answer". */
  signal(kind, peer, signal) {
    this.#push(kind, { [kind]: signal, peer_id: peer, sender_id: this.id });
  }

  /** Finds out now whether the connection lives, or tries again now. */
  probe() {
    this.#socket?.probe();
    this.#wake();
  }

  close() {
    this.#closed = true;
    this.#socket?.close();
    this.#wake();
  }

  async #run() {
    for (let failures = 0; !this.#closed; failures += 1) {
      try {
        if (!this.#keepsId) this.id = null;
        this.id ??= await askForId();
        await this.#enter();
        failures = -1;
        await new Promise((resolve) => this.#socket.addEventListener('end', resolve));
      } catch {
        // Not reached, or the id's seat is still that of the connection that was lost: again in a moment.
        this.#socket?.close();
      }
      this.#socket = null;
      this.#turn(false);
      if (!this.#closed) await this.#pause(WAITS[Math.min(Math.max(failures, 0), WAITS.length - 1)]);
    }
  }

  async #enter() {
    this.#socket = await Phoenix.open('/peer');
    this.#socket.addEventListener('push', ({ detail: { event, payload } }) => {
      if (event === 'phx_error' || event === 'phx_close') this.#socket?.close();
      else this.dispatchEvent(new CustomEvent(event, { detail: payload }));
    });
    await this.#socket.join(`peer:${this.id}`);
    this.#turn(true);
  }

  #push(event, payload) {
    this.#socket?.push(`peer:${this.id}`, event, payload);
  }

  #turn(registered) {
    if (this.registered === registered) return;
    this.registered = registered;
    this.dispatchEvent(new Event('change'));
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, milliseconds);
    });
  }
}

/** A new id: the broker gives one to each socket on its other path. */
async function askForId() {
  const socket = await Phoenix.open('/ws');
  try {
    await socket.join('broker:match');
    const registered = new Promise((resolve, reject) => {
      socket.addEventListener('push', ({ detail: { event, payload } }) => event === 'registered' && resolve(payload.id));
      socket.addEventListener('end', () => reject(new Error('closed')));
    });
    socket.push('broker:match', 'register', {});
    return await registered;
  } finally {
    socket.close();
  }
}
