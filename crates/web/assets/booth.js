// What the two pages with calls have in common: devices, screen, self view, menu, keys, invitation. It knows their elements, and nothing of who
// is at the other end.

import { openDialog } from './dialog.js';
import { deviceMenus } from './device-menus.js';
import { devicesOf, watchDevices } from './devices.js';
import { setIcon } from './icon.js';
import { canShare, copyLink, openInvitation, roomLink, shareLink } from './invitation.js';
import { connectKeys, showKeys } from './keys.js';
import { Lobby } from './lobby.js';
import { buildMenu } from './menu.js';
import { announce, notice } from './notice.js';
import { canShareScreen } from './screen.js';
import { speakThrough } from './speakers.js';
import { label, words } from './strings.js';

const byId = (id) => document.getElementById(id);
const buttons = (act) => [...document.querySelectorAll(`[data-act="${act}"]`)];
const HOPELESS = ['insecure', 'unsupported', 'noWebrtc'];

export class Booth {
  #media;
  #lobby;
  #inside = false;

  /** `acts`: what the page itself does at its buttons, by name. */
  constructor(media, acts) {
    this.#media = media;
    byId('room-link').value = roomLink();
    byId('room-link').addEventListener('focus', ({ target }) => target.select());
    byId('share').hidden = !canShare();
    byId('try-devices').addEventListener('click', () => media.open());
    buildMenu(byId('more'), byId('more-opener'));
    connectKeys({ ...this.#acts(), ...acts });
    this.#lobby = new Lobby(byId('lobby'), media);
    // Telephones may have full screen for nothing but a video of their own.
    for (const button of buttons('fullScreen')) button.hidden = !document.fullscreenEnabled;
    for (const button of buttons('screen')) button.hidden = !canShareScreen() || !media.sends('video');
    this.#listen();
    if (typeof RTCPeerConnection === 'undefined') media.problem = 'noWebrtc';
    else media.open();
    this.showMedia();
  }

  get canCall() {
    return this.#media.problem !== 'noWebrtc';
  }

  /** `before`: the user has not asked to come in yet; `inside`: is in the room, or on the way. */
  show({ before, inside }) {
    this.#inside = inside;
    this.#lobby.show(before);
    this.showMedia();
  }

  showMedia() {
    const media = this.#media;
    const seen = media.screen !== null || media.isOn('video');
    this.#showSelf(seen);
    byId('no-preview').hidden = seen;
    this.#showSwitch('microphone', media.isOn('audio'), media.track('audio'), 'mic');
    this.#showSwitch('camera', media.isOn('video'), media.track('video'), 'camera');
    for (const button of buttons('screen')) {
      button.setAttribute('aria-pressed', String(media.screen !== null));
      label(button, media.screen ? words.stopScreen : words.screen);
    }
    this.#showProblem();
  }

  leave() {
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    this.#media.close();
  }

  #acts() {
    return {
      microphone: () => this.#toggle('audio', 'microphone'),
      camera: () => this.#toggle('video', 'camera'),
      screen: () => this.#toggleScreen(),
      flip: () => this.#media.flip(),
      devices: () => this.#openDevices(),
      selfView: () => this.#toggleSelf(),
      fullScreen: () => this.#toggleFullScreen(),
      invite: openInvitation,
      share: shareLink,
      copy: async () => notice(await copyLink(byId('room-link'))),
      help: showKeys,
    };
  }

  #listen() {
    const media = this.#media;
    media.addEventListener('change', () => this.showMedia());
    media.addEventListener('lost', ({ detail }) => notice(words.device.lost(detail.label)));
    document.addEventListener('fullscreenchange', () => {
      const on = document.fullscreenElement !== null;
      for (const button of buttons('fullScreen')) {
        button.setAttribute('aria-pressed', String(on));
        setIcon(button, on ? 'shrink' : 'enlarge');
      }
    });
    for (const button of buttons('selfView')) button.setAttribute('aria-pressed', 'true');
    this.#offerFlip();
    watchDevices(() => this.#offerFlip());
    media.addEventListener('change', () => this.#offerFlip());
  }

  #openDevices() {
    const open = new AbortController();
    const dialog = openDialog(words.devices, deviceMenus(this.#media, speakThrough, open.signal));
    dialog.addEventListener('close', () => open.abort());
  }

  #toggle(kind, name) {
    this.#media.toggle(kind);
    if (this.#media.track(kind)) announce(words[`${name}${this.#media.isOn(kind) ? 'On' : 'Off'}`]);
  }

  async #toggleScreen() {
    const media = this.#media;
    if (media.screen) return media.stopScreen();
    try {
      if (await media.shareScreen()) announce(words.screenOn);
    } catch {
      notice(words.screenFailed);
    }
    return undefined;
  }

  #toggleSelf() {
    const shown = byId('stage').dataset.self === 'off';
    byId('stage').dataset.self = shown ? 'on' : 'off';
    for (const button of buttons('selfView')) button.setAttribute('aria-pressed', String(shown));
    announce(shown ? words.selfViewOn : words.selfViewOff);
  }

  #toggleFullScreen() {
    const done = document.fullscreenElement ? document.exitFullscreen() : byId('stage').requestFullscreen();
    done.catch(() => {});
  }

  /** Only where a finger holds the device, and it has a camera on each side. */
  async #offerFlip() {
    const offered = matchMedia('(pointer: coarse)').matches && (await devicesOf('video')).length > 1;
    for (const button of buttons('flip')) button.hidden = !offered;
  }

  /** What the others see, except that a face is shown as in a mirror. */
  #showSelf(seen) {
    const media = this.#media;
    const mirrored = media.screen === null && media.track('video')?.getSettings().facingMode !== 'environment';
    for (const video of [byId('preview'), byId('self')]) {
      if (seen) show(video, media.sent('video'));
      video.hidden = !seen;
      video.classList.toggle('mirrored', mirrored);
    }
    byId('stage').dataset.screen = String(media.screen !== null);
    const frame = byId('self-frame');
    if (frame) frame.hidden = !(seen && this.#inside);
    const tile = byId('self-tile');
    if (tile) Object.assign(tile.dataset, { camera: seen ? 'on' : 'off', screen: String(media.screen !== null) });
  }

  #showSwitch(act, on, track, drawing) {
    for (const button of buttons(act)) {
      button.setAttribute('aria-pressed', String(on));
      button.disabled = track === null;
      label(button, words[act]);
      setIcon(button, on ? drawing : `${drawing}-off`);
    }
  }

  /** In the room there is no place for it but a passing word. */
  #showProblem() {
    const media = this.#media;
    const { problem } = media;
    const consequence = media.track('audio') ? words.joinUnseen : media.track('video') ? words.joinUnheard : words.joinAnyway;
    const text = problem ? words.problem[problem] : '';
    if (this.#inside && text && byId('problem').dataset.told !== problem) notice(text);
    byId('problem').dataset.told = problem ?? '';
    byId('problem').textContent = text && problem !== 'noWebrtc' ? `${text} ${consequence}` : text;
    byId('try-devices').hidden = problem === null || HOPELESS.includes(problem);
    byId('join').disabled = problem === 'noWebrtc';
  }
}

/** Only ever with a track in it: an empty stream would hold back the page's load event. */
function show(video, track) {
  if (video.srcObject?.getVideoTracks()[0] !== track) video.srcObject = new MediaStream([track]);
}
