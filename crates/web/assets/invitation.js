// The link to the room: what it is, and how it gets to the other person.

/** This page's address without its fragment: the query belongs to it (`?it=relay`). */
export function roomLink() {
  return location.href.split('#')[0];
}

export const canShare = () => typeof navigator.share === 'function';

/** False when the browser does not allow it. The clipboard interface needs a secure context; selecting a field does not. */
export async function copyLink(field) {
  try {
    await navigator.clipboard.writeText(roomLink());
    return true;
  } catch {
    field.select();
    return document.execCommand('copy');
  }
}

export async function shareLink(title) {
  await navigator.share({ title, url: roomLink() }).catch(() => {});
}
