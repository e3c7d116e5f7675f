// A file from one person to another, over a data channel of its own: the channel is the parcel, closing it calls it off.
//
//   sender                              receiver
//   {"name", "size", "type"}  ────────►            shown, with its size, before anything of it is taken
//                             ◄────────  "accept"  (or the channel closes)
//   pieces of at most 64 KiB  ────────►
//                             ◄────────  "done"    when `size` bytes are there
//
// States: offered, moving, done, declined, broken. Event: `change`.

export const PARCEL = 'posthouse.file';

/** What is not yet saved lies in the memory of a tab. */
export const LIMIT = 250_000_000;

const PIECE = 64 * 1024;
/** So much waits in the channel: enough to keep it busy, little enough to stop at once. */
const HIGH = 1024 * 1024;
const LOW = 256 * 1024;
const NAME_LIMIT = 255;

class Parcel extends EventTarget {
  state = 'offered';
  name = '';
  size = 0;
  /** Bytes so far. */
  moved = 0;
  channel;

  constructor(channel) {
    super();
    this.channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.addEventListener('close', () => this.ended());
    channel.addEventListener('error', () => this.ended());
  }

  /** Calls it off, or declines it. */
  stop() {
    this.become(this.state === 'offered' ? 'declined' : 'broken');
    this.channel.close();
  }

  ended() {
    if (this.state === 'offered') this.become('declined');
    else if (this.state === 'moving') this.become('broken');
  }

  become(state) {
    if (['done', 'declined', 'broken'].includes(this.state)) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent('change'));
  }

  move(bytes) {
    this.moved += bytes;
    this.dispatchEvent(new CustomEvent('change'));
  }
}

/** On its way out, over a new channel of `pc`. */
export class OutgoingParcel extends Parcel {
  #file;

  constructor(pc, file) {
    super(pc.createDataChannel(PARCEL));
    this.#file = file;
    Object.assign(this, { name: file.name, size: file.size });
    const { channel } = this;
    channel.bufferedAmountLowThreshold = LOW;
    channel.addEventListener('open', () => channel.send(JSON.stringify({ name: file.name, size: file.size, type: file.type })));
    channel.addEventListener('message', ({ data }) => this.#answered(data));
  }

  #answered(word) {
    if (word === 'accept' && this.state === 'offered') {
      this.become('moving');
      this.#send().catch(() => this.stop());
    } else if (word === 'done') {
      this.become('done');
      this.channel.close();
    }
  }

  /** As fast as the channel takes it, and no faster. */
  async #send() {
    const { channel } = this;
    for (let at = 0; at < this.size && this.state === 'moving'; at += PIECE) {
      const piece = await this.#file.slice(at, at + PIECE).arrayBuffer();
      while (channel.bufferedAmount > HIGH) await drained(channel);
      if (channel.readyState !== 'open') return;
      channel.send(piece);
      this.move(piece.byteLength);
    }
  }
}

/** On its way in, over a channel that the other side opened. */
export class IncomingParcel extends Parcel {
  blob = null;
  #type = '';
  #pieces = [];

  /** Resolves with the parcel when it has said what it is; one that says nonsense is never heard of. */
  static async from(channel) {
    const parcel = new IncomingParcel(channel);
    const { data } = await new Promise((resolve) => channel.addEventListener('message', resolve, { once: true }));
    parcel.#introduce(JSON.parse(data));
    channel.addEventListener('message', (event) => parcel.#take(event.data));
    return parcel;
  }

  accept() {
    this.become('moving');
    this.channel.send('accept');
    this.#finish();
  }

  #introduce({ name, size, type }) {
    if (typeof name !== 'string' || !Number.isSafeInteger(size) || size < 0 || size > LIMIT) {
      this.channel.close();
      throw new TypeError(`expected a file of at most ${LIMIT} bytes with a name`);
    }
    // A name, not a path, and nothing that turns the reading direction.
    this.name = name.replace(/[\\/\p{C}]/gu, '_').slice(0, NAME_LIMIT) || 'file';
    this.size = size;
    this.#type = typeof type === 'string' ? type : '';
  }

  #take(data) {
    if (this.state !== 'moving' || typeof data === 'string') return;
    this.#pieces.push(data);
    this.move(data.byteLength);
    if (this.moved > this.size) this.stop();
    this.#finish();
  }

  #finish() {
    if (this.state !== 'moving' || this.moved !== this.size) return;
    this.blob = new Blob(this.#pieces.splice(0), { type: this.#type });
    this.channel.send('done');
    this.become('done');
  }
}

function drained(channel) {
  return new Promise((resolve) => {
    for (const event of ['bufferedamountlow', 'close', 'error']) channel.addEventListener(event, resolve, { once: true });
  });
}
