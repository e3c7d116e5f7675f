// Names that a stranger chose, as names for this machine.

const FORBIDDEN = /[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069<>:"|?*]/g;

/** A relative path with slashes: nothing above its folder, no control characters, no turned-round text. */
export function safePath(name) {
  const parts = name.split(/[/\\]/).map((part) => part.replace(FORBIDDEN, '_').trim()).filter((part) => part !== '' && !/^\.+$/.test(part));
  return parts.join('/') || 'file';
}

/** The last part alone. */
export const safeName = (name) => safePath(name).split('/').at(-1);
