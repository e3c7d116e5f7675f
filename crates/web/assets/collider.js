// Collider's WebSocket, as a client sees it: register once, then send and receive texts.
// A lost socket comes back with the same client id while the server keeps the seat.
//
// Events: `message` (detail: text), `open`, `lost`, `countdown` (detail: seconds to the next attempt), `refused` (detail: the server's error
// text; the seat is gone).

import { countDown } from './client/patience.js';

const DELAYS = [150, 400, 900, 1800, 3000];
const CONNECT_TIMEOUT = 8000;
const PENDING_LIMIT = 256;
// Said while the server still believes in the old socket: it is not a refusal, only too early.
const TOO_EARLY = 'Duplicated registration';

export class Collider extends EventTarget {
  #url;
  #postUrl;
  #roomId;
  #clientId;
  #socket = null;
  #stopCounting = () => {};
  #failures = 0;
  #pending = [];
  #closed = false;
  #lost = false;

  constructor({ url, postUrl, roomId, clientId }) {
    super();
    this.#url = url;
    this.#postUrl = postUrl;
    this.#roomId = roomId;
    this.#clientId = clientId;
    this.#connect();
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends `text` to the other member now, or after the next register. */
  send(text) {
    if (this.open) this.#write({ cmd: 'send', msg: text });
    else if (this.#pending.length < PENDING_LIMIT) this.#pending.push(text);
  }

  /** The network changed: do not wait until the old socket notices. */
  reconnect() {
    if (this.#closed) return;
    this.#failures = 0;
    this.#drop();
    this.#markLost();
    this.#connect();
  }

  /** Says `last` to the other member and deregisters. */
  close(last) {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopCounting();
    if (last && this.open) this.#write({ cmd: 'send', msg: last });
    this.#drop();
    if (this.#postUrl) {
      fetch(this.#seat(), { method: 'DELETE', keepalive: true }).catch(() => {});
    }
  }

  /** The same while the page is being closed: no request after the last word. */
  closeWithPage(last) {
    this.#postUrl = '';
    this.close(last);
  }

  #connect() {
    this.#stopCounting();
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    const timeout = setTimeout(() => socket.close(), CONNECT_TIMEOUT);
    socket.addEventListener('open', () => {
      clearTimeout(timeout);
      if (socket === this.#socket) this.#register();
    });
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.#socket) this.#hear(data);
    });
    socket.addEventListener('close', () => {
      clearTimeout(timeout);
      if (socket === this.#socket) this.#retry();
    });
  }

  #register() {
    this.#write({ cmd: 'register', roomid: this.#roomId, clientid: this.#clientId });
    for (const text of this.#pending.splice(0)) this.#write({ cmd: 'send', msg: text });
    this.#lost = false;
    this.#tell('open');
  }

  #hear(data) {
    const { msg, error } = JSON.parse(data);
    if (error?.includes(TOO_EARLY)) return;
    if (error) {
      this.#closed = true;
      this.#drop();
      this.#tell('refused', error);
    } else if (msg) {
      this.#failures = 0;
      this.#tell('message', msg);
    }
  }

  #retry() {
    if (this.#closed) return;
    this.#markLost();
    const delay = DELAYS[Math.min(this.#failures, DELAYS.length - 1)];
    this.#failures += 1;
    const wait = delay * (0.75 + Math.random() / 2);
    this.#stopCounting = countDown(wait, (seconds) => this.#tell('countdown', seconds), () => this.#connect());
  }

  #markLost() {
    if (!this.#lost) this.#tell('lost');
    this.#lost = true;
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #write(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  #seat() {
    return [this.#postUrl, encodeURIComponent(this.#roomId), encodeURIComponent(this.#clientId)].join('/');
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
