// AppRTC's room server, as a client sees it: join, message, leave. All answers are JSON, `result` tells success from failure.

const TRIES = 4;
const PAUSE = 700;

export class Room {
  #query;

  /** `query` is the page's own (`?it=relay`), which AppRTC sends along with every request. */
  constructor(id, query) {
    this.id = id;
    this.#query = query;
  }

  /** `{result, params, at}`; `at` is the server's clock in milliseconds. Throws when there is no answer. */
  async join() {
    const response = await fetch(this.#path('join'), { method: 'POST', cache: 'no-store' });
    if (!response.ok) return { result: `HTTP ${response.status}`, params: {} };
    const answer = await response.json();
    return { ...answer, at: Date.parse(response.headers.get('date') ?? '') || Date.now() };
  }

  /** Sends `text` to the other member, or stores it for the next one. The `result`, or null if there was no answer. */
  async message(clientId, text) {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      try {
        const response = await fetch(this.#path('message', clientId), { method: 'POST', body: text });
        return response.ok ? (await response.json()).result : `HTTP ${response.status}`;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, PAUSE * tries));
      }
    }
    return null;
  }

  /** Gives the seat back. Never throws: whoever leaves does not wait for an answer. */
  async leave(clientId) {
    try {
      await fetch(this.#path('leave', clientId), { method: 'POST', keepalive: true, signal: AbortSignal.timeout(1500) });
    } catch {
      // The server frees the seat of a lost socket by itself.
    }
  }

  /** The same while the page is being closed, when only a beacon still goes out. */
  leaveByBeacon(clientId) {
    navigator.sendBeacon(this.#path('leave', clientId));
  }

  #path(verb, clientId) {
    const parts = ['', verb, this.id, ...(clientId ? [clientId] : [])];
    return parts.map(encodeURIComponent).join('/') + this.#query;
  }
}
