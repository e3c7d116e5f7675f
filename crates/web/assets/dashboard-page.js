// The operator's dashboard: asks every two seconds while it is seen, shows, and does what its buttons say.

import * as api from './dashboard-api.js';
import { ask } from './dashboard-ask.js';
import { draw } from './dashboard-chart.js';
import { count, rate, span } from './dashboard-figures.js';
import { History } from './dashboard-history.js';
import { keep, write } from './dashboard-list.js';
import { Rates } from './dashboard-rates.js';
import { nameOf, showRooms, showUsers } from './dashboard-rooms.js';
import { showCertificates, showDialects, showRefusals, showWorkers } from './dashboard-server.js';
import { words } from './dashboard-words.js';
import { element } from './element.js';
import { fill, offerLanguages } from './strings.js';

const EVERY = 2_000;
const byId = (id) => document.getElementById(id);
const told = words.dashboard;
const [rates, history] = [new Rates(), new History()];
const question = { find: '', after: '', after_dialect: '', after_user: '' };
let [timer, asking, latest, remembered] = [0, null, null, false];

fill(document);
document.title = `${told.title} · ${words.product}`;
offerLanguages(byId('language'));
byId('find').placeholder = told.find;
byId('sign-in').addEventListener('submit', signIn);
byId('sign-out').addEventListener('click', signOut);
byId('find').addEventListener('input', () => turn({ find: byId('find').value.trim(), after: '', after_dialect: '', after_user: '' }));
byId('rooms-back').addEventListener('click', () => turn({ after: '', after_dialect: '' }));
byId('rooms-next').addEventListener('click', () => turn({ after: latest.rooms.next[0], after_dialect: latest.rooms.next[1] }));
byId('users-back').addEventListener('click', () => turn({ after_user: '' }));
byId('users-next').addEventListener('click', () => turn({ after_user: latest.users.next }));
for (const choice of document.querySelectorAll('[name="span"]')) choice.addEventListener('change', drawCharts);
document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : look()));
look();

/** Another part of everything. */
function turn(change) {
  Object.assign(question, change);
  look();
}

/** Asks now, and again later. A question that comes while another is under way is asked behind it. */
async function look() {
  clearTimeout(timer);
  if (asking) {
    asking.again = true;
    return;
  }
  asking = { again: false };
  const { signedOut } = await askOnce();
  const { again } = asking;
  asking = null;
  if (again) look();
  else if (!signedOut && !document.hidden) timer = setTimeout(look, EVERY);
}

async function askOnce() {
  try {
    if (!remembered) {
      history.begin((await api.history()).samples);
      remembered = true;
    }
    show(await api.status(question));
    return {};
  } catch (problem) {
    if (problem.status === 401) {
      showSignIn();
      return { signedOut: true };
    }
    byId('board').dataset.stale = 'true';
    say(problem.status === 0 ? told.silence : told.failed(problem.message));
    return {};
  }
}

function show(status) {
  const { server, sample, totals, rooms, users } = status;
  const board = byId('board');
  if (board.dataset.stale) say('');
  delete board.dataset.stale;
  board.hidden = false;
  byId('sign-in').hidden = true;
  byId('sign-out').hidden = !server.token;
  latest = status;
  rates.begin(sample[0]);
  history.push(sample);
  write(byId('server'), told.server(server.version, span(server.uptime), server.config ?? told.noConfig, server.engine, told.health[healthOf(server)]));
  showFigures(totals);
  drawCharts();
  write(byId('rooms-count'), told.roomsCount(count(rooms.total), count(rooms.matching), question.find));
  write(byId('users-count'), told.usersCount(count(users.total)));
  showRooms(byId('rooms'), rooms.list, rates, acts);
  showUsers(byId('users'), users.list, rates, acts);
  pages('rooms', question.after, rooms.next);
  pages('users', question.after_user, users.next);
  showWorkers(byId('workers'), status.workers, rates);
  showRefusals(byId('refusals'), status.refusals);
  showDialects(byId('dialects'), status.dialects);
  showCertificates(byId('certificates'), status.certificates);
}

function healthOf({ healthy, ready }) {
  if (!healthy) return 'stuck';
  return ready ? 'good' : 'ending';
}

/** Workers publish their counters twice a second: over the few seconds of a curve's last step, that does not show. */
function showFigures({ rooms, members, websockets, allocations }) {
  const { toPeers, toClients } = history.last(60);
  const speed = (points) => (points.length > 0 ? rate(points.at(-1)[1]) : '–');
  const figures = [
    ['rooms', count(rooms)], ['members', count(members)], ['websockets', count(websockets)], ['allocations', count(allocations)],
    ['toPeers', speed(toPeers)], ['toClients', speed(toClients)],
  ];
  const make = ([name]) => element('div', {}, element('dt', {}, told.figure[name]), element('dd', { id: `figure-${name}` }));
  keep(byId('figures'), figures, ([name]) => name, make, (item, [, value]) => write(item.lastElementChild, value));
}

function drawCharts() {
  const seconds = Number(document.querySelector('[name="span"]:checked').value);
  const { from, to, toPeers, toClients, allocations, members } = history.last(seconds);
  draw(byId('traffic-chart'), {
    title: told.traffic, from, to, written: rate,
    curves: [{ name: told.figure.toPeers, points: toPeers }, { name: told.figure.toClients, points: toClients }],
  });
  draw(byId('holdings-chart'), {
    title: told.people, from, to, written: count,
    curves: [{ name: told.figure.allocations, points: allocations }, { name: told.figure.members, points: members }],
  });
}

function pages(name, after, next) {
  byId(`${name}-pages`).hidden = !after && !next;
  byId(`${name}-back`).disabled = !after;
  byId(`${name}-next`).disabled = !next;
}

const acts = {
  close: (room) => act(told.askClose(room.room), told.close, () => api.closeRoom(room), told.closed(room.room)),
  kick: (room, member) => act(told.askKick(nameOf(member), room.room), told.kick, () => api.kick(room, member), told.kicked(nameOf(member), room.room)),
  end: (allocation) => {
    const name = allocation.relayed[0] ?? allocation.allocation;
    return act(told.askEnd(name), told.end, () => api.endAllocation(allocation), told.ended(name));
  },
};

async function act(text, yes, run, done) {
  if (!(await ask(text, yes))) return;
  try {
    await run();
    say(done);
  } catch (problem) {
    if (problem.status === 401) showSignIn();
    else say(problem.status === 404 ? told.gone : told.failed(problem.message));
  }
  look();
}

function showSignIn() {
  byId('board').hidden = true;
  byId('sign-out').hidden = true;
  byId('unsafe').hidden = window.isSecureContext;
  byId('sign-in').hidden = false;
  write(byId('server'), '');
  byId('token').focus();
}

async function signIn(submitted) {
  submitted.preventDefault();
  const field = byId('token');
  write(byId('sign-in-problem'), '');
  try {
    await api.signIn(field.value);
    field.value = '';
    say('');
    look();
  } catch (problem) {
    field.setAttribute('aria-invalid', String(problem.status === 401));
    write(byId('sign-in-problem'), problem.status === 401 ? told.wrongToken : told.silence);
    field.select();
  }
}

async function signOut() {
  await api.signOut().catch(() => {});
  showSignIn();
}

function say(text) {
  write(byId('status'), text);
}
