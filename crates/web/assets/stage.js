// What the call page shows. It knows the elements and the words; it decides nothing about the call.

import { icon } from './icon.js';
import { announce, hideNotice } from './notice.js';
import { speakAsChosen } from './speakers.js';
import { fill, words } from './strings.js';

const IN_ROOM = ['joining', 'waiting', 'connecting', 'connected', 'reconnecting'];
const WITH_PEER = ['connecting', 'connected', 'reconnecting'];
const ENDED = ['left', 'full', 'unreachable'];

const byId = (id) => document.getElementById(id);

export class Stage {
  #remote = new MediaStream();

  constructor(roomId) {
    fill(document);
    document.title = `${roomId} · ${words.product}`;
    byId('room').textContent = roomId;
  }

  /** Everything that follows from the state of the call. */
  showCall(call) {
    const { state } = call;
    const changed = byId('stage').dataset.state !== state;
    byId('stage').dataset.state = state;
    byId('status').textContent = words.state[state];
    show('status', state !== 'ready' && !ENDED.includes(state));
    show('ready', state === 'ready');
    show('waiting', state === 'waiting');
    show('controls', IN_ROOM.includes(state));
    show('ended', ENDED.includes(state));
    if (ENDED.includes(state)) this.#showEnd(call);
    if (!WITH_PEER.includes(state)) this.#clearRemote();
    this.#showRemote();
    if (changed) this.#focus(state);
  }

  addTrack(track) {
    this.#remote.addTrack(track);
    for (const change of ['mute', 'unmute', 'ended']) track.addEventListener(change, () => this.#showRemote());
    this.#showRemote();
    attach(byId('remote'), this.#remote);
    speakAsChosen(byId('remote'));
    byId('remote').play().then(() => show('listen', false)).catch(({ name }) => show('listen', name === 'NotAllowedError'));
  }

  listen() {
    byId('remote').play().then(() => show('listen', false)).catch(() => {});
  }

  /** What the other page says about its devices: `{audio, video, screen}`, or null for no word. */
  showPeerMedia(said) {
    const before = byId('stage').dataset.peerScreen === 'true';
    if (said?.screen && !before) announce(words.peerScreen);
    byId('stage').dataset.peerScreen = String(Boolean(said?.screen));
    byId('stage').dataset.peerCamera = said && !said.video ? 'off' : 'on';
    const text = said ? peerMediaText(said) : '';
    if (text && text !== byId('peer-media').textContent) announce(text);
    byId('peer-media').textContent = text;
    show('peer-media', text !== '');
    this.#showRemote();
  }

  /** Seconds until the server is asked again, or null while it is there. */
  showCountdown(seconds) {
    show('banner', seconds !== null);
    byId('banner').textContent = seconds === null ? '' : words.countdown(seconds);
  }

  showPath(path) {
    show('path', path !== null);
    if (!path) return;
    const chip = byId('path');
    const text = path.relayed ? words.path.relayed(path.protocol) : words.path.direct;
    if (chip.textContent !== text) {
      chip.replaceChildren(icon(path.relayed ? 'relayed' : 'direct'), text);
      chip.title = path.relayed ? words.path.relayedHint : words.path.directHint;
      chip.dataset.path = path.relayed ? 'relayed' : 'direct';
    }
  }

  #showEnd({ state, retrying, reason }) {
    byId('ended-title').textContent = words[`${state}Title`];
    byId('ended-text').textContent =
      state === 'full' && retrying ? words.fullRetrying
      : state === 'unreachable' && reason ? words.refusedText(reason)
      : words[`${state}Text`];
    byId('rejoin').textContent = state === 'left' ? words.rejoin : words.tryAgain;
    show('rejoin', !(state === 'full' && retrying));
    hideNotice();
  }

  #showRemote() {
    const stage = byId('stage');
    const picture = this.#remote.getVideoTracks().some((track) => !track.muted && track.readyState === 'live');
    const seen = picture && stage.dataset.peerCamera !== 'off';
    const there = WITH_PEER.includes(stage.dataset.state);
    stage.dataset.picture = String(there && seen);
    // The style sheet makes the video invisible, not absent: it still plays the sound.
    show('silhouette', there && !seen);
  }

  #clearRemote() {
    for (const track of this.#remote.getTracks()) this.#remote.removeTrack(track);
    show('listen', false);
    this.showPath(null);
    this.showPeerMedia(null);
  }

  /** Keyboard and screen reader users land where the next step is. */
  #focus(state) {
    if (state === 'ready') byId('join').focus({ preventScroll: true });
    else if (ENDED.includes(state)) byId(byId('rejoin').hidden ? 'new-room' : 'rejoin').focus({ preventScroll: true });
    else if (document.activeElement === document.body) buttons('microphone').at(-1).focus({ preventScroll: true });
  }
}

function show(id, visible) {
  byId(id).hidden = !visible;
}

function peerMediaText({ audio, video }) {
  if (audio) return video ? '' : words.peerCameraOff;
  return video ? words.peerMicrophoneOff : words.peerBothOff;
}

/** Only ever with a track in it: an empty stream would hold back the page's load event. */
function attach(video, stream) {
  if (video.srcObject !== stream) video.srcObject = stream;
}

function buttons(act) {
  return [...document.querySelectorAll(`[data-act="${act}"]`)];
}
