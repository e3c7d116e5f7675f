// What somebody holds on the relay: a row for each allocation.

import { bytes, count, rate, span } from './dashboard-figures.js';
import { keep, write } from './dashboard-list.js';
import { words } from './dashboard-words.js';
import { element } from './element.js';

const told = () => words.dashboard;

/** Shows the allocations of `holder` in `list`; `acts.end(allocation)` is what the buttons do. */
export function showAllocations(list, { allocations, allocation_count: all }, rates, acts) {
  const hidden = all - allocations.length;
  const items = hidden > 0 ? [...allocations, { allocation: 'more', hidden }] : allocations;
  keep(list, items, ({ allocation }) => allocation, (item) => (item.hidden ? element('li', { class: 'quiet small' }) : row(item, acts)), (child, item) => {
    if (item.hidden) write(child, told().moreAllocations(item.hidden));
    else update(child, item, rates);
  });
}

function row(allocation, acts) {
  const name = told().endAllocation(allocation.relayed[0] ?? allocation.allocation);
  const end = element('button', { class: 'button small', type: 'button', 'aria-label': name }, told().end);
  end.addEventListener('click', () => acts.end(allocation));
  const facts = Object.keys(factsOf(allocation)).map((fact) => element('div', {}, element('dt', {}, told().fact[fact]), element('dd', { 'data-fact': fact })));
  return element('li', { class: 'allocation' }, element('dl', { class: 'held' }, ...facts), end);
}

function update(item, allocation, rates) {
  const facts = factsOf(allocation, rates);
  for (const place of item.querySelectorAll('[data-fact]')) write(place, facts[place.dataset.fact]);
}

function factsOf({ allocation, transport, client, relayed, permissions, channels, connections, to_peers: up, to_clients: down, expires_in: left }, rates) {
  const reached = connections === null ? told().peers(count(permissions), count(channels)) : told().connections(count(permissions), count(connections));
  return {
    client: `${transport.toUpperCase()} ${client ?? told().away}`,
    relayed: relayed.join(', '),
    peers: reached,
    toPeers: moved(up, rates?.of(`${allocation} up`, up.bytes)),
    toClients: moved(down, rates?.of(`${allocation} down`, down.bytes)),
    left: span(left),
  };
}

function moved({ bytes: number }, speed) {
  return speed === undefined ? bytes(number) : `${bytes(number)} · ${rate(speed)}`;
}
