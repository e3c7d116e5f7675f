// A ZIP archive that is written while its files arrive: stored, not deflated, with CRC-32, and ZIP64 where a number needs it
// (APPNOTE.TXT 6.3.10). A file's CRC goes into its header when the file is over.

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
/** Names are UTF-8 (§4.4.4, bit 11). */
const UTF8 = 0x0800;
const [MAX16, MAX32] = [0xffff, 0xffffffff];
const [VERSION, VERSION64] = [20, 45];
const NOTHING = new Uint8Array(0);

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The CRC-32 of what `crc` was of, and `bytes` behind it. */
export function crc32(bytes, crc = 0) {
  let value = ~crc;
  for (let at = 0; at < bytes.length; at += 1) value = (value >>> 8) ^ TABLE[(value ^ bytes[at]) & 0xff];
  return ~value >>> 0;
}

/** How many bytes an archive of these `{name, size}` has at most: for the question where it shall go. */
export const zipSize = (entries) => entries.reduce((sum, { name, size }) => sum + size + 2 * (3 * name.length + 100), 100);

export class Zip {
  #sink;
  #position = 0;
  #entries = [];

  /** `sink`: `write(bytes)` and `replace(position, bytes)`. */
  constructor(sink) {
    this.#sink = sink;
  }

  /** Begins a file of exactly `size` bytes. `name`: its path with slashes; `modified`: milliseconds since 1970. */
  async begin({ name, size, modified }) {
    const entry = { name: new TextEncoder().encode(name), size, time: dosTime(modified), crc: 0, offset: this.#position };
    this.#entries.push(entry);
    await this.#write(header(entry));
  }

  async write(bytes) {
    const entry = this.#entries.at(-1);
    entry.crc = crc32(bytes, entry.crc);
    await this.#write(bytes);
  }

  /** The file is over. */
  async end() {
    const entry = this.#entries.at(-1);
    await this.#sink.replace(entry.offset, header(entry));
  }

  /** The list of all files, and the end. */
  async close() {
    const start = this.#position;
    for (const entry of this.#entries) await this.#write(central(entry));
    await this.#write(ending(this.#entries.length, start, this.#position - start));
  }

  async #write(bytes) {
    await this.#sink.write(bytes);
    this.#position += bytes.length;
  }
}

/** Numbers as `[bytes, value]`, little-endian; anything else as its bytes. */
function packed(...fields) {
  const size = fields.reduce((sum, field) => sum + (Array.isArray(field) ? field[0] : field.length), 0);
  const view = new DataView(new ArrayBuffer(size));
  let at = 0;
  for (const field of fields) {
    if (!Array.isArray(field)) {
      new Uint8Array(view.buffer).set(field, at);
      at += field.length;
      continue;
    }
    const [bytes, value] = field;
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

/** §4.3.7; with ZIP64, sizes are in the extra field (§4.5.3). */
function header({ name, size, time, crc }) {
  const large = size >= MAX32;
  const extra = large ? packed([2, 1], [2, 16], [8, size], [8, size]) : NOTHING;
  const told = large ? MAX32 : size;
  return packed([4, LOCAL], [2, large ? VERSION64 : VERSION], [2, UTF8], [2, 0], [4, time], [4, crc], [4, told], [4, told], [2, name.length], [2, extra.length], name, extra);
}

/** §4.3.12 */
function central({ name, size, time, crc, offset }) {
  const wide = [...(size >= MAX32 ? [[8, size], [8, size]] : []), ...(offset >= MAX32 ? [[8, offset]] : [])];
  const extra = wide.length > 0 ? packed([2, 1], [2, 8 * wide.length], ...wide) : NOTHING;
  const version = wide.length > 0 ? VERSION64 : VERSION;
  const told = Math.min(size, MAX32);
  return packed(
    [4, CENTRAL], [2, version], [2, version], [2, UTF8], [2, 0], [4, time], [4, crc], [4, told], [4, told], [2, name.length], [2, extra.length],
    [2, 0], [2, 0], [2, 0], [4, 0], [4, Math.min(offset, MAX32)], name, extra,
  );
}

/** §4.3.14 to §4.3.16 */
function ending(count, start, size) {
  const wide = count >= MAX16 || start >= MAX32 || size >= MAX32;
  const wideEnd = packed([4, END64], [8, 44], [2, VERSION64], [2, VERSION64], [4, 0], [4, 0], [8, count], [8, count], [8, size], [8, start], [4, LOCATOR64], [4, 0], [8, start + size], [4, 1]);
  const told = Math.min(count, MAX16);
  return packed(wide ? wideEnd : NOTHING, [4, END], [2, 0], [2, 0], [2, told], [2, told], [4, Math.min(size, MAX32)], [4, Math.min(start, MAX32)], [2, 0]);
}

/** MS-DOS date and time in one number: steps of two seconds, from 1980 on. */
function dosTime(milliseconds) {
  const date = new Date(milliseconds || 0);
  const year = Math.min(127, Math.max(0, date.getFullYear() - 1980));
  const day = (year << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  return ((day << 16) | (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1)) >>> 0;
}
