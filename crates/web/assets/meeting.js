// A visit to a room of our own protocol, from Join to leaving: who is there, what they show, what they say. For any number of
// people; it knows the client and no element of the page.
//
// States: ready, joining, knocking, waiting (alone), connected, reconnecting, left, full, locked, passphrase, denied, kicked, closed,
// replaced, unreachable.
// Events: `state`, `people` (members, knocks or terms changed), `peer`, `peer-gone`, `track`, `path` (a connection's state changed), `said`
// ({name, text, own}), `countdown`, `notice` ({key, name}).

import { connect, Peers } from './client.js';
import { noteVisit, forgetVisit } from './visit.js';

const CHAT = 'chat';
/** What the server says of a join that failed, as the page's states. */
const REFUSALS = {
  'room-full': 'full', 'room-locked': 'locked', 'wrong-passphrase': 'passphrase', denied: 'denied', kicked: 'kicked', closed: 'closed', replaced: 'replaced',
};

export class Meeting extends EventTarget {
  state = 'ready';
  /** Seconds to the next attempt while reconnecting, or null. */
  seconds = null;
  room = null;
  peers = null;
  #roomId;
  #people;
  #parameters;
  #media;
  #sent = new Set();
  #name = '';
  #passphrase;

  /** `people`: for how many the room is made, if it is not there yet; null leaves it to the server. */
  constructor({ roomId, people, parameters, media }) {
    super();
    this.#roomId = roomId;
    this.#people = people;
    this.#parameters = parameters;
    this.#media = media;
    media.addEventListener('change', () => this.#mediaChanged());
  }

  get roomId() {
    return this.#roomId;
  }

  get isOwner() {
    return this.room?.owner != null;
  }

  join(name, passphrase) {
    this.#name = name;
    this.#passphrase = passphrase || undefined;
    this.#become('joining');
    noteVisit(this.#roomId, name);
    const room = connect({
      room: this.#roomId,
      name,
      passphrase: this.#passphrase,
      create: this.#people ? { capacity: this.#people } : undefined,
      data: this.#switches(),
      storage: storage(),
    });
    this.room = room;
    this.#listen(room);
    this.#mesh(room);
  }

  async leave() {
    forgetVisit(this.#roomId);
    const { room } = this;
    this.#end('left');
    await room?.leave();
  }

  /** To everybody, over the data channels; who is not connected yet does not hear it. */
  say(text) {
    this.peers.broadcast(CHAT, JSON.stringify({ text }));
    this.#tell('said', { name: this.#name, text, own: true });
  }

  #listen(room) {
    const here = (act) => (value) => room === this.room && act(value);
    room.on('connection', here(() => this.#connectionChanged()));
    room.on('countdown', here(({ seconds }) => this.#count(seconds)));
    room.on('closed', here(({ reason, error }) => this.#closed(reason, error)));
    room.on('joined', here(({ resumed }) => resumed && room.setPresence(this.#switches()).catch(() => {})));
    room.on('member-joined', here(({ name }) => this.#peopleChanged('arrived', name)));
    room.on('member-left', here(({ name, reason }) => this.#peopleChanged(reason === 'kicked' ? 'removed' : 'departed', name)));
    room.on('member-away', here(({ name }) => this.#peopleChanged('away', name)));
    room.on('knock', here(({ name }) => this.#peopleChanged('knocks', name)));
    for (const type of ['member-back', 'member-changed', 'knock-gone', 'state']) room.on(type, here(() => this.#peopleChanged()));
  }

  #mesh(room) {
    const { iceTransportPolicy, turnTransport } = this.#parameters;
    const peers = new Peers(room, {
      channels: { [CHAT]: {} },
      configuration: { iceTransportPolicy, iceServers: (servers) => over(turnTransport, servers) },
    });
    this.peers = peers;
    this.#sent.clear();
    this.#mediaChanged();
    for (const type of ['peer', 'peer-gone', 'track']) peers.on(type, (value) => this.#tell(type, value));
    peers.on('state', (value) => this.#tell('path', value));
    peers.on('error', ({ error }) => console.warn('posthouse: a connection complains:', error.message));
    peers.on('message', ({ member, data }) => this.#heard(member, data));
  }

  #heard(member, data) {
    const name = this.room.members.get(member)?.name;
    try {
      const { text } = JSON.parse(data);
      if (typeof text === 'string') this.#tell('said', { name, text, own: false });
    } catch {
      // Another application's channel of the same name.
    }
  }

  #connectionChanged() {
    const { connection } = this.room;
    if (connection === 'open') this.#settle();
    else if (connection === 'waiting') this.#become('knocking');
    else if (connection === 'away') this.#become('reconnecting');
    else if (connection === 'joining') this.#become('joining');
  }

  /** Alone or not: both are the room's open state. The list of members comes a moment later. */
  #settle() {
    this.seconds = null;
    queueMicrotask(() => {
      if (this.room?.connection !== 'open') return;
      this.#become(this.room.members.size > 0 ? 'connected' : 'waiting');
      this.#tell('people');
    });
  }

  #count(seconds) {
    this.seconds = seconds;
    this.#tell('countdown');
  }

  #peopleChanged(key, name) {
    if (key) this.#tell('notice', { key, name });
    this.#tell('people');
    if (['waiting', 'connected'].includes(this.state)) this.#settle();
  }

  /** A server that was started again knows nobody: join anew, under the same name. Everything else is for the user to decide. */
  #closed(reason, error) {
    if (reason === 'expired') {
      this.peers.close();
      this.join(this.#name, this.#passphrase);
      return;
    }
    const state = REFUSALS[error?.code] ?? REFUSALS[reason] ?? 'unreachable';
    if (state !== 'passphrase') forgetVisit(this.#roomId);
    this.#end(state);
  }

  #end(state) {
    this.peers?.close();
    this.room = null;
    this.peers = null;
    this.#become(state);
  }

  #switches() {
    return { audio: this.#media.isOn('audio'), video: this.#media.isOn('video') };
  }

  /** What is sent follows the devices; what is shown of them follows the switches. */
  #mediaChanged() {
    if (!this.peers) return;
    const now = new Set(this.#media.stream.getTracks());
    for (const track of this.#sent) if (!now.has(track)) this.peers.removeTrack(track);
    for (const track of now) if (!this.#sent.has(track)) this.peers.addTrack(track, this.#media.stream);
    this.#sent = now;
    if (this.room.connection === 'open') this.room.setPresence(this.#switches()).catch(() => {});
  }

  #become(state) {
    this.state = state;
    this.#tell('state');
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** RFC 7065 §3.1: `turn:` without a transport is UDP, `turns:` is TCP. STUN is kept, it costs nothing. */
function over(transport, servers) {
  if (!transport) return servers;
  const wanted = (url) => !/^turns?:/.test(url) || (/[?&]transport=(\w+)/.exec(url)?.[1] ?? (url.startsWith('turns:') ? 'tcp' : 'udp')) === transport;
  return servers.map((server) => ({ ...server, urls: [server.urls].flat().filter(wanted) })).filter(({ urls }) => urls.length > 0);
}

function storage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
