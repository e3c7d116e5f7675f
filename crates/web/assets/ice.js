// The ICE servers of one membership: they come with `/join` and are asked for again before their credentials expire.

const MARGIN = 60_000;
const UNKNOWN_LIFETIME = 600_000;

export class IceServers {
  #list;
  #url;
  #turnTransport;
  #until;

  /** `params` of a `/join` answer, `at` the server's clock when it answered (ms). */
  constructor(params, at, turnTransport) {
    this.#url = params.ice_server_url;
    this.#turnTransport = turnTransport;
    const given = params.ice_servers ? JSON.parse(params.ice_servers) : JSON.parse(params.pc_config ?? '{}').iceServers;
    this.#take(given ?? [], at);
  }

  /** Milliseconds until the credentials should be fresh again. */
  get remaining() {
    return Math.max(0, this.#until - Date.now());
  }

  /** The list for `RTCPeerConnection`. An old list is better than none when the server does not answer. */
  async list() {
    if ((this.#list.length === 0 || this.remaining === 0) && this.#url) await this.#ask();
    return this.#list;
  }

  async #ask() {
    try {
      const response = await fetch(this.#url, { method: 'POST', cache: 'no-store', signal: AbortSignal.timeout(5000) });
      if (!response.ok) return;
      const { iceServers } = await response.json();
      this.#take(iceServers ?? [], Date.parse(response.headers.get('date') ?? '') || Date.now());
    } catch {
      // Direct connections still work.
    }
  }

  /** The lifetime is measured on the server's clock and counted on ours. */
  #take(servers, at) {
    this.#list = servers.map((server) => this.#usable(server)).filter((server) => server.urls.length > 0);
    const expiries = this.#list.map((server) => /^(\d{9,})(:|$)/.exec(server.username ?? '')).filter(Boolean);
    const lifetime = expiries.length ? Math.min(...expiries.map((found) => found[1] * 1000)) - at : UNKNOWN_LIFETIME;
    this.#until = Date.now() + Math.max(0, lifetime - MARGIN);
  }

  #usable(server) {
    const urls = [server.urls ?? []].flat().filter((url) => this.#wanted(url));
    return { ...server, urls };
  }

  /** RFC 7065 §3.1: `turn:` without a transport is UDP, `turns:` is TCP. STUN is kept, it costs nothing. */
  #wanted(url) {
    if (!this.#turnTransport || !/^turns?:/.test(url)) return true;
    const transport = /[?&]transport=(\w+)/.exec(url)?.[1] ?? (url.startsWith('turns:') ? 'tcp' : 'udp');
    return transport === this.#turnTransport;
  }
}
