// Room names: the server's rule, the page's wish for five characters, and a random one that can be read over a telephone.

import { words } from './strings.js';

const SHORTEST = 5;
const LONGEST = 128;
const CONSONANTS = 'bdfgklmnprstvzhj';
const VOWELS = 'aeiou';

/** Why `name` cannot be a room name, in words, or `''`. */
export function complaint(name) {
  if (/[^A-Za-z0-9_-]/.test(name)) return words.roomIllegal;
  if (name.length < SHORTEST) return words.roomTooShort;
  if (name.length > LONGEST) return words.roomTooLong;
  return '';
}

/** Eight syllables of 80 each, about 50 bits: `lumo-kefi-tara-nodu`. */
export function randomName() {
  const pair = () => syllable() + syllable();
  return [pair(), pair(), pair(), pair()].join('-');
}

function syllable() {
  return pick(CONSONANTS) + pick(VOWELS);
}

/** One character of `letters`, each equally likely: a byte beyond the last whole multiple is thrown away. */
function pick(letters) {
  const limit = 256 - (256 % letters.length);
  const byte = new Uint8Array(1);
  do crypto.getRandomValues(byte); while (byte[0] >= limit);
  return letters[byte[0] % letters.length];
}

/** The path of a meeting's page. */
export const meetingPath = (name) => `/meet/${encodeURIComponent(name)}`;

/** The path of a room's page. */
export const roomPath = (name) => `/r/${encodeURIComponent(name)}`;
