// What the call page shows. It knows the elements and the words; it decides nothing about the call.

import { fill, label, words } from './strings.js';

const NOTICE_TIME = 4500;
const IN_ROOM = ['joining', 'waiting', 'connecting', 'connected', 'reconnecting'];
const WITH_PEER = ['connecting', 'connected', 'reconnecting'];
const ENDED = ['left', 'full', 'unreachable'];

const byId = (id) => document.getElementById(id);

export class Stage {
  #remote = new MediaStream();
  #noticeTimer = 0;
  #icons = byId('silhouette').querySelector('use').getAttribute('href').split('#')[0];

  constructor(roomId, link) {
    fill(document);
    document.title = `${roomId} · ${words.product}`;
    byId('room').textContent = roomId;
    byId('room-link').value = link;
    byId('room-link').addEventListener('focus', ({ target }) => target.select());
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

  showMedia(media) {
    const camera = media.isOn('video');
    for (const id of ['preview', 'self']) {
      if (camera) attach(byId(id), media.stream);
      byId(id).hidden = !camera;
    }
    show('no-preview', !camera);
    show('self-frame', camera && IN_ROOM.includes(byId('stage').dataset.state));
    this.#showSwitch('microphone', media.isOn('audio'), media.track('audio'), 'mic');
    this.#showSwitch('camera', camera, media.track('video'), 'camera');
    this.#showProblem(media);
  }

  addTrack(track) {
    this.#remote.addTrack(track);
    for (const change of ['mute', 'unmute', 'ended']) track.addEventListener(change, () => this.#showRemote());
    this.#showRemote();
    attach(byId('remote'), this.#remote);
    byId('remote').play().then(() => show('listen', false)).catch(({ name }) => show('listen', name === 'NotAllowedError'));
  }

  listen() {
    byId('remote').play().then(() => show('listen', false)).catch(() => {});
  }

  /** What the other page says about its devices: `{audio, video}`, or null for no word. */
  showPeerMedia(said) {
    byId('stage').dataset.peerCamera = said && !said.video ? 'off' : 'on';
    const text = said ? peerMediaText(said) : '';
    byId('peer-media').textContent = text;
    show('peer-media', text !== '');
    this.#showRemote();
  }

  showPath(path) {
    show('path', path !== null);
    if (!path) return;
    const chip = byId('path');
    const text = path.relayed ? words.path.relayed(path.protocol) : words.path.direct;
    if (chip.textContent !== text) {
      chip.replaceChildren(this.#icon(path.relayed ? 'relayed' : 'direct'), text);
      chip.title = path.relayed ? words.path.relayedHint : words.path.directHint;
      chip.dataset.path = path.relayed ? 'relayed' : 'direct';
    }
  }

  /** A passing word, seen and heard. */
  notice(text) {
    byId('notice').textContent = text;
    show('notice', true);
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => show('notice', false), NOTICE_TIME);
  }

  /** A word for screen readers only: the page shows it in another way. */
  announce(text) {
    byId('announcement').textContent = text;
  }

  showFullScreen(on) {
    for (const button of buttons('fullScreen')) {
      button.setAttribute('aria-pressed', String(on));
      this.#setIcon(button, on ? 'shrink' : 'enlarge');
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
    show('notice', false);
  }

  #showProblem(media) {
    const { problem } = media;
    const consequence =
      media.track('audio') ? words.joinUnseen : media.track('video') ? words.joinUnheard : words.joinAnyway;
    byId('problem').textContent = problem ? `${words.problem[problem]} ${problem === 'noWebrtc' ? '' : consequence}` : '';
    show('try-devices', problem !== null && !['insecure', 'unsupported', 'noWebrtc'].includes(problem));
    byId('join').disabled = problem === 'noWebrtc';
  }

  #showSwitch(act, on, track, icon) {
    for (const button of buttons(act)) {
      button.setAttribute('aria-pressed', String(on));
      button.disabled = track === null;
      label(button, words[act]);
      this.#setIcon(button, on ? icon : `${icon}-off`);
    }
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

  #setIcon(button, name) {
    button.querySelector('use').setAttribute('href', `${this.#icons}#${name}`);
  }

  #icon(name) {
    const namespace = 'http://www.w3.org/2000/svg';
    const icon = document.createElementNS(namespace, 'svg');
    icon.setAttribute('class', 'icon');
    icon.setAttribute('aria-hidden', 'true');
    icon.append(document.createElementNS(namespace, 'use'));
    icon.firstChild.setAttribute('href', `${this.#icons}#${name}`);
    return icon;
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
