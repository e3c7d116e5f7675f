// What a device is asked for. The address may ask for more in AppRTC's words: `video=minWidth=1280,maxFrameRate=15`.

const NUMBERS = ['width', 'height', 'frameRate', 'aspectRatio', 'channelCount', 'sampleRate'];
const SWITCHES = ['echoCancellation', 'noiseSuppression', 'autoGainControl'];

/**
 * A list `[mandatory:|optional:]key=value,…` as constraints of today. What browsers do not know any more, or never knew, is passed over.
 * `mandatory` becomes a bound, `optional` a wish.
 */
export function askedConstraints(list) {
  const asked = {};
  for (const item of (list ?? '').split(',')) {
    const [, section, key, value] = /^(?:(mandatory|optional):)?(\w+)=(.+)$/.exec(item.trim()) ?? [];
    if (key) Object.assign(asked, constraint(key, value, section === 'optional', asked));
  }
  return asked;
}

/** For `getUserMedia`: a camera or microphone as the address and the user want it. */
export function constraintsFor(kind, { hd, constraints }, deviceId) {
  const asked = { ...(kind === 'video' && picture(hd)), ...constraints?.[kind] };
  if (deviceId) asked.deviceId = { exact: deviceId };
  return Object.keys(asked).length > 0 ? asked : true;
}

/** Without a word in the address, a wish: no camera is refused for being small. */
function picture(hd) {
  if (hd === false) return { width: { ideal: 640 }, height: { ideal: 480 } };
  const word = hd ? 'min' : 'ideal';
  return { width: { [word]: 1280 }, height: { [word]: 720 } };
}

function constraint(key, value, optional, asked) {
  const [, bound, rest] = /^(min|max)([A-Z]\w*)$/.exec(key) ?? [];
  const name = bound ? rest[0].toLowerCase() + rest.slice(1) : key.replace(/^goog([A-Z])/, (_, letter) => letter.toLowerCase());
  if (NUMBERS.includes(name) && Number.isFinite(Number(value))) {
    return { [name]: { ...asked[name], [optional ? 'ideal' : (bound ?? 'exact')]: Number(value) } };
  }
  if (SWITCHES.includes(name)) return { [name]: value === 'true' };
  return name === 'facingMode' ? { facingMode: value } : {};
}
