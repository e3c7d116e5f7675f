// A text as a QR code (ISO/IEC 18004): bytes, error correction level M, versions 1 to 20, drawn as SVG.
//
// Made in the page and not by the server: what a link carries behind its `#` is nobody else's business.

const SVG = 'http://www.w3.org/2000/svg';

/** Free modules around the symbol: a scanner looks for its edge (§5.3.8). */
const QUIET = 4;

/** Per version from 1 on, level M: error correction codewords of a block, and the number of blocks (table 9). */
const CORRECTION = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];

/** Which modules each of the eight masks turns over (table 10). */
const MASKS = [
  (x, y) => (x + y) % 2,
  (x, y) => y % 2,
  (x) => x % 3,
  (x, y) => (x + y) % 3,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2,
  (x, y) => ((x * y) % 2) + ((x * y) % 3),
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
];

/** `text` as an `<svg>` with the accessible name `label`, black on white in every theme; null when it is longer than 666 bytes. */
export function qr(text, label) {
  const rows = modules(text);
  if (!rows) return null;
  const size = rows.length + 2 * QUIET;
  const dark = rows.flatMap((row, y) => row.flatMap((on, x) => (on ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : [])));
  const picture = part('svg', { viewBox: `0 0 ${size} ${size}`, role: 'img', 'aria-label': label, class: 'qr', 'shape-rendering': 'crispEdges' });
  picture.append(part('rect', { width: size, height: size, fill: '#fff' }), part('path', { d: dark.join(''), fill: '#000' }));
  return picture;
}

function part(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Rows of booleans, dark is true; null when no version is large enough. */
export function modules(text) {
  const bytes = new TextEncoder().encode(text);
  const version = BLOCKS.findIndex((_, at) => bytes.length <= room(at + 1)) + 1;
  if (version === 0) return null;
  const words = interleaved(codewords(bytes, version), version);
  const symbols = MASKS.map((mask, number) => drawn(words, version, mask, number));
  const scores = symbols.map(penalty);
  return symbols[scores.indexOf(Math.min(...scores))];
}

const sizeOf = (version) => 17 + 4 * version;

/** Codewords of a whole symbol: what function patterns leave of its modules (§7.7.3 counts the same). */
function capacity(version) {
  const spots = version === 1 ? 0 : (Math.floor(version / 7) + 2) ** 2 - 3;
  const crossing = version === 1 ? 0 : 2 * Math.floor(version / 7) * 5;
  const taken = 3 * 64 + 31 + 2 * (sizeOf(version) - 16) + spots * 25 - crossing + (version < 7 ? 0 : 36);
  return Math.floor((sizeOf(version) ** 2 - taken) / 8);
}

const dataWords = (version) => capacity(version) - CORRECTION[version - 1] * BLOCKS[version - 1];
const countBits = (version) => (version < 10 ? 8 : 16);
const room = (version) => Math.floor((8 * dataWords(version) - 4 - countBits(version)) / 8);

/** Mode, count, bytes, end, padding (§7.4). */
function codewords(bytes, version) {
  let bits = '0100' + bytes.length.toString(2).padStart(countBits(version), '0');
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  const all = 8 * dataWords(version);
  bits += '0000'.slice(0, all - bits.length);
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').padEnd(all, '1110110000010001');
  return bits.match(/.{8}/g).map((word) => Number.parseInt(word, 2));
}

/** The blocks' words in turn, then their corrections in turn; the last blocks may be one word longer (§7.6). */
function interleaved(words, version) {
  const blocks = BLOCKS[version - 1];
  const short = Math.floor(words.length / blocks);
  const firstLong = blocks - (words.length % blocks);
  const data = Array.from({ length: blocks }, (_, at) => {
    const start = at * short + Math.max(0, at - firstLong);
    return words.slice(start, start + short + (at >= firstLong ? 1 : 0));
  });
  const generator = generatorOf(CORRECTION[version - 1]);
  const inTurn = (lists) => Array.from({ length: Math.max(...lists.map((list) => list.length)) }, (_, at) => lists.flatMap((list) => list[at] ?? [])).flat();
  return [...inTurn(data), ...inTurn(data.map((block) => remainder(block, generator)))];
}

/** A product in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) product = (product << 1) ^ ((product >> 7) * 0x11d) ^ (((b >> bit) & 1) * a);
  return product;
}

/** The coefficients of (x - 1)(x - 2)(x - 4)... below the highest. */
function generatorOf(degree) {
  let root = 1;
  let coefficients = [1];
  for (let n = 0; n < degree; n += 1) {
    const shifted = [...coefficients, 0];
    coefficients = shifted.map((value, at) => value ^ (at > 0 ? times(coefficients[at - 1], root) : 0));
    root = times(root, 2);
  }
  return coefficients.slice(1);
}

/** Reed-Solomon: the remainder of the block, shifted, by the generator. */
function remainder(block, generator) {
  const rest = new Array(generator.length).fill(0);
  for (const word of block) {
    const factor = word ^ rest.shift();
    rest.push(0);
    generator.forEach((value, at) => { rest[at] ^= times(value, factor); });
  }
  return rest;
}

/** The symbol under one mask. */
function drawn(words, version, mask, number) {
  const size = sizeOf(version);
  const rows = Array.from({ length: size }, () => new Array(size).fill(null));
  const set = (x, y, on) => { rows[y][x] = Boolean(on); };
  patterns(version, set, (x, y) => rows[y][x] !== null);
  format(size, number, set);
  let at = 0;
  for (const [x, y] of path(size)) {
    if (rows[y][x] !== null) continue;
    const bit = at < words.length * 8 ? (words[at >> 3] >> (7 - (at & 7))) & 1 : 0;
    set(x, y, bit ^ (mask(x, y) === 0));
    at += 1;
  }
  return rows;
}

/** Finders with their separators, alignment spots, timing lines, the version. */
function patterns(version, set, isTaken) {
  const size = sizeOf(version);
  const ring = (x, y, reach, isDark) => {
    for (let dy = -reach; dy <= reach; dy += 1) {
      for (let dx = -reach; dx <= reach; dx += 1) {
        const inside = [x + dx, y + dy].every((value) => value >= 0 && value < size);
        if (inside) set(x + dx, y + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
      }
    }
  };
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) ring(x, y, 4, (distance) => distance !== 2 && distance !== 4);
  const spots = spotsOf(version);
  for (const y of spots) for (const x of spots) if (!isTaken(x, y)) ring(x, y, 2, (distance) => distance !== 1);
  for (let n = 8; n < size - 8; n += 1) {
    set(n, 6, n % 2 === 0);
    set(6, n, n % 2 === 0);
  }
  if (version < 7) return;
  const bits = withRemainder(version, 12, 0x1f25);
  for (let n = 0; n < 18; n += 1) {
    const [along, across] = [Math.floor(n / 3), size - 11 + (n % 3)];
    set(across, along, (bits >> n) & 1);
    set(along, across, (bits >> n) & 1);
  }
}

/** Where rows and columns of alignment spots lie (annex E). */
function spotsOf(version) {
  if (version === 1) return [];
  const gaps = Math.floor(version / 7) + 1;
  const last = sizeOf(version) - 7;
  const step = 2 * Math.ceil((last - 6) / (2 * gaps));
  return [6, ...Array.from({ length: gaps }, (_, at) => last - (gaps - 1 - at) * step)];
}

/** Level M and the mask, twice, and the module that is always dark (§7.9). */
function format(size, number, set) {
  const bits = withRemainder(number, 10, 0x537) ^ 0x5412;
  const first = [0, 1, 2, 3, 4, 5, 7, 8].map((y) => [8, y]).concat([7, 5, 4, 3, 2, 1, 0].map((x) => [x, 8]));
  for (let n = 0; n < 15; n += 1) {
    const on = (bits >> n) & 1;
    set(...first[n], on);
    if (n < 8) set(size - 1 - n, 8, on);
    else set(8, size - 15 + n, on);
  }
  set(8, size - 8, true);
}

/** `value`, and below it its remainder by a BCH code's generator. */
function withRemainder(value, degree, generator) {
  let rest = value;
  for (let n = 0; n < degree; n += 1) rest = (rest << 1) ^ ((rest >> (degree - 1)) * generator);
  return (value << degree) | rest;
}

/** Two columns at a time from the right, up and down in turn, around the vertical timing line (§7.7.3). */
function* path(size) {
  let up = true;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    for (let n = 0; n < size; n += 1) for (const x of [right, right - 1]) yield [x, up ? size - 1 - n : n];
    up = !up;
  }
}

/** What makes a symbol hard to read: long runs, blocks, what looks like a finder, too much of one colour (§7.8.3). */
function penalty(rows) {
  const lines = [...rows, ...rows.map((_, x) => rows.map((row) => row[x]))].map((line) => line.map(Number).join(''));
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const runs = sum(lines.flatMap((line) => line.match(/0{5,}|1{5,}/g) ?? []).map((run) => run.length - 2));
  const finders = sum(lines.map((line) => (line.match(/0000(?=1011101)|1011101(?=0000)/g) ?? []).length));
  const isBlock = (x, y) => [rows[y][x + 1], rows[y + 1]?.[x], rows[y + 1]?.[x + 1]].every((one) => one === rows[y][x]);
  const blocks = sum(rows.map((row, y) => row.filter((_, x) => isBlock(x, y)).length));
  const dark = sum(rows.map((row) => row.filter(Boolean).length)) / rows.length ** 2;
  return runs + 3 * blocks + 40 * finders + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}
