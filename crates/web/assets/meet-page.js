// The page of a meeting: ties the meeting, the devices, the grid and the panels together.

import { keepAwake } from './awake.js';
import { connectControls } from './controls.js';
import { element } from './element.js';
import { Grid } from './grid.js';
import { canShare, copyLink, roomLink, shareLink } from './invitation.js';
import { Media } from './media.js';
import { Meeting } from './meeting.js';
import { readParameters, roomOf } from './parameters.js';
import { showPeople } from './people.js';
import { remember } from './recent.js';
import { fill, label, words } from './strings.js';
import { lastName, visitOf } from './visit.js';

const ENDED = ['left', 'full', 'locked', 'denied', 'kicked', 'closed', 'replaced', 'unreachable'];
const BEFORE = ['ready', 'passphrase'];
const NOTICE_TIME = 4500;

const byId = (id) => document.getElementById(id);
const show = (id, visible) => { byId(id).hidden = !visible; };
const roomId = roomOf(location.pathname);
const parameters = readParameters(location.search);
const media = new Media(parameters);
const meeting = new Meeting({ roomId, people: people(), parameters, media });
const grid = new Grid(byId('grid'));
const icons = document.querySelector('use').getAttribute('href').split('#')[0];
let noticeTimer = 0;

fill(document);
document.title = `${roomId} · ${words.product}`;
byId('room').textContent = roomId;
byId('room-link').value = roomLink();
byId('name').value = lastName();
openDoor();
connectMeeting();
connectPanels();
connectControls({
  microphone: () => toggle('audio', 'microphone'),
  camera: () => toggle('video', 'camera'),
  people: () => togglePanel('people'),
  chat: () => togglePanel('chat'),
  fullScreen,
  hangUp: leave,
  rejoin: () => enter(byId('name').value),
  share: () => shareLink(document.title),
  copy: async () => notice((await copyLink(byId('room-link'))) ? words.copied : words.copyFailed),
});
prepare();

/** For how many the link asks: `?people=4`; where the page itself is for many, four. The operator's capacity goes for the rest. */
function people() {
  const asked = Number(new URLSearchParams(location.search).get('people'));
  if (Number.isInteger(asked) && asked >= 2) return asked;
  return location.pathname.startsWith('/meet/') ? 4 : null;
}

function prepare() {
  const visit = visitOf(roomId);
  show('share', canShare());
  show('full-screen', document.fullscreenEnabled);
  if (typeof RTCPeerConnection === 'undefined') media.problem = 'noWebrtc';
  else media.open();
  showState();
  showMedia();
  // A reload is no new visit.
  if (visit !== null && media.problem !== 'noWebrtc') meeting.join(visit);
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
  on('peer-gone', (peer) => grid.remove(peer));
  on('track', (track) => grid.addTrack(track));
  on('path', () => grid.look());
  on('said', showSaid);
  on('notice', ({ key, name }) => notice(words.meet[key](name || words.meet.nobody)));
  media.addEventListener('change', showMedia);
}

const acts = Object.fromEntries(['admit', 'deny', 'kick'].map((act) => [act, (member) => ask(meeting.room[act](member))]));

function connectPanels() {
  byId('join-form').addEventListener('submit', (event) => {
    event.preventDefault();
    enter(byId('name').value);
  });
  byId('try-devices').addEventListener('click', () => media.open());
  byId('lock').addEventListener('change', ({ target }) => ask(target.checked ? meeting.room.lock() : meeting.room.unlock()));
  byId('knocking').addEventListener('change', ({ target }) => ask(meeting.room.setKnock(target.checked)));
  byId('chat-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const text = byId('chat-text').value.trim();
    if (text) meeting.say(text);
    byId('chat-text').value = '';
  });
  document.addEventListener('visibilitychange', stayAwake);
  document.addEventListener('fullscreenchange', () => {
    const on = document.fullscreenElement !== null;
    byId('full-screen').setAttribute('aria-pressed', String(on));
    setIcon(byId('full-screen'), on ? 'shrink' : 'enlarge');
  });
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
  media.open();
  meeting.join(name.trim(), byId('passphrase').value);
}

async function leave() {
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  const left = meeting.leave();
  media.close();
  await left;
}

function showState() {
  const { state, seconds } = meeting;
  const stage = byId('stage');
  const changed = stage.dataset.state !== state;
  stage.dataset.state = state;
  const inside = !BEFORE.includes(state) && !ENDED.includes(state);
  byId('status').textContent =
    state === 'reconnecting' && seconds !== null ? words.meet.countdown(seconds) : (words.meet.state[state] ?? '');
  show('status', inside);
  show('ready', BEFORE.includes(state));
  show('passphrase-row', state === 'passphrase');
  show('waiting', state === 'waiting');
  show('grid', inside);
  show('controls', inside);
  show('ended', ENDED.includes(state));
  if (!inside) for (const id of ['people', 'chat']) closePanel(id);
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

function showMedia() {
  const camera = media.isOn('video');
  for (const id of ['preview', 'self']) {
    if (camera && byId(id).srcObject !== media.stream) byId(id).srcObject = media.stream;
    byId(id).hidden = !camera;
  }
  show('no-preview', !camera);
  byId('self-tile').dataset.camera = camera ? 'on' : 'off';
  for (const [act, kind, icon] of [['microphone', 'audio', 'mic'], ['camera', 'video', 'camera']]) {
    for (const button of document.querySelectorAll(`[data-act="${act}"]`)) {
      button.setAttribute('aria-pressed', String(media.isOn(kind)));
      button.disabled = media.track(kind) === null;
      label(button, words[act]);
      setIcon(button, media.isOn(kind) ? icon : `${icon}-off`);
    }
  }
  showProblem();
}

function showProblem() {
  const { problem } = media;
  const consequence = media.track('audio') ? words.joinUnseen : media.track('video') ? words.joinUnheard : words.joinAnyway;
  byId('problem').textContent = problem ? `${words.problem[problem]} ${problem === 'noWebrtc' ? '' : consequence}` : '';
  show('try-devices', problem !== null && !['insecure', 'unsupported', 'noWebrtc'].includes(problem));
  byId('join').disabled = problem === 'noWebrtc';
}

function showSaid({ name, text, own }) {
  const who = own ? words.meet.you : name || words.meet.nobody;
  byId('chat-log').append(element('p', { class: own ? 'own' : false }, element('b', {}, who), ` ${text}`));
  byId('chat-log').lastElementChild.scrollIntoView({ block: 'nearest' });
  if (byId('chat').hidden && !own) notice(`${who}: ${text}`);
}

function toggle(kind, name) {
  media.toggle(kind);
  if (media.track(kind)) byId('announcement').textContent = words[`${name}${media.isOn(kind) ? 'On' : 'Off'}`];
}

function togglePanel(id) {
  const opens = byId(id).hidden;
  for (const one of ['people', 'chat']) closePanel(one);
  if (!opens) return;
  show(id, true);
  document.querySelector(`[data-act="${id}"]`).setAttribute('aria-pressed', 'true');
  if (id === 'chat') byId('chat-text').focus();
}

function closePanel(id) {
  show(id, false);
  document.querySelector(`[data-act="${id}"]`).setAttribute('aria-pressed', 'false');
}

function fullScreen() {
  const done = document.fullscreenElement ? document.exitFullscreen() : byId('stage').requestFullscreen();
  done.catch(() => {});
}

function notice(text) {
  byId('notice').textContent = text;
  show('notice', true);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => show('notice', false), NOTICE_TIME);
}

function setIcon(button, name) {
  button.querySelector('use').setAttribute('href', `${icons}#${name}`);
}

/** `window.posthouse`: a look inside for debugging and tests. Read only; nothing on the page depends on it. */
function openDoor() {
  window.posthouse = Object.freeze({
    get state() { return meeting.state; },
    get room() { return meeting.room; },
    get peers() { return meeting.peers; },
  });
}
