// The learning page: three buttons, and what happens behind each of them.

import { drawnStream } from './drawing.js';
import { element } from './element.js';
import { iceConfig } from './ice-config.js';
import { Lesson } from './lesson.js';
import { fill, offerLanguages, words } from './strings.js';

const STATES = ['signalingState', 'iceGatheringState', 'iceConnectionState', 'connectionState'];
const SIDES = ['caller', 'callee'];

const byId = (id) => document.getElementById(id);
const lesson = new Lesson();
let stream = null;

fill(document);
document.title = `${words.learn.title} · ${words.product}`;
offerLanguages(byId('language'));
byId('start').addEventListener('click', start);
byId('call').addEventListener('click', () => call().catch(stumble));
byId('hang-up').addEventListener('click', hangUp);
connectLesson();
prepare();

function connectLesson() {
  lesson.addEventListener('step', ({ detail }) => showStep(detail));
  lesson.addEventListener('state', showStates);
  lesson.addEventListener('candidate', ({ detail }) => showCandidate(detail));
  lesson.addEventListener('track', ({ detail }) => {
    const video = byId('callee-video');
    video.srcObject ??= new MediaStream();
    video.srcObject.addTrack(detail);
  });
}

function prepare() {
  showStates();
  if (typeof RTCPeerConnection !== 'undefined') return;
  offer(null);
  byId('problem').textContent = words.learn.noWebrtc;
}

/** Offers one button and takes the others back; whoever stood on one of those stands on the next step. */
function offer(next) {
  const stood = ['start', 'call', 'hang-up'].includes(document.activeElement?.id) || document.activeElement === document.body;
  for (const id of ['start', 'call', 'hang-up']) byId(id).disabled = id !== next;
  byId('choice').disabled = next === 'hang-up' || next === null;
  if (next && stood) byId(next).focus({ preventScroll: true });
}

async function start() {
  byId('start').disabled = true;
  clear();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: { ideal: 640 }, height: { ideal: 360 } } });
    showStep({ name: 'media', values: {} });
  } catch {
    stream = drawnStream();
    showStep({ name: 'drawn', values: {} });
  }
  byId('caller-video').srcObject = stream;
  offer('call');
}

async function call() {
  // Read first: what is disabled is no part of a form's data.
  const choice = new FormData(byId('choices')).get('servers');
  offer('hang-up');
  clear();
  byId('callee-video').srcObject = null;
  const servers = choice === 'none' ? [] : await issuedServers();
  if (byId('hang-up').disabled) return;
  await lesson.call(stream, servers, choice === 'relay' ? 'relay' : 'all');
}

async function issuedServers() {
  const { servers } = await iceConfig().catch(() => ({ servers: [] }));
  showStep(servers.length ? { name: 'servers', values: { count: servers.length } } : { name: 'noServersGiven', values: {} });
  return servers;
}

function hangUp() {
  lesson.hangUp();
  byId('callee-video').srcObject = null;
  offer('call');
}

function stumble({ message }) {
  // Hanging up in the middle of a step makes that step fail.
  if (!byId('hang-up').disabled) showStep({ name: 'error', values: { message } });
}

/** How the picture was come by stays true for the next call. */
function clear() {
  byId('steps').replaceChildren(...byId('steps').querySelectorAll('[data-step="media"], [data-step="drawn"]'));
  for (const side of SIDES) byId(`${side}-candidates`).replaceChildren();
}

function showStep({ name, values, sdp }) {
  const word = words.learn.step[name];
  const text = typeof word === 'function' ? word(values) : word;
  const item = element('li', { 'data-step': name }, element('p', {}, text));
  if (sdp) item.append(element('details', {}, element('summary', {}, 'SDP'), element('pre', { tabindex: '0', 'aria-label': 'SDP' }, sdp)));
  byId('steps').append(item);
  byId('status').textContent = text;
}

function showStates() {
  byId('states').replaceChildren(...STATES.map((state) => {
    const cells = SIDES.map((side) => element('td', { 'data-side': side, 'data-state': state }, lesson[side]?.[state] ?? words.learn.none));
    return element('tr', {}, element('th', { scope: 'row' }, state), ...cells);
  }));
}

function showCandidate({ side, candidate }) {
  const { type, protocol, address, port } = candidate;
  const text = [type, protocol, address && `${address}:${port}`].filter(Boolean).join(' ');
  byId(`${side}-candidates`).append(element('li', { 'data-type': type, title: candidate.candidate }, text));
}
