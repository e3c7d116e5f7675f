// A server in a few lines, for the client alone: sessions, mailboxes and resumes, over sockets that are objects.
// What the real binary does is tested in tests/browser; this one can lose whatever a test wants lost.

export class House {
  #rooms = new Map();
  #number = 0;
  /** Sockets that were opened, the newest last. */
  sockets = [];
  /** Frames that clients sent, in order. */
  heard = [];
  /** Refuses new sockets at once: the server is away. */
  down = false;
  /** Who waits at the door, as an owner that comes back is told. */
  knocks = [];
  /** Frames of this type reach the server, and their answers get lost with the socket. */
  losesAnswersTo = null;

  /** For the option `WebSocket` of `connect`. */
  get WebSocket() {
    const house = this;
    return class extends Socket {
      constructor(url, protocol) {
        super(house, url, protocol);
      }
    };
  }

  /** The network of everybody is cut: no goodbye on either side. */
  cut() {
    for (const socket of this.sockets.filter(({ readyState }) => readyState === 1)) socket.lose();
  }

  newest() {
    return this.sockets.at(-1);
  }

  forget() {
    this.#rooms.clear();
  }

  receive(socket, frame) {
    this.heard.push(frame);
    if (frame.type === 'join') return this.#join(socket, frame);
    if (frame.type === 'resume') return this.#resume(socket, frame);
    const { seat } = socket;
    if (frame.type === 'ack') {
      seat.box = seat.box.filter(({ seq }) => seq > frame.seq);
      return null;
    }
    if (frame.id > seat.received) {
      seat.received = frame.id;
      this.#do(seat, frame);
    }
    if (this.losesAnswersTo === frame.type) {
      this.losesAnswersTo = null;
      return socket.lose();
    }
    return socket.say({ type: 'ok', id: frame.id });
  }

  /** An event for one member: kept until it is acknowledged, written if there is a socket. */
  post(seat, event) {
    seat.seq += 1;
    const numbered = { ...event, seq: seat.seq };
    seat.box.push(numbered);
    if (seat.socket?.readyState === 1) seat.socket.say(numbered);
  }

  seats(room) {
    return this.#rooms.get(room) ?? [];
  }

  #join(socket, { id, room, name, data }) {
    const seats = this.seats(room);
    this.#rooms.set(room, seats);
    if (seats.length === 4) return socket.say({ type: 'error', id, code: 'room-full', fault: 'room', message: 'full' });
    this.#number += 1;
    const seat = { member: `m${this.#number}`, name, data, room, seq: 10, received: id, box: [], token: `t${this.#number}`, socket };
    for (const other of seats) this.post(other, { type: 'member-joined', member: seat.member, name, data, polite: false });
    seats.push(seat);
    socket.seat = seat;
    return socket.say({ type: 'joined', id, seq: seat.seq, ...this.#view(seat) });
  }

  #resume(socket, { id, token, seen }) {
    const seat = [...this.#rooms.values()].flat().find((one) => one.token === token);
    if (!seat) return socket.say({ type: 'error', id, code: 'resume-expired', fault: 'room', message: 'too late' });
    seat.socket?.finish(4409, 'replaced');
    seat.socket = socket;
    socket.seat = seat;
    seat.token += "'";
    socket.say({ type: 'resumed', id, seq: seat.seq, received: seat.received, ...this.#view(seat) });
    for (const event of seat.box.filter(({ seq }) => seq > seen)) socket.say(event);
    return null;
  }

  #view(seat) {
    const others = this.seats(seat.room).filter((one) => one !== seat);
    const members = others.map(({ member, name, data }) => ({ member, name, data, polite: true }));
    const state = { capacity: 4, locked: false, passphrase: false, knock: false };
    const { knocks } = this;
    return { room: seat.room, knocks, member: seat.member, resume: seat.token, resume_for: 60, members, state, ice: { iceServers: [], expires_in: 600 } };
  }

  #do(seat, { type, to, data }) {
    const others = this.seats(seat.room).filter((one) => one !== seat && (!to || one.member === to));
    if (type === 'send') {
      for (const other of others) this.post(other, { type: 'message', from: seat.member, to: to ? 'you' : 'all', data });
    } else if (type === 'leave') {
      this.#rooms.set(seat.room, this.seats(seat.room).filter((one) => one !== seat));
      for (const other of others) this.post(other, { type: 'member-left', member: seat.member, reason: 'left' });
    }
  }
}

class Socket {
  readyState = 0;
  seat = null;
  #house;

  constructor(house, url, protocol) {
    this.#house = house;
    this.url = url;
    this.protocol = protocol;
    house.sockets.push(this);
    setImmediate(() => {
      if (house.down) return this.lose();
      if (this.readyState !== 0) return null;
      this.readyState = 1;
      return this.onopen();
    });
  }

  send(text) {
    setImmediate(() => this.readyState === 1 && this.#house.receive(this, JSON.parse(text)));
  }

  close() {
    this.lose();
  }

  say(frame) {
    const data = JSON.stringify(frame);
    setImmediate(() => this.readyState === 1 && this.onmessage({ data }));
  }

  lose() {
    this.finish(1006, '');
  }

  finish(code, reason) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    setImmediate(() => this.onclose({ code, reason }));
  }
}
