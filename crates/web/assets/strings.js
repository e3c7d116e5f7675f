// Every word that the pages say, in one place, so that a translation is one file.
// A value is a text or a function that makes one; `fill` writes the texts that the HTML asks for by name.

export const words = {
  product: 'Posthouse',
  tagline: 'Rooms for calls that simply connect.',
  roomName: 'Room name',
  roomHint: 'Letters, digits, “-” and “_”. Whoever knows the name can join, so make it hard to guess.',
  roomTooShort: 'A room name has at least 5 characters.',
  roomTooLong: 'A room name has at most 128 characters.',
  roomIllegal: 'A room name is made of letters, digits, “-” and “_” only.',
  openRoom: 'Open room',
  random: 'Random name',
  recent: 'Recent rooms',
  forget: 'Forget these',

  readyTitle: 'Ready to join?',
  join: 'Join',
  preview: 'Your camera preview',
  noPreview: 'Camera is off',
  joinAnyway: 'You can still join: you will see and hear the others.',
  joinUnseen: 'You can still join: you will be heard, but not seen.',
  joinUnheard: 'You can still join: you will be seen, but not heard.',
  tryDevices: 'Try again with camera and microphone',

  microphone: 'Microphone',
  camera: 'Camera',
  fullScreen: 'Full screen',
  copyLink: 'Copy link',
  copied: 'Link copied',
  copyFailed: 'Copying was not allowed. Select the link and copy it by hand.',
  share: 'Share…',
  details: 'Details',
  hangUp: 'Hang up',
  rejoin: 'Rejoin',
  newRoom: 'New room',
  tryAgain: 'Try again',
  listen: 'Turn the sound on',
  controls: 'Call controls',
  remoteVideo: 'Video of the other person',
  selfVideo: 'Your own video',
  link: 'Link to this room',

  waitingTitle: 'Nobody else is here yet',
  waitingText: 'Send this link to the person you want to meet. The call starts when they join.',
  leftTitle: 'You left the room',
  leftText: 'Your camera and microphone are off.',
  fullTitle: 'This room is full',
  fullText: 'All its seats are taken.',
  fullRetrying: 'All its seats are taken. Asking again, in case somebody just lost their connection…',
  unreachableTitle: 'The server did not answer',
  unreachableText: 'Check your network connection and try again.',
  refusedText: (result) => `The server refused: ${result}.`,

  state: {
    ready: 'Not joined',
    joining: 'Joining…',
    waiting: 'Waiting for somebody to join',
    connecting: 'Connecting…',
    connected: 'Connected',
    reconnecting: 'Connection interrupted, reconnecting…',
    left: 'You left the room',
    full: 'The room is full',
    unreachable: 'The server did not answer',
  },
  peerLeft: 'The other person left.',
  signalingLost: 'No connection to the server. The call goes on; reconnecting…',
  signalingBack: 'Connected to the server again.',

  path: {
    direct: 'Direct',
    relayed: (protocol) => (protocol ? `Relayed over ${protocol}` : 'Relayed'),
    directHint: 'Sound and picture go straight to the other person.',
    relayedHint: 'Sound and picture pass through a relay server, encrypted from end to end.',
  },
  peerMicrophoneOff: 'Their microphone is off',
  peerCameraOff: 'Their camera is off',
  peerBothOff: 'Their microphone and camera are off',
  microphoneOn: 'Microphone on',
  microphoneOff: 'Microphone off',
  cameraOn: 'Camera on',
  cameraOff: 'Camera off',

  problem: {
    insecure: 'Browsers give camera and microphone only to pages opened with https or on localhost. Open this room with https to be seen and heard.',
    unsupported: 'This browser cannot use a camera or microphone here.',
    denied: 'Camera and microphone are blocked for this site. Allow them in the address bar or in the browser’s site settings, then try again.',
    cameraDenied: 'The camera is blocked for this site. Allow it in the address bar or in the browser’s site settings, then try again.',
    microphoneDenied: 'The microphone is blocked for this site. Allow it in the address bar or in the browser’s site settings, then try again.',
    missing: 'No camera or microphone was found. Plug one in, then try again.',
    cameraMissing: 'No camera was found.',
    microphoneMissing: 'No microphone was found.',
    busy: 'The camera or microphone is used by another program. Close that program, then try again.',
    failed: 'The camera or microphone could not be started.',
    noWebrtc: 'This browser cannot make calls: it has no WebRTC, or it is switched off.',
  },

  detail: {
    room: 'Room',
    state: 'Connection',
    signaling: 'Signaling',
    path: 'Path',
    candidates: 'Candidates',
    delay: 'Round trip',
    received: 'Receiving',
    sent: 'Sending',
    duration: 'Call time',
    none: '–',
    milliseconds: (value) => `${value} ms`,
    kilobits: (value) => `${value} kbit/s`,
    pair: (local, remote) => `${local} to ${remote}`,
  },
};

/** Writes `data-text` (content) and `data-label` (accessible name and tooltip) of every element below `root`. */
export function fill(root) {
  for (const element of root.querySelectorAll('[data-text]')) {
    element.textContent = words[element.dataset.text];
  }
  for (const element of root.querySelectorAll('[data-label]')) {
    label(element, words[element.dataset.label]);
  }
}

/** Gives `element` its accessible name; `key` is the shortcut, shown in the tooltip only. */
export function label(element, text) {
  const { key } = element.dataset;
  element.setAttribute('aria-label', text);
  element.title = key ? `${text} (${key})` : text;
}
