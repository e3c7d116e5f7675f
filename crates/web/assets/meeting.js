// A visit to a room of our own protocol, from Join to leaving: who is there, what they show, what they say. For any number of
// people; it knows the client and no element of the page.
//
// States: ready, joining, knocking, waiting (alone), connected, reconnecting, left, full, locked, passphrase, denied, kicked, closed,
// replaced, unreachable.
// Events: `state`, `people` (members, knocks or terms changed), `peer`, `peer-gone`, `track`, `path` (a connection's state changed), `said`
// ({name, text, own}), `parcel` ({channel, name}), `countdown`, `notice` ({key, name}), `heard` ({key, name}; for screen readers).

import { connect, Peers } from './client.js';
import { Diary } from './diary.js';
import { OutgoingParcel, PARCEL } from './parcel.js';
import { connectionClass } from './tuned-connection.js';
import { Unheard } from './unheard.js';
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
  diary = new Diary();
  /** Messages of the room so far. */
  messages = { sent: 0, received: 0 };
  /** When this visit began, in milliseconds since 1970, or 0. */
  since = 0;
  #roomId;
  #people;
  #parameters;
  #media;
  /** Kind to the track that everybody gets. */
  #sent = new Map();
  #Connection;
  /** Connection to when it was begun and how long it took, in milliseconds. */
  #setUps = new WeakMap();
  /** Member to what it last said of its devices. */
  #switched = new Map();
  /** The switches that the others know of, as JSON, or null. */
  #told = null;
  #unheard = new Unheard();
  #name = '';
  #passphrase;

  /** `people`: for how many the room is made, if it is not there yet; null leaves it to the server. */
  constructor({ roomId, people, parameters, media }) {
    super();
    this.#roomId = roomId;
    this.#people = people;
    this.#parameters = parameters;
    this.#media = media;
    this.#Connection = connectionClass(parameters);
    media.addEventListener('change', () => this.#mediaChanged());
  }

  get roomId() {
    return this.#roomId;
  }

  get isOwner() {
    return this.room?.owner != null;
  }

  /** Whether anybody hears what is said. */
  get talks() {
    return [...this.peers?.connections.keys() ?? []].some((member) => this.#hears(member));
  }

  /** `{name, pc, setUp}` for everybody else. */
  get connections() {
    return [...this.peers?.connections.values() ?? []].map(({ member, pc }) => ({ name: this.#nameOf(member), pc, setUp: this.#setUps.get(pc)?.took ?? null }));
  }

  join(name, passphrase) {
    this.#name = name;
    this.#passphrase = passphrase || undefined;
    this.#become('joining');
    this.since = Date.now();
    noteVisit(this.#roomId, name);
    const { switches } = this.#media;
    this.#told = JSON.stringify(switches);
    this.#unheard.clear();
    const room = connect({
      room: this.#roomId,
      name,
      passphrase: this.#passphrase,
      create: this.#people ? { capacity: this.#people } : undefined,
      data: switches,
      storage: storage(),
    });
    this.room = room;
    this.#count(room);
    this.#listen(room);
    this.#mesh(room);
  }

  async leave() {
    forgetVisit(this.#roomId);
    const { room } = this;
    this.#end('left');
    await room?.leave();
  }

  /** To everybody, over the data channels; who is not connected yet hears it then. */
  say(text) {
    const said = JSON.stringify({ text });
    this.peers.broadcast(CHAT, said);
    for (const member of this.room.members.keys()) if (!this.#hears(member)) this.#unheard.keep(member, said);
    this.#tell('said', { name: this.#name, text, own: true });
  }

  /** Offers a file to everybody who is connected: `[parcel, name]` for each. */
  give(file) {
    const connected = [...this.peers.connections.values()].filter(({ state }) => state === 'connected');
    return connected.map(({ member, pc }) => [new OutgoingParcel(pc, file), this.#nameOf(member)]);
  }

  /** The device has another network: the socket and every media path are suspects. */
  networkChanged() {
    if (this.state === 'unreachable') this.join(this.#name, this.#passphrase);
    this.room?.reconnect();
    this.peers?.restart(true);
  }

  /** The page is looked at again; the room's socket looks after itself. */
  seen() {
    this.peers?.restart();
  }

  #hears(member) {
    return this.peers.connections.get(member)?.channels.get(CHAT)?.readyState === 'open';
  }

  #nameOf(member) {
    return this.room?.members.get(member)?.name ?? '';
  }

  #listen(room) {
    const here = (act) => (value) => room === this.room && act(value);
    room.on('connection', here(() => this.#connectionChanged()));
    room.on('countdown', here(({ seconds }) => this.#countDown(seconds)));
    room.on('closed', here(({ reason, error }) => this.#closed(reason, error)));
    room.on('joined', here(({ resumed }) => this.#tellSwitches(resumed)));
    room.on('back', here(() => this.#tellSwitches()));
    room.on('member-joined', here(({ name }) => this.#peopleChanged('arrived', name)));
    room.on('member-left', here(({ member }) => this.#unheard.take(member)));
    room.on('member-left', here(({ name, reason }) => this.#peopleChanged(reason === 'kicked' ? 'removed' : 'departed', name)));
    room.on('member-away', here(({ name }) => this.#peopleChanged('away', name)));
    room.on('knock', here(({ name }) => this.#peopleChanged('knocks', name)));
    room.on('member-changed', here(({ member, name, data }) => this.#switchedBy(member, name, data)));
    for (const type of ['member-back', 'member-changed', 'knock-gone', 'state']) room.on(type, here(() => this.#peopleChanged()));
  }

  /** What goes through the server: the signals of the mesh and the switches of the devices. */
  #count(room) {
    const counted = (send) => (...what) => {
      this.messages.sent += 1;
      return send.apply(room, what);
    };
    Object.assign(room, { send: counted(room.send), setPresence: counted(room.setPresence) });
    for (const type of ['message', 'signal', 'member-changed']) room.on(type, () => { this.messages.received += 1; });
  }

  #mesh(room) {
    const { iceTransportPolicy, turnTransport } = this.#parameters;
    const peers = new Peers(room, {
      channels: { [CHAT]: {} },
      RTCPeerConnection: this.#Connection,
      configuration: { iceTransportPolicy, iceServers: (servers) => over(turnTransport, servers) },
    });
    this.peers = peers;
    this.#sent.clear();
    this.#mediaChanged();
    peers.on('peer', ({ member, connection }) => this.#watch(member, connection));
    for (const type of ['peer', 'peer-gone', 'track']) peers.on(type, (value) => this.#tell(type, value));
    for (const type of ['state', 'channel']) peers.on(type, (value) => this.#tell('path', value));
    peers.on('state', ({ connection, state }) => state === 'connected' && this.#stands(connection));
    peers.on('error', ({ error }) => console.warn('posthouse: a connection complains:', error.message));
    peers.on('message', ({ member, data }) => this.#heard(member, data));
    peers.on('channel', ({ member, channel }) => this.#unheard.take(member).forEach((said) => channel.send(said)));
  }

  #watch(member, { pc }) {
    const name = this.#nameOf(member);
    this.#setUps.set(pc, { began: performance.now(), took: null });
    this.diary.watch(pc, name || member);
    pc.addEventListener('datachannel', ({ channel }) => channel.label === PARCEL && this.#tell('parcel', { channel, name: this.#nameOf(member) }));
  }

  #stands({ pc }) {
    const setUp = this.#setUps.get(pc);
    setUp.took ??= Math.round(performance.now() - setUp.began);
  }

  /** A word for each switch that somebody turned. */
  #switchedBy(member, name, data) {
    const before = this.#switched.get(member) ?? { audio: true, screen: false };
    this.#switched.set(member, data ?? before);
    if (data?.audio !== undefined && data.audio !== before.audio) this.#tell('heard', { key: data.audio ? 'unmutes' : 'mutes', name });
    if (data?.screen && !before.screen) this.#tell('heard', { key: 'shares', name });
  }

  #heard(member, data) {
    const name = this.#nameOf(member);
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

  #countDown(seconds) {
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
    this.since = 0;
    this.room = null;
    this.peers = null;
    this.#become(state);
  }

  /** What is sent follows the devices; what is shown of them follows the switches. */
  #mediaChanged() {
    if (!this.peers) return;
    for (const kind of ['audio', 'video']) this.#exchange(this.#sent.get(kind) ?? null, this.#media.sent(kind), kind);
    if (this.room.connection === 'open') this.#tellSwitches();
  }

  /** They may have been turned while the server was asked for the seat, or was away. What a former page said of them is `unknown`. */
  #tellSwitches(unknown = false) {
    const { switches } = this.#media;
    const said = JSON.stringify(switches);
    if (said === this.#told && !unknown) return;
    this.#told = said;
    this.room.setPresence(switches).catch(() => { this.#told = null; });
  }

  /** Another track of the same kind needs no new offer. */
  #exchange(old, track, kind) {
    if (old === track) return;
    if (old && track) this.peers.replaceTrack(old, track);
    else if (old) this.peers.removeTrack(old);
    else this.peers.addTrack(track, this.#media.stream);
    if (track) this.#sent.set(kind, track);
    else this.#sent.delete(kind);
  }

  #become(state) {
    if (this.state !== state) this.diary.note('state', state);
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
