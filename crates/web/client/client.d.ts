// Types of Posthouse's client. What the words mean: README.md.

/** Anything that JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json | undefined };

/** The terms of a room that an owner may set. */
export interface RoomState {
  capacity: number;
  locked: boolean;
  /** Whether newcomers need a passphrase; what it is, nobody is told. */
  passphrase: boolean;
  /** Whether newcomers wait until an owner admits them. */
  knock: boolean;
}

export interface CreateOptions {
  capacity?: number;
  locked?: boolean;
  passphrase?: string;
  knock?: boolean;
}

/** What the client keeps for a reload goes here: `sessionStorage`, or anything with these three methods. */
export interface SeatStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface ConnectOptions {
  /** Where the server is, by its https or wss address; the page's own origin when absent. */
  url?: string;
  room: string;
  /** What the others see. */
  name?: string;
  passphrase?: string;
  /** For servers that ask for one: handed on as it is. */
  token?: string;
  /** The owner's secret of this room. */
  owner?: string;
  /** Terms under which the room is created, if it does not exist. */
  create?: CreateOptions;
  /** Presence: at most 1 KiB of JSON that the others see beside the name. */
  data?: Json;
  /** Keeps the seat for a reload of the tab. Without it, leaving the page leaves the room. */
  storage?: SeatStorage | null;
  /** Where there is no global one (Node before 22): the class of the package `ws`. */
  WebSocket?: new (url: string, protocol: string) => unknown;
}

export interface Member {
  readonly member: string;
  readonly name: string;
  readonly data: Json;
  /** Whether THIS side gives way when both offer at once. It stays as it is for the life of both. */
  readonly polite: boolean;
  /** Its socket is lost and its seat is kept. */
  readonly away: boolean;
}

export interface Message {
  from: string;
  to: 'you' | 'all';
  data: Json;
}

export interface Knock {
  member: string;
  name?: string;
}

export type ConnectionState = 'joining' | 'waiting' | 'open' | 'away' | 'closed';
export type LeaveReason = 'left' | 'lost' | 'kicked' | 'replaced';
export type CloseReason =
  | 'left' | 'kicked' | 'closed' | 'replaced' | 'expired' | 'refused' | 'unauthorized' | 'bad-request';
export type Fault = 'client' | 'room' | 'server';

export class RoomError extends Error {
  readonly name: 'RoomError';
  /** The protocol's word: `room-full`, `wrong-passphrase`, `no-such-member` … or a `CloseReason`. */
  readonly code: string;
  readonly fault: Fault;
  /** Milliseconds after which it may be tried again. */
  readonly retryIn?: number;
  /** Whom it is about (a full mailbox). */
  readonly member?: string;
}

/** An EventTarget whose events carry a value in `detail`; `on` hands it over alone. */
export class Events<Types extends object> extends EventTarget {
  /** Returns the way to stop listening. */
  on<Type extends keyof Types & string>(type: Type, listener: (value: Types[Type]) => void): () => void;
  next<Type extends keyof Types & string>(type: Type): Promise<Types[Type]>;
}

export interface RoomEvents {
  connection: ConnectionState;
  /** Somebody must admit this member first. */
  waiting: undefined;
  /** Once. `resumed`: the seat of a former page of this tab. */
  joined: { resumed: boolean };
  /** Each second while away. */
  countdown: { seconds: number; attempt: number };
  /** The session was resumed; what was missed follows. */
  back: undefined;
  /** The last event. `error` when the server refused. */
  closed: { reason: CloseReason; error: RoomError | null };
  message: Message;
  /** A message of a `Peers`. */
  signal: Message;
  'member-joined': Member;
  'member-left': Member & { reason: LeaveReason };
  'member-away': Member;
  'member-back': Member;
  'member-changed': Member;
  /** For owners. */
  knock: Knock;
  'knock-gone': Knock;
  state: RoomState;
  ice: RTCIceServer[];
}

export function connect(options: ConnectOptions): Room;

export class Room extends Events<RoomEvents> {
  constructor(options: ConnectOptions);
  readonly name: string;
  /** This member's id, or null before it joined. */
  readonly member: string | null;
  readonly members: ReadonlyMap<string, Member>;
  readonly state: RoomState | null;
  readonly iceServers: RTCIceServer[];
  /** The owner's secret, for who created the room or brought it. */
  readonly owner: string | null;
  readonly knocks: ReadonlyMap<string, Knock>;
  readonly connection: ConnectionState;
  readonly joined: Promise<Room>;
  /** To one member, or to all others. Resolves when it is in every receiver's mailbox. */
  send(data: Json, to?: string): Promise<void>;
  setPresence(data: Json): Promise<void>;
  lock(): Promise<void>;
  unlock(): Promise<void>;
  setPassphrase(passphrase: string | null): Promise<void>;
  setKnock(knock: boolean): Promise<void>;
  setCapacity(capacity: number): Promise<void>;
  admit(member: string): Promise<void>;
  deny(member: string): Promise<void>;
  kick(member: string, reason?: string): Promise<void>;
  /** Ends the room for everybody. */
  close(): Promise<void>;
  own(owner: string): Promise<void>;
  renewIce(): Promise<void>;
  leave(): Promise<void>;
  reconnect(): void;
}

export interface PeersOptions {
  stream?: MediaStream | null;
  /** Label to options; every side names the same ones. */
  channels?: Record<string, Omit<RTCDataChannelInit, 'negotiated' | 'id'>>;
  /** As for RTCPeerConnection. `iceServers` as a function chooses among the server's. */
  /** Where the global one will not do: a class of its shape (a subclass, or a package's in Node). */
  RTCPeerConnection?: new (configuration: RTCConfiguration) => RTCPeerConnection;
  configuration?: Omit<RTCConfiguration, 'iceServers'> & {
    iceServers?: RTCIceServer[] | ((servers: RTCIceServer[]) => RTCIceServer[]);
  };
}

export interface PeerOf {
  member: string;
  connection: Connection;
}

export interface PeersEvents {
  peer: PeerOf;
  'peer-gone': PeerOf;
  track: PeerOf & { track: MediaStreamTrack; streams: readonly MediaStream[]; transceiver: RTCRtpTransceiver };
  channel: PeerOf & { label: string; channel: RTCDataChannel };
  message: PeerOf & { label: string; data: string | ArrayBuffer };
  state: PeerOf & { state: RTCPeerConnectionState };
  error: PeerOf & { error: Error };
}

export class Connection extends EventTarget {
  readonly member: string;
  readonly pc: RTCPeerConnection;
  readonly channels: ReadonlyMap<string, RTCDataChannel>;
  readonly state: RTCPeerConnectionState;
}

/** A mesh: one RTCPeerConnection to every other member that has a `Peers` too. */
export class Peers extends Events<PeersEvents> {
  constructor(room: Room, options?: PeersOptions);
  readonly connections: ReadonlyMap<string, Connection>;
  addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): void;
  removeTrack(track: MediaStreamTrack): void;
  replaceTrack(old: MediaStreamTrack, track: MediaStreamTrack): Promise<void>;
  /** To every open channel of this label; how many those were. */
  broadcast(label: string, data: string | ArrayBuffer): number;
  restart(all?: boolean): void;
  close(): void;
}
