// How a file travels: blocks of 1 MiB, each in frames of 32 KiB and followed by its SHA-256; then the SHA-256 over all blocks' hashes.
//
//   binary   0       4        8
//            transfer sequence payload     big-endian; sequence: the frame's number in the file
//   text     files {start, all, files}     ← sender: what there is, in pages
//            get {transfer, id, block}     → receiver: this file, from this block on
//            hash {transfer, block, hash}  ← after a block's frames
//            ack {transfer, block}         → the block is verified and kept
//            done {transfer, hash}         ← over the concatenated hashes of all blocks, as bytes of text
//            got {transfer}                → the file is whole: now the sender may close
//            failed {transfer, reason}     ← "unreadable" or "removed"
//            stop {transfer}               → no more of it
//            hello {session}               → who comes back after a lost connection
//
// Why blocks, and not one hash over the file: the browser's SHA-256 takes no stream, and a script's is ten times slower. So a
// wrong block is found before it is kept, and after a lost connection the file goes on at the first block that is missing.

import { sha256 } from './sha256.js';

export const BLOCK = 2 ** 20;
export const FRAME = 2 ** 15;
const HEADER = 8;

/** Blocks that may be under way before the first of them is acknowledged: what the receiver keeps in memory at most. */
export const WINDOW = 8;

/** Text of this length at most in one message about files: receivers take 64 KiB everywhere. */
const PAGE = 32_000;

/** An empty file has one empty block. */
export const blocksOf = (size) => Math.max(1, Math.ceil(size / BLOCK));
export const blockSize = (size, block) => Math.min(BLOCK, size - block * BLOCK);

/** The frames of one block; an empty block has one. */
export function* frames(transfer, block, bytes) {
  for (let at = 0; at === 0 || at < bytes.length; at += FRAME) {
    const payload = bytes.subarray(at, at + FRAME);
    const frame = new Uint8Array(HEADER + payload.length);
    const view = new DataView(frame.buffer);
    view.setUint32(0, transfer);
    view.setUint32(4, (block * BLOCK + at) / FRAME);
    frame.set(payload, HEADER);
    yield frame;
  }
}

/** `{transfer, sequence, payload}`, or null for what is no frame. */
export function parseFrame(buffer) {
  if (buffer.byteLength < HEADER || buffer.byteLength > HEADER + FRAME) return null;
  const view = new DataView(buffer);
  return { transfer: view.getUint32(0), sequence: view.getUint32(4), payload: new Uint8Array(buffer, HEADER) };
}

/** The hash of a whole file, from those of its blocks. */
export const wholeHash = (hashes) => sha256(new TextEncoder().encode(hashes.join('')));

/** The list in pages: `{start, all, files}`; an empty list is one page. */
export function pages(files) {
  const made = [];
  let page = { start: 0, all: files.length, files: [] };
  let length = 0;
  files.forEach((file, at) => {
    const more = JSON.stringify(file).length;
    if (page.files.length > 0 && length + more > PAGE) {
      made.push(page);
      page = { start: at, all: files.length, files: [] };
      length = 0;
    }
    page.files.push(file);
    length += more;
  });
  return [...made, page];
}
