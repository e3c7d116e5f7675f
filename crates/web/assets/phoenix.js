// Phoenix channels (`vsn` 2.0.0) on one WebSocket: [join_ref, ref, topic, event, payload].

const PATIENCE = 10_000;
const HEARTBEAT = 20_000;

/** A live socket. Ends with the event `end`, once; a push of the server is the event `push` with `{topic, event, payload}`. */
export class Phoenix extends EventTarget {
  #socket;
  #refs = 0;
  #asked = new Map();
  #joins = new Map();
  #beat = 0;
  #ended = false;

  /** Resolves with the socket when it is open. `path`: `/ws` or `/peer`. */
  static open(path) {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}${path}/websocket?vsn=2.0.0`);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => socket.close(), PATIENCE);
      socket.onopen = () => {
        clearTimeout(late);
        resolve(new Phoenix(socket));
      };
      socket.onclose = () => {
        clearTimeout(late);
        reject(new Error('closed'));
      };
    });
  }

  constructor(socket) {
    super();
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = () => this.close();
    this.#beat = setInterval(() => this.probe(), HEARTBEAT);
  }

  async join(topic) {
    this.#joins.set(topic, String(this.#refs + 1));
    await this.ask(topic, 'phx_join', {});
  }

  /** What is replied; throws with the reason of a refusal, and when nothing comes in time. */
  ask(topic, event, payload) {
    const ref = this.push(topic, event, payload);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#settle(ref, { status: 'error', response: { reason: 'no answer' } }), PATIENCE);
      this.#asked.set(ref, { resolve, reject, late });
    });
  }

  /** Says something that is never replied to. */
  push(topic, event, payload) {
    const ref = String((this.#refs += 1));
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify([this.#joins.get(topic) ?? null, ref, topic, event, payload]));
    return ref;
  }

  /** A heartbeat: a socket that does not answer is dead, whatever the browser says. */
  probe() {
    this.ask('phoenix', 'heartbeat', {}).catch(() => this.close());
  }

  close() {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#beat);
    this.#socket.close();
    for (const ref of [...this.#asked.keys()]) this.#settle(ref, { status: 'error', response: { reason: 'closed' } });
    this.dispatchEvent(new Event('end'));
  }

  #hear([, ref, topic, event, payload]) {
    if (event === 'phx_reply') this.#settle(ref, payload);
    else this.dispatchEvent(new CustomEvent('push', { detail: { topic, event, payload } }));
  }

  #settle(ref, { status, response }) {
    const asked = this.#asked.get(ref);
    if (!asked) return;
    this.#asked.delete(ref);
    clearTimeout(asked.late);
    if (status === 'ok') asked.resolve(response);
    else asked.reject(new Error(response?.reason ?? 'refused'));
  }
}
