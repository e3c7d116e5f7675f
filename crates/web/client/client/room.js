// A room as one of its members sees it: who is there, what is said, and what its owner may do.

import { RoomError } from './error.js';
import { Events } from './events.js';
import { Kept } from './kept.js';
import { isSignal } from './peers.js';
import { Session } from './session.js';

const SOCKET_PATH = '/v1/socket';
// Somebody looks at the page again: a line that died in its sleep shows within this time.
const LOOK = 2500;
// The server sends new credentials before the old ones end; should it not, they are asked for.
const ICE_SHARE = 0.9;
const LONGEST_TIMER = 2 ** 31 - 1;

/** Joins a room; see `client.d.ts` for the options. `await room.joined` to be in it. */
export function connect(options) {
  return new Room(options);
}

export class Room extends Events {
  /** The room's name, as asked for and then as given. */
  name;
  /** This member's id, after it joined. */
  member = null;
  /** The others: id to `{member, name, data, polite, away}`. */
  members = new Map();
  /** `{capacity, locked, passphrase, knock}`. */
  state = null;
  /** For RTCPeerConnection, with credentials that are good now. */
  iceServers = [];
  /** The owner's secret, for who created the room or brought it. */
  owner = null;
  /** Who knocks, for owners: id to `{member, name}`. */
  knocks = new Map();
  /** Resolves with this room, or rejects with a `RoomError`. */
  joined;
  #session;
  #keeps;
  #iceTimer = 0;
  #quiet = new AbortController();

  constructor({ url, room, name, passphrase, token, owner, create, data, storage = null, WebSocket = globalThis.WebSocket }) {
    super();
    if (typeof WebSocket !== 'function') throw new TypeError('expected a WebSocket: there is none here, pass one as the option WebSocket');
    const address = socketUrl(url);
    this.name = room;
    this.owner = owner ?? null;
    this.#keeps = storage !== null;
    const entry = { room, name, passphrase, token, owner, create, data };
    this.#session = new Session({ WebSocket, url: address, entry, kept: new Kept(storage, address, room) });
    this.joined = this.#listen();
    this.joined.catch(() => {});
    this.#watchPage();
    this.#session.start();
  }

  /** joining, waiting (for somebody to open), open, away (coming back) or closed. */
  get connection() {
    return this.#session.connection;
  }

  /** Says `data` to one member, or to all others. Resolves when it is in every receiver's mailbox. */
  async send(data, to) {
    await this.#session.request({ type: 'send', to, data });
  }

  /** What the others see of this member beside the name. */
  async setPresence(data) {
    await this.#session.request({ type: 'presence', data });
  }

  async lock() {
    await this.#set({ locked: true });
  }

  async unlock() {
    await this.#set({ locked: false });
  }

  /** Null takes it away. */
  async setPassphrase(passphrase) {
    await this.#set({ passphrase });
  }

  /** Whether newcomers wait until an owner admits them. */
  async setKnock(knock) {
    await this.#set({ knock });
  }

  async setCapacity(capacity) {
    await this.#set({ capacity });
  }

  async admit(member) {
    await this.#session.request({ type: 'admit', member });
  }

  async deny(member) {
    await this.#session.request({ type: 'deny', member });
  }

  async kick(member, reason) {
    await this.#session.request({ type: 'kick', member, reason });
  }

  /** Ends the room for everybody. */
  async close() {
    await this.#session.request({ type: 'close' });
  }

  /** Shows the owner's secret later than at the join. */
  async own(owner) {
    await this.#session.request({ type: 'own', owner });
    this.owner = owner;
  }

  /** Asks for fresh ICE servers now. */
  async renewIce() {
    this.#takeIce((await this.#session.request({ type: 'ice' })).ice);
  }

  /** Gives the seat back; never throws. */
  leave() {
    return this.#session.leave();
  }

  /** Does not wait for a timer: a new socket at once. */
  reconnect() {
    this.#session.reconnect();
  }

  #set(change) {
    return this.#session.request({ type: 'set', ...change });
  }

  #listen() {
    const session = this.#session;
    for (const type of ['connection', 'countdown', 'back']) session.on(type, (value) => this.tell(type, value));
    session.on('connection', (connection) => connection === 'waiting' && this.tell('waiting'));
    session.on('event', (frame) => this.#hear(frame));
    return new Promise((resolve, reject) => {
      session.on('seated', (frame) => {
        const first = this.member === null;
        this.#sit(frame, first);
        if (!first) return;
        resolve(this);
        this.tell('joined', { resumed: frame.resumed });
        for (const knock of frame.knocks ?? []) this.#knocked(knock);
      });
      session.on('closed', ({ reason, error }) => {
        this.#quiet.abort();
        clearTimeout(this.#iceTimer);
        reject(error ?? new RoomError({ code: reason, fault: 'room', message: `the room is over: ${reason}` }));
        this.tell('closed', { reason, error });
      });
    });
  }

  /** After a resume in the same page the missed events tell what became of the members; only a new page needs the list. */
  #sit(frame, first) {
    this.name = frame.room;
    this.member = frame.member;
    this.owner = frame.owner ?? this.owner;
    if (first) {
      for (const member of frame.members) this.members.set(member.member, entryOf(member));
      this.state = frame.state;
    }
    this.#takeIce(frame.ice);
  }

  #hear({ type, seq, ...frame }) {
    switch (type) {
      case 'message':
        return this.tell(isSignal(frame.data) ? 'signal' : 'message', frame);
      case 'member-joined':
        return this.#arrived(frame);
      case 'member-left':
        return this.#departed(frame);
      case 'member-away':
        return this.#changed(frame.member, { away: true }, type);
      case 'member-back':
        return this.#changed(frame.member, { away: false }, type);
      case 'member-changed':
        return this.#changed(frame.member, { data: frame.data }, type);
      case 'knock':
        return this.#knocked(frame);
      case 'knock-gone':
        return this.knocks.delete(frame.member) && this.tell('knock-gone', frame);
      case 'state':
        return this.#stateChanged(frame.state ?? frame);
      case 'ice':
        return this.#takeIce(frame.ice);
      default:
        // `closed` is told when the socket ends; what later versions invent is not for this one.
        return null;
    }
  }

  #arrived(frame) {
    if (this.members.has(frame.member)) return;
    const entry = entryOf(frame);
    this.members.set(frame.member, entry);
    this.tell('member-joined', entry);
  }

  #departed({ member, reason }) {
    const entry = this.members.get(member);
    if (!entry) return;
    this.members.delete(member);
    this.tell('member-left', { ...entry, reason });
  }

  /** The list of a resume and the events that follow it may both tell of one. */
  #knocked(frame) {
    if (this.knocks.has(frame.member)) return;
    this.knocks.set(frame.member, frame);
    this.tell('knock', frame);
  }

  #changed(id, change, type) {
    const entry = this.members.get(id);
    if (!entry) return;
    Object.assign(entry, change);
    this.tell(type, entry);
  }

  #stateChanged(state) {
    this.state = { ...this.state, ...state };
    this.tell('state', this.state);
  }

  #takeIce(ice) {
    if (!ice) return;
    this.iceServers = ice.iceServers;
    clearTimeout(this.#iceTimer);
    const wait = Math.min((ice.expires_in ?? 0) * 1000 * ICE_SHARE, LONGEST_TIMER);
    if (wait > 0) this.#iceTimer = setTimeout(() => this.renewIce().catch(() => {}), wait);
    this.tell('ice', this.iceServers);
  }

  #watchPage() {
    const { signal } = this.#quiet;
    const page = globalThis.document;
    if (!page) return;
    globalThis.addEventListener('online', () => this.reconnect(), { signal });
    globalThis.navigator.connection?.addEventListener('change', () => this.#session.look(LOOK), { signal });
    globalThis.addEventListener('pageshow', ({ persisted }) => persisted && this.reconnect(), { signal });
    globalThis.addEventListener('pagehide', () => this.#session.leaveWithPage(this.#keeps), { signal });
    page.addEventListener('visibilitychange', () => page.visibilityState === 'visible' && this.#session.look(LOOK), { signal });
  }
}

function entryOf({ member, name = '', data = null, polite = false, away = false }) {
  return { member, name, data, polite, away };
}

/** An address with https and one with wss name the same server. Without one it is the page's own. */
function socketUrl(given) {
  const url = new URL(given ?? globalThis.location.origin, globalThis.location?.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const base = url.pathname.replace(/\/$/, '');
  url.pathname = base.endsWith(SOCKET_PATH) ? base : base + SOCKET_PATH;
  url.hash = '';
  return url.href;
}
