// A visit to a room, from the click on Join to hanging up: when to offer, when to answer, when to start again.
// It knows AppRTC's rules and no element of the page.
//
// States: ready, joining, waiting, connecting, connected, reconnecting, left, full, unreachable.
// Events: `state`, `peer` (a connection began or ended), `track`, `said`, `parcel`, `countdown` (detail: seconds until the server is asked again),
// `notice` (detail: a key of `words`).

import { Diary } from './diary.js';
import { Loopback } from './loopback.js';
import { Membership } from './membership.js';
import { OutgoingParcel } from './parcel.js';
import { pause } from './patience.js';
import { Peer } from './peer.js';
import { Room } from './room.js';
import { giveSeat, lostSeat } from './seat.js';
import { connectionClass } from './tuned-connection.js';

// A dead member's seat is free after the server's grace (10 s by default): ask again that long.
const FULL_TRIES = 5;
const JOIN_PAUSE = 3000;
// A server that refuses every seat it gave must not be asked in a tight loop.
const REJOIN_PAUSE = 1000;
// ICE heals short losses by itself; after this it gets new candidates.
const RESTART_AFTER = 2500;
const RESTART_EVERY = 7000;
// While alone, the stored offer is renewed with its credentials, but never more often than this.
const RENEW_AT_LEAST = 30_000;
const RENEW_AT_MOST = 2_000_000_000;

export class Call extends EventTarget {
  state = 'ready';
  /** Why `unreachable`: the server's `result`, or '' if it did not answer. */
  reason = '';
  /** In state `full`: whether a seat is still being asked for. */
  retrying = false;
  peer = null;
  /** When the connection stood, in milliseconds since 1970, or 0. */
  since = 0;
  /** Milliseconds from the click on Join, or for who was here first from the other's coming, to the connection; or null. */
  setUp = null;
  diary = new Diary();
  #room;
  #parameters;
  #media;
  #membership = null;
  #loopback = null;
  #Connection;
  /** When the setting up began, on the page's clock. */
  #began = 0;
  /** Counts joins and departures, so that an answer to an earlier one is recognised. */
  #visit = 0;
  #inbox = Promise.resolve();
  #restartTimer = 0;
  #renewTimer = 0;

  constructor({ roomId, parameters, media }) {
    super();
    this.#room = new Room(roomId, parameters.query);
    this.#parameters = parameters;
    this.#media = media;
    this.#Connection = connectionClass(parameters);
    media.addEventListener('change', () => this.#deviceChanged());
  }

  get roomId() {
    return this.#room.id;
  }

  get clientId() {
    return this.#membership?.clientId ?? null;
  }

  get initiator() {
    return this.#membership?.initiator ?? false;
  }

  /** Whether messages can be received now. */
  get signaling() {
    return this.#membership?.open ?? false;
  }

  /** Messages over the server so far. */
  get messages() {
    return { sent: this.#membership?.sent ?? 0, received: this.#membership?.received ?? 0 };
  }

  /** Whether the other side is this page too, and hears what is said over the data channel. */
  get talks() {
    return this.peer?.isPosthouse === true && this.peer.channel?.readyState === 'open';
  }

  /** Writes to the other person. */
  say(text) {
    this.peer.say({ text });
    this.#tell('said', { text, own: true });
  }

  /** Offers a file to the other person. */
  give(file) {
    return new OutgoingParcel(this.peer.pc, file);
  }

  /** Takes a seat and meets whoever is there. Ends in `waiting`, `connecting`, `full` or `unreachable`. */
  async join() {
    const visit = this.#begin();
    this.#began = performance.now();
    this.#become('joining');
    for (let tries = 1; visit === this.#visit; tries += 1) {
      const answer = await this.#knock(visit);
      if (visit !== this.#visit) return;
      if (answer.result === 'SUCCESS') return this.#sit(answer, () => this.#meet());
      if (answer.result !== 'FULL') return this.#giveUp(answer.result);
      if (await this.#returnLostSeat()) continue;
      this.retrying = tries < FULL_TRIES;
      this.#become('full');
      if (!this.retrying) return;
      await pause(JOIN_PAUSE);
    }
  }

  async hangUp() {
    const membership = this.#stand();
    this.#become('left');
    await membership?.leave();
  }

  leaveWithPage() {
    const membership = this.#stand();
    if (!membership) return;
    membership.leaveWithPage();
    this.#become('left');
  }

  /** The device has another network now: the socket and the media path are both suspects. */
  networkChanged() {
    if (this.state === 'unreachable' && this.reason === '') this.join();
    this.#membership?.reconnect();
    if (this.peer?.pc.remoteDescription) this.#restart();
  }

  /** The page is looked at again: what was lost while its timers slept is mended at once. */
  seen() {
    if (this.#membership && !this.signaling) this.#membership.reconnect();
    if (this.peer?.pc.remoteDescription && !this.peer.connected) this.#restart();
  }

  /** Asks for a seat; one that comes after the user left again is given back at once. */
  async #knock(visit) {
    const answer = await this.#room.join().catch(() => ({ result: '' }));
    if (visit !== this.#visit && answer.result === 'SUCCESS') await this.#room.leave(answer.params.client_id);
    return answer;
  }

  #giveUp(reason) {
    this.reason = reason;
    this.#become('unreachable');
  }

  async #returnLostSeat() {
    const clientId = await lostSeat(this.roomId);
    if (!clientId) return false;
    giveSeat(this.roomId);
    await this.#room.leave(clientId);
    return true;
  }

  /** `first` is done before the messages that waited in the room are read. */
  #sit(answer, first) {
    const membership = new Membership(this.#room, answer, this.#parameters.turnTransport);
    this.#membership = membership;
    if (this.#parameters.loopback && answer.params.is_loopback === 'true') this.#next(membership, () => this.#echo(answer.params));
    this.#next(membership, first);
    membership.messages.forEach((text) => this.#receive(membership, text));
    membership.addEventListener('message', ({ detail }) => this.#receive(membership, detail));
    membership.addEventListener('gone', () => this.#sitAgain(REJOIN_PAUSE));
    membership.addEventListener('countdown', ({ detail }) => this.#tell('countdown', detail));
    membership.addEventListener('lost', () => this.#signalingChanged('signalingLost'));
    membership.addEventListener('open', () => this.#signalingChanged('signalingBack'));
  }

  #signalingChanged(notice) {
    this.diary.note(notice);
    if (this.peer?.connected) this.#tell('notice', notice);
    if (this.signaling) this.#tell('countdown', null);
    this.#tell('state');
  }

  /** A new connection for the next (or first) other member. The initiator's offer waits in the room. */
  async #meet() {
    const membership = this.#membership;
    this.#part();
    const configuration = await this.#configuration();
    if (membership !== this.#membership) return;
    const peer = new Peer({ Connection: this.#Connection, configuration, media: this.#media, send: (object) => this.#send(peer, object) });
    this.peer = peer;
    this.diary.watch(peer.pc, 'peer');
    const current = (act) => ({ detail }) => peer === this.peer && act(detail);
    peer.addEventListener('state', current(() => this.#peerChanged()));
    peer.addEventListener('track', current((track) => this.#tell('track', track)));
    peer.addEventListener('said', current((said) => this.#tell('said', { ...said, own: false })));
    peer.addEventListener('parcel', current((channel) => this.#tell('parcel', channel)));
    peer.addEventListener('channel', current(() => this.#sayMedia()));
    this.#tell('peer');
    this.#become('waiting');
    this.#renewLater();
    if (membership.initiator) await peer.offer();
  }

  async #echo(params) {
    this.#loopback?.close();
    this.#loopback = new Loopback(params, await this.#configuration());
    await this.#loopback.ready;
  }

  async #configuration() {
    const iceServers = await this.#membership.ice.list();
    return { iceServers, iceTransportPolicy: this.#parameters.iceTransportPolicy };
  }

  #send(peer, object) {
    if (peer === this.peer) this.#membership?.send(object);
  }

  #receive(membership, text) {
    this.#next(membership, () => this.#obey(JSON.parse(text)));
  }

  /** One thing after the other: a candidate must not overtake the description before it. */
  #next(membership, act) {
    this.#inbox = this.#inbox
      .then(() => (membership === this.#membership ? act() : null))
      .catch((error) => console.warn('posthouse: a message led to nothing:', error.message));
  }

  async #obey(message) {
    switch (message.type) {
      case 'offer':
        return this.#offered(message);
      case 'answer':
        return this.#answered(message);
      case 'candidate':
        return this.peer.addCandidate(message);
      case 'restart':
        return this.#restart();
      case 'bye':
        return this.#peerLeft();
      default:
        // remove-candidates, and what other clients may invent.
        return null;
    }
  }

  async #offered(offer) {
    if (this.initiator) return;
    if (!this.peer.knows(offer)) await this.#meet();
    this.#metSomebody();
    await this.peer.answer(offer);
  }

  async #answered(answer) {
    if (this.peer.knows(answer)) {
      this.#metSomebody();
      await this.peer.accept(answer);
    } else {
      await this.#meet();
    }
  }

  #metSomebody() {
    clearTimeout(this.#renewTimer);
    if (this.state !== 'waiting') return;
    // Who was here first waited, and for how long says nothing.
    if (this.initiator) this.#began = performance.now();
    this.#become('connecting');
  }

  /** Whoever stays becomes the initiator and waits with a fresh offer for the next one. */
  async #peerLeft() {
    this.#tell('notice', 'peerLeft');
    this.#membership.becomeInitiator();
    await this.#meet();
  }

  #peerChanged() {
    const { connectionState, iceConnectionState } = this.peer.pc;
    if (connectionState === 'connected') {
      clearTimeout(this.#restartTimer);
      this.since ||= Date.now();
      this.setUp ??= Math.round(performance.now() - this.#began);
      this.#become('connected');
    } else if ([connectionState, iceConnectionState].some((state) => state === 'disconnected' || state === 'failed')) {
      this.#become('reconnecting');
      this.#restartLater(connectionState === 'failed' ? 0 : RESTART_AFTER);
    }
  }

  /** The socket that should carry it is under suspicion too: whoever came into another network has lost both. */
  #restartLater(delay) {
    clearTimeout(this.#restartTimer);
    const { peer } = this;
    this.#restartTimer = setTimeout(() => {
      if (peer !== this.peer || peer.connected) return;
      this.#membership?.reconnect();
      this.#restart();
      this.#restartLater(RESTART_EVERY);
    }, delay);
  }

  /** Only the initiator may offer; a joiner can ask for it, if the other side is this page and understands. */
  async #restart() {
    const { peer } = this;
    if (!peer || !this.#membership) return;
    if (this.initiator) await peer.restart(await this.#configuration());
    else if (peer.isPosthouse) this.#send(peer, { type: 'restart' });
  }

  /** The offer that waits in the room is only as good as the relay credentials behind it. */
  #renewLater() {
    clearTimeout(this.#renewTimer);
    const delay = Math.min(Math.max(this.#membership.ice.remaining, RENEW_AT_LEAST), RENEW_AT_MOST);
    this.#renewTimer = setTimeout(() => this.#sitAgain(0), delay);
  }

  /** A fresh seat: the server forgot this one, or the offer that waits there is too old. A call in progress goes on. */
  async #sitAgain(wait) {
    const { peer } = this;
    if (!peer?.pc.currentRemoteDescription) {
      await this.#stand()?.leave();
      const visit = this.#visit;
      await pause(wait);
      if (visit === this.#visit) await this.join();
      return;
    }
    const visit = this.#begin();
    this.#membership?.drop();
    this.#membership = null;
    this.#tell('state');
    while (visit === this.#visit && peer === this.peer) {
      const answer = await this.#knock(visit);
      if (visit !== this.#visit) return;
      if (answer.result === 'SUCCESS') return this.#sit(answer, () => {});
      await pause(JOIN_PAUSE);
    }
  }

  #begin() {
    this.#visit += 1;
    return this.#visit;
  }

  /** Gets up from the table; what is to be told to the server is the caller's. */
  #stand() {
    this.#begin();
    const membership = this.#membership;
    this.#membership = null;
    clearTimeout(this.#renewTimer);
    this.#part();
    this.#loopback?.close();
    this.#loopback = null;
    this.#tell('countdown', null);
    return membership;
  }

  #part() {
    clearTimeout(this.#restartTimer);
    this.since = 0;
    this.setUp = null;
    if (!this.peer) return;
    this.peer.close();
    this.peer = null;
    this.#tell('peer');
  }

  #deviceChanged() {
    this.peer?.refreshTracks();
    this.#sayMedia();
  }

  /** So that the other page can show a sign instead of a silent, black picture. */
  #sayMedia() {
    this.peer?.say({ posthouse: this.#media.switches });
  }

  #become(state) {
    if (this.state !== state) this.diary.note('state', state);
    this.state = state;
    performance.mark(`posthouse ${state}`);
    this.#tell('state');
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
