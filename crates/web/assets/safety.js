// The pair's safety code: what both see when nobody sits between them.

import { sha256 } from './sha256.js';

const GROUPS = 6;

/**
 * Six groups of five digits from SHA-256 over both fingerprints, sorted. That is 100 bits: whoever sits between would have to find
 * two certificates that give both sides the same code, which takes the square root of all codes to try.
 */
export async function safetyCode(fingerprints) {
  const hash = await sha256(new TextEncoder().encode([...fingerprints].sort().join('\n')));
  const groups = Array.from({ length: GROUPS }, (_, at) => Number.parseInt(hash.slice(8 * at, 8 * at + 8), 16) % 100_000);
  return groups.map((group) => String(group).padStart(5, '0')).join(' ');
}
