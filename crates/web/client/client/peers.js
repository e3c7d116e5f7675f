// A mesh: one RTCPeerConnection to every other member that wants one, with the same tracks and data channels to each.
//
// Signals travel as messages of the room, `{peers: {from, to, signals}}`: `from` and `to` name this and the other side's connection,
// so that what was meant for a connection of a page that was loaded again never reaches the next one.

import { Connection } from './connection.js';
import { Events } from './events.js';

/** Signals of a mesh, told from what the application says. */
export const isSignal = (data) => typeof data?.peers === 'object' && data.peers !== null && Array.isArray(data.peers.signals);

export class Peers extends Events {
  /** Member id to `Connection`. */
  connections = new Map();
  #room;
  #Pc;
  #configuration;
  #channels;
  /** Track to the streams it belongs to. */
  #tracks = new Map();
  #stop = [];

  /** `channels`: label to options of createDataChannel, the same ones on every side. `RTCPeerConnection`: the class, where the global one will not do. */
  constructor(room, { stream = null, channels = {}, configuration = {}, RTCPeerConnection = globalThis.RTCPeerConnection } = {}) {
    super();
    this.#Pc = RTCPeerConnection;
    this.#room = room;
    this.#channels = channels;
    this.#configuration = configuration;
    for (const track of stream?.getTracks() ?? []) this.#tracks.set(track, [stream]);
    this.#stop = [
      room.on('signal', ({ from, data }) => this.#hear(from, data.peers)),
      room.on('member-left', ({ member }) => this.#drop(member)),
      room.on('ice', () => this.#renew()),
      room.on('back', () => this.restart()),
      room.on('joined', () => this.#greet()),
      room.on('closed', () => this.close()),
    ];
    if (room.member !== null) this.#greet();
  }

  /** To everybody, now and later. */
  addTrack(track, ...streams) {
    this.#tracks.set(track, streams);
    for (const connection of this.connections.values()) connection.addTrack(track, streams);
  }

  removeTrack(track) {
    this.#tracks.delete(track);
    for (const connection of this.connections.values()) connection.removeTrack(track);
  }

  /** Another device, without a new offer. */
  async replaceTrack(old, track) {
    const streams = this.#tracks.get(old) ?? [];
    this.#tracks.delete(old);
    this.#tracks.set(track, streams);
    await Promise.all([...this.connections.values()].map((connection) => connection.replaceTrack(old, track)));
  }

  /** Sends on the channel `label` to everybody whose channel is open; how many those were. */
  broadcast(label, data) {
    const open = [...this.connections.values()].map(({ channels }) => channels.get(label)).filter((channel) => channel?.readyState === 'open');
    for (const channel of open) channel.send(data);
    return open.length;
  }

  /** New candidates for all connections that do not stand; with `all`, for those too that seem to. */
  restart(all = false) {
    for (const connection of this.connections.values()) connection.restart(all);
  }

  close() {
    for (const stop of this.#stop.splice(0)) stop();
    for (const member of [...this.connections.keys()]) this.#drop(member);
  }

  /** Whoever is here already learns that this page wants connections. */
  #greet() {
    for (const member of this.#room.members.keys()) if (!this.connections.has(member)) this.#create(member).greet();
  }

  #hear(from, { from: theirs, to: ours, signals }) {
    if (!this.#room.members.has(from)) return;
    let connection = this.connections.get(from);
    if (ours && ours !== connection?.id) return;
    if (connection && connection.theirs && connection.theirs !== theirs) {
      this.#drop(from);
      connection = null;
    }
    connection ??= this.#create(from);
    connection.hear(theirs, ours, signals);
  }

  #create(member) {
    const { polite } = this.#room.members.get(member);
    const connection = new Connection({
      member,
      polite,
      Pc: this.#Pc,
      configuration: this.#current(),
      channels: this.#channels,
      tracks: () => this.#tracks,
      send: (signals) => this.#room.send({ peers: signals }, member),
    });
    this.connections.set(member, connection);
    for (const type of ['track', 'channel', 'message', 'state', 'error']) {
      connection.on(type, (value) => this.tell(type, { member, connection, ...value }));
    }
    this.tell('peer', { member, connection });
    return connection;
  }

  #drop(member) {
    const connection = this.connections.get(member);
    if (!connection) return;
    this.connections.delete(member);
    connection.close();
    this.tell('peer-gone', { member, connection });
  }

  #renew() {
    for (const connection of this.connections.values()) connection.configure(this.#current());
  }

  #current() {
    return { bundlePolicy: 'max-bundle', ...this.#configuration, iceServers: this.#iceServers() };
  }

  #iceServers() {
    const { iceServers } = this.#configuration;
    return typeof iceServers === 'function' ? iceServers(this.#room.iceServers) : (iceServers ?? this.#room.iceServers);
  }
}
