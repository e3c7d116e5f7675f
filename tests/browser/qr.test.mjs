// The pages' QR codes, read by somebody else's decoder.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import reader from 'jsqr';
import { modules } from '../../crates/web/assets/qr.js';

const { default: read } = reader;
const [SCALE, QUIET] = [4, 4];

/** Bytes that fit into versions 1 to 20 at level M (ISO/IEC 18004, table 7). */
const ROOM = [14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666];

/** The symbol as a photograph without a fault: RGBA, black on white. */
function picture(rows) {
  const width = (rows.length + 2 * QUIET) * SCALE;
  const isDark = (x, y) => rows[Math.floor(y / SCALE) - QUIET]?.[Math.floor(x / SCALE) - QUIET] === true;
  const pixels = Array.from({ length: width * width }, (_, at) => (isDark(at % width, Math.floor(at / width)) ? [0, 0, 0, 255] : [255, 255, 255, 255]));
  return [Uint8ClampedArray.from(pixels.flat()), width, width];
}

test('every version is read back, full to the last byte and one beyond the version before', () => {
  const link = 'https://calls.example.org/?peer_id=0123456789abcdef#'.repeat(20);
  for (const [at, most] of ROOM.entries()) {
    for (const length of [(ROOM[at - 1] ?? 0) + 1, most]) {
      const seen = read(...picture(modules(link.slice(0, length))));
      assert.equal(seen?.data, link.slice(0, length), `${length} bytes`);
      assert.equal(seen.version, at + 1);
    }
  }
});

test('what is not ASCII is read back too', () => {
  const text = 'https://häuser.example/r/Küche?lang=de&name=☎';
  assert.equal(read(...picture(modules(text))).data, text);
});

test('what is too long has no code', () => {
  assert.equal(modules('x'.repeat(667)), null);
  assert.equal(modules('ä'.repeat(334)), null);
});
