// The page of a meeting: ties the meeting, the devices, the grid and the panels together.

import { keepAwake } from './awake.js';
import { Booth } from './booth.js';
import { Chat } from './chat.js';
import { Details } from './details.js';
import { Grid } from './grid.js';
import { Media } from './media.js';
import { Meeting } from './meeting.js';
import { watchNetwork } from './network.js';
import { announce, notice } from './notice.js';
import { closePanels, togglePanel } from './panels.js';
import { readParameters, roomOf } from './parameters.js';
import { IncomingParcel } from './parcel.js';
import { showPeople } from './people.js';
import { remember } from './recent.js';
import { fill, words } from './strings.js';
import { lastName, visitOf } from './visit.js';

const ENDED = ['left', 'full', 'locked', 'denied', 'kicked', 'closed', 'replaced', 'unreachable'];
const BEFORE = ['ready', 'passphrase'];

const byId = (id) => document.getElementById(id);
const show = (id, visible) => { byId(id).hidden = !visible; };
fill(document);
const roomId = roomOf(location.pathname);
const parameters = readParameters(location.search);
const media = new Media(parameters);
const meeting = new Meeting({ roomId, people: people(), parameters, media });
const grid = new Grid(byId('grid'));
const details = new Details({
  facts: () => ({ room: roomId, state: meeting.state, signaling: meeting.room?.connection === 'open', since: meeting.since, ...meeting.messages }),
  connections: () => meeting.connections,
  diary: meeting.diary,
});
const chat = new Chat({ send: (text) => meeting.say(text), give: (file) => meeting.give(file) });
const booth = new Booth(media, {
  people: () => togglePanel('people'),
  chat: () => togglePanel('chat', 'chat-text'),
  details: () => details.toggle(),
  hangUp: leave,
  rejoin: () => enter(byId('name').value),
});

document.title = `${roomId} · ${words.product}`;
byId('room').textContent = roomId;
byId('name').value = lastName();
openDoor();
connectMeeting();
connectPanels();
prepare();

/** For how many the link asks: `?people=4`; where the page itself is for many, four. The operator's capacity goes for the rest. */
function people() {
  const asked = Number(new URLSearchParams(location.search).get('people'));
  if (Number.isInteger(asked) && asked >= 2) return asked;
  return location.pathname.startsWith('/meet/') ? 4 : null;
}

function prepare() {
  const visit = visitOf(roomId);
  showState();
  // A reload is no new visit.
  if (visit !== null && booth.canCall) meeting.join(visit);
}

function connectMeeting() {
  const on = (type, act) => meeting.addEventListener(type, ({ detail }) => act(detail));
  on('state', showState);
  on('countdown', showState);
  on('people', () => {
    grid.show(meeting.room.members);
    showPeople(meeting, acts);
  });
  on('peer', (peer) => {
    grid.add(peer);
    grid.show(meeting.room.members);
  });
  on('peer-gone', (peer) => {
    grid.remove(peer);
    chat.show(meeting.talks);
  });
  on('track', (track) => grid.addTrack(track));
  on('path', () => {
    grid.look();
    chat.show(meeting.talks);
  });
  on('said', (said) => chat.said(said));
  on('parcel', ({ channel, name }) => {
    IncomingParcel.from(channel).then((parcel) => chat.offered(parcel, name)).catch(() => channel.close());
  });
  on('notice', ({ key, name }) => notice(words.meet[key](name || words.meet.nobody)));
  on('heard', ({ key, name }) => announce(words.meet[key](name || words.meet.nobody)));
}

const acts = Object.fromEntries(['admit', 'deny', 'kick'].map((act) => [act, (member) => ask(meeting.room[act](member))]));

function connectPanels() {
  byId('join-form').addEventListener('submit', (event) => {
    event.preventDefault();
    enter(byId('name').value);
  });
  byId('lock').addEventListener('change', ({ target }) => ask(target.checked ? meeting.room.lock() : meeting.room.unlock()));
  byId('knocking').addEventListener('change', ({ target }) => ask(meeting.room.setKnock(target.checked)));
  document.addEventListener('visibilitychange', stayAwake);
  watchNetwork({ changed: () => meeting.networkChanged(), seen: () => meeting.seen() });
}

function stayAwake() {
  keepAwake(['connected', 'reconnecting'].includes(meeting.state));
}

/** A refusal is told in the server's words: it is for the one who asked. */
function ask(request) {
  request.catch(({ message }) => notice(words.refusedText(message)));
}

function enter(name) {
  remember(location.pathname.startsWith('/meet/') ? location.pathname : roomId);
  chat.clear();
  media.open();
  meeting.join(name.trim(), byId('passphrase').value);
}

async function leave() {
  const left = meeting.leave();
  booth.leave();
  await left;
}

function showState() {
  const { state, seconds } = meeting;
  const stage = byId('stage');
  const changed = stage.dataset.state !== state;
  stage.dataset.state = state;
  const before = BEFORE.includes(state);
  const inside = !before && !ENDED.includes(state);
  byId('status').textContent =
    state === 'reconnecting' && seconds !== null ? words.meet.countdown(seconds) : (words.meet.state[state] ?? '');
  show('status', inside);
  show('ready', before);
  show('passphrase-row', state === 'passphrase');
  show('waiting', state === 'waiting');
  show('grid', inside);
  show('controls', inside);
  show('ended', ENDED.includes(state));
  booth.show({ before, inside });
  if (!inside) {
    closePanels();
    details.hide();
  }
  chat.show(meeting.talks);
  if (!inside || state === 'joining') grid.clear();
  if (ENDED.includes(state)) showEnd(state);
  stayAwake();
  if (changed) focus(state);
}

function showEnd(state) {
  byId('ended-title').textContent = words.meet.end[state].title;
  byId('ended-text').textContent = words.meet.end[state].text;
  byId('rejoin').textContent = state === 'left' ? words.rejoin : words.tryAgain;
}

/** Keyboard and screen reader users land where the next step is. */
function focus(state) {
  const next = state === 'ready' ? 'name' : state === 'passphrase' ? 'passphrase' : ENDED.includes(state) ? 'rejoin' : null;
  if (next) byId(next).focus({ preventScroll: true });
}

/** `window.posthouse`: a look inside for debugging and tests. Read only; nothing on the page depends on it. */
function openDoor() {
  window.posthouse = Object.freeze({
    get state() { return meeting.state; },
    get room() { return meeting.room; },
    get peers() { return meeting.peers; },
    numbers: () => details.numbers(),
  });
}
