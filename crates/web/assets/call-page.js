// The call page: ties the call, the devices, the stage and the controls together.

import { keepAwake } from './awake.js';
import { Call } from './call.js';
import { connectControls, watchIdleness } from './controls.js';
import { toggleDetails, watchDetails } from './details.js';
import { openDoor } from './door.js';
import { canShare, copyLink, roomLink, shareLink } from './invitation.js';
import { Media } from './media.js';
import { readParameters, roomOf } from './parameters.js';
import { remember } from './recent.js';
import { Stage } from './stage.js';
import { words } from './strings.js';

const byId = (id) => document.getElementById(id);
const roomId = roomOf(location.pathname);
const parameters = readParameters(location.search);
const media = new Media(parameters);
const call = new Call({ roomId, parameters, media });
const stage = new Stage(roomId, roomLink());

openDoor(call);
connectCall();
connectMedia();
connectPage();
connectControls({
  microphone: () => toggle('audio', 'microphone'),
  camera: () => toggle('video', 'camera'),
  fullScreen: toggleFullScreen,
  details: toggleDetails,
  hangUp,
  rejoin: join,
  listen: () => stage.listen(),
  share: () => shareLink(document.title),
  copy: async () => stage.notice((await copyLink(byId('room-link'))) ? words.copied : words.copyFailed),
});
watchDetails(call, (path) => stage.showPath(path));
watchIdleness(byId('stage'));
stage.showCall(call);
prepare();

function connectCall() {
  call.addEventListener('state', () => {
    stage.showCall(call);
    stage.showMedia(media);
    stayAwake();
  });
  call.addEventListener('peer', () => stage.showPeerMedia(null));
  call.addEventListener('track', ({ detail }) => stage.addTrack(detail));
  call.addEventListener('said', ({ detail }) => detail?.posthouse && stage.showPeerMedia(detail.posthouse));
  call.addEventListener('notice', ({ detail }) => stage.notice(words[detail]));
}

function connectMedia() {
  media.addEventListener('change', () => stage.showMedia(media));
  byId('join').addEventListener('click', join);
  byId('try-devices').addEventListener('click', () => media.open());
  byId('share').hidden = !canShare();
  // Telephones may have full screen for nothing but a video of their own.
  byId('full-screen').hidden = !document.fullscreenEnabled;
}

function connectPage() {
  addEventListener('online', () => call.networkChanged());
  addEventListener('pagehide', () => {
    call.leaveWithPage();
    media.close();
  });
  document.addEventListener('fullscreenchange', () => stage.showFullScreen(document.fullscreenElement !== null));
  document.addEventListener('visibilitychange', stayAwake);
}

/** The devices are asked for before Join, so that the preview shows what the others will see. */
function prepare() {
  if (typeof RTCPeerConnection === 'undefined') media.problem = 'noWebrtc';
  else media.open();
  stage.showMedia(media);
}

function join() {
  remember(roomId);
  media.open();
  call.join();
}

async function hangUp() {
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  media.close();
  await call.hangUp();
}

function toggle(kind, name) {
  media.toggle(kind);
  if (media.track(kind)) stage.announce(words[`${name}${media.isOn(kind) ? 'On' : 'Off'}`]);
}

function toggleFullScreen() {
  const done = document.fullscreenElement ? document.exitFullscreen() : byId('stage').requestFullscreen();
  done.catch(() => {});
}

function stayAwake() {
  keepAwake(['connecting', 'connected', 'reconnecting'].includes(call.state));
}
