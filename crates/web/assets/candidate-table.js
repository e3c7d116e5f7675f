// What was gathered, as two tables: candidates, and errors on the way.

import { element } from './element.js';
import { words } from './strings.js';

/** Fills both `tbody`s. */
export function showGathered({ candidates, errors }, found, failed) {
  found.replaceChildren(...candidates.map(candidateRow));
  failed.replaceChildren(...errors.map(errorRow));
}

function candidateRow({ candidate, at }) {
  const { type, foundation, protocol, address, port, priority, relayProtocol, url } = candidate;
  return row([words.test.fact.milliseconds(at), type, foundation, protocol, address, port, written(priority), url, relayProtocol]);
}

function errorRow({ url, code, reason, address, port, at }) {
  return row([words.test.fact.milliseconds(at), url, code, reason, address ? `${address}:${port}` : '']);
}

function row(cells) {
  return element('tr', {}, ...cells.map((cell) => element('td', {}, String(cell ?? ''))));
}

/** RFC 8445 §5.1.2.1: type preference, local preference, 256 minus component. */
function written(priority) {
  return priority ? `${priority >>> 24} | ${(priority >> 8) & 0xffff} | ${256 - (priority & 0xff)}` : '';
}
