// The parts of the file drop that need no browser: archives, hashes, frames, names.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BLOCK, blocksOf, frames, pages, parseFrame } from '../../crates/web/assets/blocks.js';
import { safeName, safePath } from '../../crates/web/assets/safe-path.js';
import { ownDigest, sha256 } from '../../crates/web/assets/sha256.js';
import { Zip, zipSize } from '../../crates/web/assets/zip.js';
import { temporary } from './folder.mjs';

/** Bytes that come one after the other, and may be replaced where a write began. */
class Memory {
  parts = new Map();
  length = 0;

  async write(bytes) {
    this.parts.set(this.length, bytes);
    this.length += bytes.length;
  }

  async replace(position, bytes) {
    assert.equal(this.parts.get(position).length, bytes.length);
    this.parts.set(position, bytes);
  }
}

async function archive(files) {
  const memory = new Memory();
  const zip = new Zip(memory);
  for (const { name, modified, pieces } of files) {
    await zip.begin({ name, size: pieces.reduce((sum, piece) => sum + piece.length, 0), modified });
    for (const piece of pieces) await zip.write(piece);
    await zip.end();
  }
  await zip.close();
  const path = join(temporary('zip'), 'a.zip');
  writeFileSync(path, Buffer.concat([...memory.parts.values()]));
  return { path, length: memory.length };
}

/** What Python's `zipfile` says of it, after it has compared all checksums. */
function read(path, expression) {
  const script = `import json, sys, zipfile\na = zipfile.ZipFile(sys.argv[1])\nassert a.testzip() is None\nprint(json.dumps(${expression}))`;
  return JSON.parse(execFileSync('python3', ['-c', script, path], { encoding: 'utf8' }));
}

test('an archive is read by somebody else: names, bytes in pieces, times', async () => {
  const modified = new Date(2026, 10, 21, 9, 5, 30).getTime();
  const files = [
    { name: 'Küche/☎.txt', modified, pieces: [Buffer.from('ein'), Buffer.from('s zwei')] },
    { name: 'leer', modified, pieces: [] },
    { name: 'zufall', modified, pieces: [randomBytes(100_000)] },
  ];
  const { path, length } = await archive(files);
  assert.deepEqual(read(path, '[[i.filename, i.file_size, list(i.date_time)] for i in a.infolist()]'), [
    ['Küche/☎.txt', 9, [2026, 11, 21, 9, 5, 30]],
    ['leer', 0, [2026, 11, 21, 9, 5, 30]],
    ['zufall', 100_000, [2026, 11, 21, 9, 5, 30]],
  ]);
  assert.equal(read(path, "a.read('Küche/☎.txt').decode()"), 'eins zwei');
  assert.ok(length <= zipSize(files.map(({ name, pieces }) => ({ name, size: pieces.reduce((sum, piece) => sum + piece.length, 0) }))));
});

test('more files than sixteen bits count are read too (ZIP64)', async () => {
  const files = Array.from({ length: 65_536 }, (_, at) => ({ name: `f${at}`, modified: 0, pieces: [] }));
  const { path } = await archive(files);
  assert.equal(read(path, 'len(a.infolist())'), 65_536);
});

test('our SHA-256 is SHA-256, at every length around a block', async () => {
  for (const length of [...Array(130).keys(), 1000, 65_537]) {
    const bytes = new Uint8Array(randomBytes(length));
    const expected = createHash('sha256').update(bytes).digest('hex');
    assert.equal(Buffer.from(ownDigest(bytes)).toString('hex'), expected);
    assert.equal(await sha256(bytes), expected);
  }
});

test('a block comes out of its frames as it went in, and an empty one has a frame', () => {
  const bytes = new Uint8Array(randomBytes(100_001));
  const parsed = [...frames(7, 2, bytes)].map((frame) => parseFrame(frame.buffer));
  assert.deepEqual(Buffer.concat(parsed.map(({ payload }) => payload)), Buffer.from(bytes));
  assert.deepEqual(parsed.map(({ transfer, sequence }) => [transfer, sequence]), [[7, 64], [7, 65], [7, 66], [7, 67]]);
  assert.deepEqual([...frames(1, 0, new Uint8Array(0))].length, 1);
  assert.deepEqual([0, 1, BLOCK, BLOCK + 1].map(blocksOf), [1, 1, 1, 2]);
  for (const length of [0, 7, 2 ** 15 + 9]) assert.equal(parseFrame(new ArrayBuffer(length)), null);
});

test('a long list goes in pages, each small enough for one message', () => {
  const files = Array.from({ length: 3000 }, (_, id) => ({ id, name: `${'x'.repeat(id % 200)}${id}`, size: id }));
  const sent = pages(files);
  assert.deepEqual(sent.flatMap((page) => page.files), files);
  assert.ok(sent.every((page) => JSON.stringify(page).length < 60_000 && page.files[0] === files[page.start]));
  assert.deepEqual(pages([]), [{ start: 0, all: 0, files: [] }]);
});

test('a name from a stranger stays in its folder', () => {
  assert.equal(safePath('../../etc/passwd'), 'etc/passwd');
  assert.equal(safePath('C:\\Windows\\..\\x'), 'C_/Windows/x');
  assert.equal(safePath('/a//./b\u0000\u202ecod.exe'), 'a/b__cod.exe');
  assert.equal(safePath('Küche/ä b.txt'), 'Küche/ä b.txt');
  assert.deepEqual(['..', '', '///'].map(safePath), ['file', 'file', 'file']);
  assert.equal(safeName('a/b/c.txt'), 'c.txt');
});
