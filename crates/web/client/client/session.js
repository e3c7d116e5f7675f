// A member's session: joins once, comes back over as many WebSockets as it takes, hears every event once and in order,
// and asks again what was not answered. It knows the protocol's frames about the session itself and no other.
//
// Events: `connection` (joining, waiting, open, away, closed), `seated` (the server's `joined` or `resumed`), `event` (a frame
// with a number of its own), `countdown` ({seconds, attempt}), `back`, `closed` ({reason, error}).

import { RoomError } from './error.js';
import { Events } from './events.js';
import { Line } from './line.js';
import { countDown, delayBefore } from './patience.js';
import { Requests } from './requests.js';

// The server keeps events until they are acknowledged: after so many, after so much, or after so long.
const ACK_EVENTS = 32;
const ACK_LENGTH = 32 * 1024;
const ACK_AFTER = 4000;
const LEAVE_WITHIN = 1500;
// After these the same request would end the same way.
const FINAL = new Map([
  [4400, 'bad-request'], [4401, 'unauthorized'], [4403, 'kicked'], [4404, 'closed'], [4409, 'replaced'],
]);
// Refusals of a join or resume that pass by themselves.
const PASSING = ['overloaded', 'too-fast', 'internal'];
// Said before a flood or a full server is asked again.
const CALM = 5000;
const CALM_CODES = [1008, 1013];
const TOO_LARGE = 1009;
// A join whose answer was lost may have taken a seat, which the server frees after this: until then the room is full of ourselves.
const GHOST = 45_000;

export class Session extends Events {
  connection = 'joining';
  #WebSocket;
  #url;
  #entry;
  #kept;
  #requests = new Requests();
  #line = null;
  #seat = null;
  #acked = 0;
  #unacknowledged = 0;
  #ackTimer = 0;
  #handshake = 0;
  /** The first frame of this socket went out and is not answered. */
  #asked = false;
  #attempt = 0;
  #stopCounting = () => {};
  /** Why the server says that it closes, said before it does. */
  #farewell = '';
  #ended = false;
  #ghostUntil = 0;

  /** `entry`: the fields of `join`. `kept`: a `Kept`. */
  constructor({ WebSocket, url, entry, kept }) {
    super();
    this.#WebSocket = WebSocket;
    this.#url = url;
    this.#entry = entry;
    this.#kept = kept;
  }

  get open() {
    return this.connection === 'open';
  }

  /** Takes the seat that the storage remembers, or a new one. */
  async start() {
    const seat = await this.#kept.find();
    this.#seat = seat && { ...seat, reload: true };
    if (!this.#ended) this.#connect();
  }

  /** Sends a request now, or after the resume; resolves with its `ok`. */
  request(frame) {
    if (this.#ended) return Promise.reject(new RoomError({ code: 'not-joined', message: 'this room is closed' }));
    try {
      const { text, answer } = this.#requests.add(frame);
      if (this.open) this.#line.write(text);
      return answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The network changed, or somebody looks: do not wait for a timer. */
  reconnect() {
    if (this.#ended) return;
    this.#attempt = 0;
    if (this.#line) this.#line.drop();
    this.#connect();
  }

  /** Ends the wait if there is one; else asks the line for a sign of life within `time`. */
  look(time) {
    if (this.connection === 'away') this.reconnect();
    else if (this.open) this.#line.probe(time);
  }

  /** Gives the seat back. Without a connection the server frees it when its time is over. */
  async leave() {
    if (this.#ended) return;
    if (this.open) {
      const left = this.request({ type: 'leave' }).catch(() => {});
      await Promise.race([left, new Promise((resolve) => setTimeout(resolve, LEAVE_WITHIN))]);
    }
    this.#end('left');
  }

  /** The page is going: one last frame still goes out. With a storage the seat is kept for a reload. */
  leaveWithPage(reload) {
    if (this.#ended) return;
    if (reload) {
      this.#save();
      return;
    }
    this.#say({ type: 'leave', id: this.#requests.number() });
    this.#end('left');
  }

  #connect() {
    if (this.#ended) return;
    this.#stopCounting();
    const line = new Line(this.#WebSocket, this.#url, {
      open: () => this.#introduce(),
      frame: (frame, length) => line === this.#line && this.#hear(frame, length),
      ask: () => this.#say({ type: 'ping', id: this.#requests.number() }),
      ended: (end) => line === this.#line && this.#lost(end),
    });
    this.#line = line;
  }

  #introduce() {
    this.#handshake = this.#requests.number();
    const { token, seen } = this.#seat ?? {};
    this.#asked = true;
    this.#say(token ? { type: 'resume', id: this.#handshake, token, seen } : { type: 'join', id: this.#handshake, ...this.#entry });
  }

  #hear(frame, length) {
    switch (frame.type) {
      case 'joined':
      case 'resumed':
        return this.#seated(frame);
      case 'waiting':
        return this.#become('waiting');
      case 'ok':
        return this.#requests.settle(frame);
      case 'error':
        return frame.id === this.#handshake && !this.open ? this.#refused(frame) : this.#requests.settle(frame);
      default:
        return this.#event(frame, length);
    }
  }

  #seated(frame) {
    this.#asked = false;
    const resumed = frame.type === 'resumed';
    // A seat from a former page: what it had heard and said counts.
    const reloaded = resumed && this.#seat.reload;
    const { seen, owner } = resumed ? this.#seat : frame;
    this.#seat = { token: frame.resume, seen: resumed ? seen : frame.seq, member: frame.member, owner };
    if (resumed) this.#requests.countFrom(frame.received);
    this.#attempt = 0;
    this.#kept.hold(this.#seat);
    this.#become('open');
    // The server then knows that the new token arrived, and keeps the seat for its full time.
    this.#acknowledge();
    for (const text of this.#requests.texts()) this.#line.write(text);
    this.tell('seated', { ...frame, owner, resumed, reloaded });
    if (resumed) this.tell('back');
  }

  /** Each once and in order: what was heard before is passed over; a gap cannot be, it is asked for again. */
  #event(frame, length) {
    if (!Number.isInteger(frame.seq) || frame.seq <= this.#seat.seen) return;
    if (frame.seq > this.#seat.seen + 1) return this.reconnect();
    this.#seat.seen = frame.seq;
    if (frame.type === 'closed') this.#farewell = frame.reason;
    this.#unacknowledged += length;
    this.#acknowledgeSoon();
    this.tell('event', frame);
  }

  #acknowledgeSoon() {
    if (this.#seat.seen - this.#acked >= ACK_EVENTS || this.#unacknowledged >= ACK_LENGTH) return this.#acknowledge();
    this.#ackTimer ||= setTimeout(() => this.#acknowledge(), ACK_AFTER);
  }

  #acknowledge() {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = 0;
    if (!this.open) return;
    this.#acked = this.#seat.seen;
    this.#unacknowledged = 0;
    this.#save();
    this.#say({ type: 'ack', seq: this.#acked });
  }

  /** A refused resume ends the session: who comes back must know that it is somebody new. A seat of a former page is only forgotten. */
  #refused(frame) {
    this.#asked = false;
    const ghost = frame.code === 'room-full' && Date.now() < this.#ghostUntil;
    if (ghost || PASSING.includes(frame.code)) return this.#retry(frame.retry_in ?? CALM);
    if (this.#seat?.reload) {
      this.#seat = null;
      this.#kept.forget();
      return this.#retry(0);
    }
    this.#end(this.#seat ? 'expired' : 'refused', new RoomError(frame));
  }

  /** Anew over another socket: a server may close after a refusal, or not. */
  #retry(wait) {
    const line = this.#line;
    this.#line = null;
    line.drop();
    this.#away(wait);
  }

  #lost({ code }) {
    this.#line = null;
    if (this.#farewell && this.#farewell !== 'shutdown') return this.#end(this.#farewell);
    if (FINAL.has(code)) return this.#end(FINAL.get(code));
    this.#farewell = '';
    if (code === TOO_LARGE) this.#requests.failLongest(new RoomError({ code: 'too-large', message: 'expected a shorter message' }));
    if (this.#asked && !this.#seat) this.#ghostUntil = Date.now() + GHOST;
    this.#asked = false;
    this.#away(Math.max(delayBefore(this.#attempt), CALM_CODES.includes(code) ? CALM : 0));
  }

  #away(wait) {
    this.#attempt += 1;
    this.#become(this.#seat ? 'away' : 'joining');
    this.#stopCounting();
    const attempt = this.#attempt;
    this.#stopCounting = countDown(wait, (seconds) => this.tell('countdown', { seconds, attempt }), () => this.#connect());
  }

  #end(reason, error = null) {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopCounting();
    clearTimeout(this.#ackTimer);
    this.#kept.forget();
    const line = this.#line;
    this.#line = null;
    line?.drop();
    this.#requests.fail(error ?? new RoomError({ code: reason, fault: 'room', message: `the room is over: ${reason}` }));
    this.#become('closed');
    this.tell('closed', { reason, error });
  }

  #save() {
    const { token, seen, member, owner } = this.#seat ?? {};
    if (token) this.#kept.write({ token, seen, member, owner });
  }

  #say(frame) {
    this.#line?.write(JSON.stringify(frame));
  }

  #become(connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    this.tell('connection', connection);
  }
}
