// The cameras, microphones and speakers of this machine, and which ones the user chose here before.

const KEY = 'posthouse.devices';

/** The browser's word for a list of devices, by kind: "audio" (microphones), "video" (cameras), "speaker". */
const LISTS = { audio: 'audioinput', video: 'videoinput', speaker: 'audiooutput' };

export const canChooseSpeaker = () => 'setSinkId' in HTMLMediaElement.prototype;

/** `{id, label}` of every device of this kind. Before the user allowed any, browsers tell nothing. */
export async function devicesOf(kind) {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const found = all.filter((device) => device.kind === LISTS[kind] && device.deviceId);
  return found.map(({ deviceId: id, label }) => ({ id, label }));
}

/** Calls `act` whenever a device comes or goes, until `signal` is aborted. */
export function watchDevices(act, signal) {
  navigator.mediaDevices?.addEventListener('devicechange', act, { signal });
}

/** The id chosen last, or null. */
export function chosenDevice(kind) {
  const id = read()[kind];
  return typeof id === 'string' && id ? id : null;
}

export function noteDevice(kind, id) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...read(), [kind]: id }));
  } catch {
    // Nothing depends on it but the next visit.
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') ?? {};
  } catch {
    return {};
  }
}
