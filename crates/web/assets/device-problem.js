// Why there is no camera or microphone, as a key of `words.problem`: each of those sentences says what to do.

/** For what `getUserMedia` threw when it was asked for `kinds`. */
export function problemOf({ name, message }, kinds) {
  const one = kinds.length > 1 ? null : kinds[0] === 'video' ? 'camera' : 'microphone';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return denial(message ?? '') ?? (one ? `${one}Denied` : 'denied');
    case 'NotFoundError':
      return one ? `${one}Missing` : 'missing';
    case 'OverconstrainedError':
      return 'unfit';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}

/** Why there can be none in this browser at all, or null. */
export function hindrance() {
  if (navigator.mediaDevices?.getUserMedia) return null;
  return isSecureContext ? 'unsupported' : 'insecure';
}

/** Asking again for something that was just denied would only nag. */
export async function isGranted(kind) {
  try {
    const { state } = await navigator.permissions.query({ name: kind === 'video' ? 'camera' : 'microphone' });
    return state === 'granted';
  } catch {
    return false;
  }
}

/** Chromium and Firefox tell the operating system's refusal, and a question that was closed without an answer, in the message alone. */
function denial(message) {
  if (/by system|by the (platform|operating system)/i.test(message)) return 'deniedBySystem';
  return /dismissed/i.test(message) ? 'dismissed' : null;
}
