// The receiver's side of the file drop.

import { keepAwake } from './awake.js';
import { copyText } from './clipboard.js';
import { element } from './element.js';
import { sizeText } from './human.js';
import { Receiver } from './receiver.js';
import { safeName, safePath } from './safe-path.js';
import { Shelf } from './shelf.js';
import { words } from './strings.js';
import { button, TransferRow } from './transfer-row.js';

const TICK = 500;
const SHOWN = 300;

const byId = (id) => document.getElementById(id);
const rows = new Map();
let receiver;
let shelf;
/** What is being fetched: `{row, job}`. */
const jobs = new Set();

export function showReceiver(sender, parameters) {
  receiver = new Receiver(sender, parameters);
  shelf = new Shelf(receiver);
  receiver.addEventListener('change', showState);
  receiver.addEventListener('files', showFiles);
  byId('retry').addEventListener('click', () => receiver.retry());
  byId('all').addEventListener('click', fetchAll);
  addEventListener('beforeunload', (event) => {
    if (jobs.size > 0) event.preventDefault();
  });
  document.addEventListener('visibilitychange', () => keepAwake(jobs.size > 0));
  setInterval(tick, TICK);
  showState();
}

async function tick() {
  await receiver.measure();
  showState();
  for (const { row, job } of jobs) showJob(row, job);
}

function showState() {
  const { state, path, safety, ours, files } = receiver;
  const { title, text } = words.drop.end[state] ?? { title: words.drop.state[state], text: words.drop.stateText[state] };
  byId('receiver').dataset.state = state;
  // A live region: said again only when it is another word.
  if (byId('state').textContent !== title) byId('state').textContent = title;
  byId('state-text').textContent = state === 'connected' && !ours ? words.drop.oldPage : text;
  byId('retry').hidden = !receiver.isOver || state === 'wrong';
  byId('path').hidden = path === null || state !== 'connected';
  if (path) {
    byId('path').textContent = path.relayed ? words.path.relayed(path.protocol) : words.path.direct;
    byId('path').dataset.path = path.relayed ? 'relayed' : 'direct';
  }
  byId('safety').hidden = safety === '' || receiver.isOver;
  byId('code').textContent = safety;
  byId('shelf').hidden = files.length === 0 && state !== 'connected';
  byId('receiver').dataset.protocol = ours ? 'blocks' : 'chunks';
}

function showFiles() {
  const { files } = receiver;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  byId('available').textContent = files.length === 0 ? words.drop.nothingYet : words.drop.count(files.length, sizeText(size));
  byId('all').hidden = files.length < 2;
  const living = new Set(files.map(({ id }) => id));
  for (const [id, row] of rows) if (!living.has(id)) {
    row.row.remove();
    rows.delete(id);
  }
  for (const file of files.slice(0, SHOWN)) if (!rows.has(file.id)) addRow(file);
  byId('rest').textContent = files.length > SHOWN ? words.drop.moreInZip(files.length - SHOWN) : '';
  showState();
}

function addRow(file) {
  const name = safePath(file.name);
  const row = new TransferRow(name, file.size);
  rows.set(file.id, row);
  if (typeof file.text === 'string') showText(row, file.text, name);
  else offer(row, name, words.drop.download, () => shelf.file(file, safeName(name)));
  byId('files').append(row.row);
}

function showText(row, text, name) {
  const field = element('textarea', { class: 'field', readonly: true, rows: Math.min(8, text.split('\n').length + 1), 'aria-label': name });
  field.value = text;
  row.row.insertBefore(field, row.bar);
  row.say('text');
  row.actions.replaceChildren(button(words.drop.copyText, name, async () => say((await copyText(text, field)) ? words.drop.textCopied : words.copyFailed)));
}

/** A button that begins `start()`, which gives a job, or null when the user changed their mind. */
function offer(row, name, word, start) {
  const begin = async () => {
    // At once, in the click: only then may a dialog open.
    const job = await start();
    if (job) follow(row, name, job, () => offer(row, name, words.drop.again, start));
  };
  replaceFocused(row, button(word, name, begin, 'primary'));
}

async function follow(row, name, job, again) {
  const one = { row, job };
  jobs.add(one);
  keepAwake(true);
  replaceFocused(row, button(words.drop.cancel, name, () => job.stop()));
  row.say('loading', words.drop.waits);
  try {
    const saved = await job.done;
    row.say('done', saved ? words.drop.doneSave : words.drop.done);
    replaceFocused(row, ...(saved ? [saveLink(saved, job.name, name)] : []));
    say(words.drop.arrived(name));
  } catch (error) {
    const reason = words.drop.broken[error.reason] ?? words.drop.broken.unwritable;
    row.say(error.reason === 'stopped' ? 'offered' : 'broken', reason);
    row.row.dataset.reason = error.reason ?? error.message;
    again();
    say(`${name}: ${reason}`);
  } finally {
    jobs.delete(one);
    keepAwake(jobs.size > 0);
    row.bar.hidden = true;
  }
}

/** The focus stays in the row whose button it was on. */
function replaceFocused(row, ...buttons) {
  const focused = row.actions.contains(document.activeElement);
  row.actions.replaceChildren(...buttons);
  if (focused) buttons[0]?.focus();
}

/** Saves at once, and again at every click: the file stays here until the tab is closed. */
function saveLink(file, fileName, name) {
  const link = element('a', { class: 'button', href: URL.createObjectURL(file), download: fileName, 'aria-label': `${words.drop.save}: ${name}` }, words.drop.save);
  link.click();
  return link;
}

function showJob(row, job) {
  if (!job.isRunning) return;
  job.speed.sample(job.received);
  row.progress(job.received, job.size, job.speed);
  row.row.dataset.received = job.received;
  if (receiver.state === 'reconnecting') row.note.textContent = words.drop.state.reconnecting;
}

/** All files in one archive, in a row of its own above them. */
async function fetchAll() {
  const files = receiver.files.map((file) => ({ ...file, path: safePath(file.name) }));
  const job = await shelf.archive(files, `${words.drop.archiveName}.zip`);
  if (!job) return;
  const row = new TransferRow(job.name, job.size);
  byId('archive').replaceChildren(row.row);
  byId('all').disabled = true;
  await follow(row, job.name, job, () => {});
  byId('all').disabled = false;
}

function say(text) {
  byId('announcement').replaceChildren(element('span', {}, text));
}
