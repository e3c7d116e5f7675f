// The sender's side of the file drop.

import { keepAwake } from './awake.js';
import { copyField } from './clipboard.js';
import { element } from './element.js';
import { droppedFiles, pickedFiles } from './folder-walk.js';
import { sizeText } from './human.js';
import { qr } from './qr.js';
import { Sender } from './sender.js';
import { words } from './strings.js';
import { button, TransferRow } from './transfer-row.js';
import { VisitorRow } from './visitor-row.js';

const TICK = 500;
/** More lines than this help nobody. */
const SHOWN = 300;

const byId = (id) => document.getElementById(id);
const rows = new Map();
const people = new Map();
let sender;
let shownLink = null;

export function showSender(parameters) {
  sender = new Sender(parameters);
  sender.addEventListener('change', () => {
    showLink();
    showOffers();
  });
  sender.addEventListener('visitors', showVisitors);
  connectPickers();
  connectLink();
  byId('add-text').addEventListener('click', addText);
  addEventListener('beforeunload', (event) => {
    if (sender.offers.items.length > 0) event.preventDefault();
  });
  document.addEventListener('visibilitychange', () => keepAwake(sender.isSending));
  setInterval(tick, TICK);
  showLink();
  showOffers();
  showVisitors();
}

async function tick() {
  await Promise.all(sender.visitors.map((visitor) => visitor.measure()));
  showVisitors();
}

function connectPickers() {
  for (const kind of ['files', 'folder']) {
    const input = byId(`${kind}-input`);
    byId(`pick-${kind}`).addEventListener('click', () => input.click());
    input.addEventListener('change', () => {
      sender.offers.add(pickedFiles(input));
      input.value = '';
    });
  }
  // Not every telephone can pick a folder.
  byId('pick-folder').hidden = !('webkitdirectory' in byId('folder-input'));
  // Wherever on the page it is dropped: nobody wants the browser to open the file instead.
  addEventListener('dragover', (event) => {
    event.preventDefault();
    byId('zone').dataset.over = 'true';
  });
  addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) delete byId('zone').dataset.over;
  });
  addEventListener('drop', async (event) => {
    event.preventDefault();
    delete byId('zone').dataset.over;
    sender.offers.add(await droppedFiles(event.dataTransfer));
  });
}

function addText() {
  const text = byId('text').value;
  if (text.trim() === '') return byId('text').focus();
  byId('text').value = '';
  return sender.offers.addText(text, `${words.drop.textName}.txt`);
}

function connectLink() {
  byId('copy').addEventListener('click', async () => say((await copyField(byId('link'))) ? words.copied : words.copyFailed));
  byId('link').addEventListener('focus', () => byId('link').select());
  byId('share').hidden = typeof navigator.share !== 'function';
  byId('share').addEventListener('click', () => navigator.share({ title: words.drop.title, url: sender.link }).catch(() => {}));
}

/** The link is there only while somebody who follows it would arrive. */
function showLink() {
  const { link } = sender;
  if (link === shownLink && byId('link-status').textContent !== '') return;
  const former = shownLink;
  shownLink = link;
  byId('link-parts').hidden = link === null;
  byId('link-parts').dataset.state = link === null ? 'waiting' : 'ready';
  byId('link').value = link ?? '';
  byId('qr').replaceChildren(...(link === null ? [] : [qr(link, words.drop.qr)]));
  byId('link-status').textContent = link !== null ? words.drop.linkReady : former === null && !sender.broker.id ? words.drop.linkWaiting : words.drop.linkLost;
}

function showOffers() {
  const { items, size } = sender.offers;
  byId('count').textContent = items.length === 0 ? words.drop.noFiles : words.drop.count(items.length, sizeText(size));
  const living = new Set(items.map(({ id }) => id));
  for (const [id, row] of rows) if (!living.has(id)) {
    row.row.remove();
    rows.delete(id);
  }
  for (const item of items.slice(0, SHOWN)) if (!rows.has(item.id)) addRow(item);
  byId('more').textContent = items.length > SHOWN ? words.drop.more(items.length - SHOWN) : '';
}

function addRow(item) {
  const row = new TransferRow(item.path, item.file.size);
  row.actions.append(button(words.drop.remove, item.path, () => {
    const next = row.row.nextElementSibling ?? row.row.previousElementSibling;
    sender.offers.remove(item.id);
    say(words.drop.removed(item.path));
    (next?.querySelector('button') ?? byId('pick-files')).focus();
  }, 'plain'));
  row.say('offered', item.text ? words.drop.shownAtOnce : '');
  rows.set(item.id, row);
  byId('offers').append(row.row);
}

function showVisitors() {
  const { visitors } = sender;
  const list = visitors.map(rowOf);
  byId('nobody').hidden = list.length > 0;
  const isShown = list.length === byId('visitors').children.length && list.every((row, at) => row === byId('visitors').children[at]);
  if (!isShown) byId('visitors').replaceChildren(...list);
  keepAwake(sender.isSending);
}

/** A receiver who comes back keeps their row. */
function rowOf(visitor) {
  const former = people.get(visitor.former);
  if (former) people.set(visitor, former);
  else if (!people.has(visitor)) people.set(visitor, new VisitorRow(say));
  const row = people.get(visitor);
  row.show(visitor, sender.offers.items.length);
  return row.row;
}

function say(text) {
  byId('announcement').replaceChildren(element('span', {}, text));
}
