// The call page: ties the call, the devices, the stage and the panels together.

import { keepAwake } from './awake.js';
import { Booth } from './booth.js';
import { Call } from './call.js';
import { Chat } from './chat.js';
import { Details } from './details.js';
import { openDoor } from './door.js';
import { watchIdleness } from './idleness.js';
import { Media } from './media.js';
import { watchNetwork } from './network.js';
import { notice } from './notice.js';
import { closePanels, togglePanel } from './panels.js';
import { readParameters, roomOf } from './parameters.js';
import { IncomingParcel } from './parcel.js';
import { selectedPath } from './path.js';
import { remember } from './recent.js';
import { Stage } from './stage.js';
import { words } from './strings.js';

const INSIDE = ['joining', 'waiting', 'connecting', 'connected', 'reconnecting'];
const LOOK_EVERY = 2000;

const byId = (id) => document.getElementById(id);
const roomId = roomOf(location.pathname);
const parameters = readParameters(location.search);
const media = new Media(parameters);
const call = new Call({ roomId, parameters, media });
const stage = new Stage(roomId);
const details = new Details({
  facts: () => ({ room: roomId, state: call.state, signaling: call.signaling, since: call.since, ...call.messages }),
  connections: () => (call.peer ? [{ name: '', pc: call.peer.pc, setUp: call.setUp }] : []),
  diary: call.diary,
});
const chat = new Chat({ send: (text) => call.say(text), give: (file) => [[call.give(file), words.otherPerson]] });
const booth = new Booth(media, {
  details: () => details.toggle(),
  chat: () => togglePanel('chat', 'chat-text'),
  hangUp,
  rejoin: join,
  listen: () => stage.listen(),
});

openDoor(call, details);
connectCall();
connectPage();
showState();

function connectCall() {
  const on = (type, act) => call.addEventListener(type, ({ detail }) => act(detail));
  on('state', showState);
  on('peer', () => {
    stage.showPeerMedia(null);
    chat.show(false);
  });
  on('track', (track) => stage.addTrack(track));
  on('said', hear);
  on('parcel', take);
  on('countdown', (seconds) => stage.showCountdown(seconds));
  on('notice', (key) => notice(words[key]));
}

function connectPage() {
  byId('join').addEventListener('click', join);
  watchIdleness(byId('stage'));
  watchNetwork({ changed: () => call.networkChanged(), seen: () => call.seen() });
  addEventListener('pagehide', () => {
    call.leaveWithPage();
    media.close();
  });
  document.addEventListener('visibilitychange', stayAwake);
  setInterval(showPath, LOOK_EVERY);
}

function showState() {
  const inside = INSIDE.includes(call.state);
  stage.showCall(call);
  booth.show({ before: call.state === 'ready', inside });
  if (!inside) {
    closePanels();
    details.hide();
  }
  chat.show(call.talks);
  stayAwake();
  showPath();
}

async function showPath() {
  const { peer } = call;
  const path = peer?.connected ? await selectedPath(peer.pc).catch(() => null) : null;
  if (peer === call.peer) stage.showPath(path);
}

function hear(said) {
  if (said?.posthouse) stage.showPeerMedia(said.posthouse);
  if (typeof said?.text === 'string') chat.said({ name: words.otherPerson, text: said.text, own: said.own === true });
  chat.show(call.talks);
}

function take(channel) {
  IncomingParcel.from(channel).then((parcel) => chat.offered(parcel, words.otherPerson)).catch(() => channel.close());
}

function join() {
  remember(roomId);
  chat.clear();
  media.open();
  call.join();
}

async function hangUp() {
  booth.leave();
  await call.hangUp();
}

function stayAwake() {
  keepAwake(['connecting', 'connected', 'reconnecting'].includes(call.state));
}
