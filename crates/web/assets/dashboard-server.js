// The server itself: workers, refusals, certificates, the dialects that are counted alone.

import { bytes, count, percent, rate } from './dashboard-figures.js';
import { keep, write } from './dashboard-list.js';
import { words } from './dashboard-words.js';
import { element } from './element.js';

const told = () => words.dashboard;
/** Days of life below which a certificate is a problem: Let's Encrypt's are renewed at 30. */
const FEW_DAYS = 14;

export function showWorkers(body, workers, rates) {
  keep(body, workers, ({ worker }) => String(worker), () => element('tr', {}), (row, worker) => {
    const load = rates.of(`worker ${worker.worker} processor`, worker.processor);
    const ways = ['from_clients', 'from_peers', 'to_peers', 'to_clients'].map((way) => {
      const speed = rates.of(`worker ${worker.worker} ${way}`, worker[way].bytes);
      return told().flow(count(worker[way].packets), bytes(worker[way].bytes), speed === undefined ? '–' : rate(speed));
    });
    cells(row, [worker.worker, load === undefined ? '–' : percent(load / 1000), count(worker.allocations), ...ways, count(worker.streams), count(worker.restarts)]);
  });
}

export function showRefusals(place, refusals) {
  const groups = Object.entries(refusals).filter(([, reasons]) => Object.keys(reasons).length > 0);
  const none = groups.length === 0 ? [['none', {}]] : groups;
  keep(place, none, ([group]) => group, ([group]) => groupItem(group), (item, [, reasons]) => {
    const sorted = Object.entries(reasons).sort(([, one], [, other]) => other - one);
    const list = item.querySelector('dl');
    if (!list) return;
    const pairs = sorted.flatMap(([reason, number]) => [[`dt ${reason}`, 'dt', reason], [`dd ${reason}`, 'dd', count(number)]]);
    keep(list, pairs, ([key]) => key, ([, tag]) => element(tag), (child, [, , text]) => write(child, text));
  });
}

function groupItem(group) {
  if (group === 'none') return element('p', { class: 'quiet small' }, told().noRefusals);
  return element('div', {}, element('h3', {}, told().refusalGroup[group] ?? group), element('dl', { class: 'reasons' }));
}

export function showCertificates(list, certificates) {
  document.getElementById('no-certificates').hidden = certificates.length > 0;
  keep(list, certificates, ({ certificate }) => certificate, () => element('li', {}), (item, { certificate, days_left: days }) => {
    item.className = days < FEW_DAYS ? 'problem' : '';
    write(item, told().certificate(certificate, days));
  });
}

export function showDialects(body, dialects) {
  document.getElementById('no-dialects').hidden = dialects.length > 0;
  document.getElementById('dialects-table').hidden = dialects.length === 0;
  keep(body, dialects, ({ dialect }) => dialect, () => element('tr', {}), (row, { dialect, topics, identities }) => cells(row, [dialect, count(topics), count(identities)]));
}

function cells(row, texts) {
  while (row.cells.length < texts.length) row.insertCell();
  texts.forEach((text, index) => write(row.cells[index], text));
}
