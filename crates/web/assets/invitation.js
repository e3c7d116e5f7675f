// The link to the room: what it is, and how it gets to the other person: by copy, by the system's own sheet, by a QR code.

import { copyText } from './clipboard.js';
import { openDialog } from './dialog.js';
import { element } from './element.js';
import { qr } from './qr.js';
import { words } from './strings.js';

/** This page's address without its fragment: the query belongs to it (`?it=relay`). */
export function roomLink() {
  return location.href.split('#')[0];
}

export const canShare = () => typeof navigator.share === 'function';

/** Copies the link; without the clipboard interface, out of `field`. How it went, in words. */
export async function copyLink(field) {
  return (await copyText(roomLink(), field)) ? words.copied : words.copyFailed;
}

export async function shareLink() {
  await navigator.share({ title: document.title, url: roomLink() }).catch(() => {});
}

/** The dialog with all three ways. */
export function openInvitation() {
  const field = element('input', { class: 'field', readonly: true, 'aria-label': words.link });
  field.value = roomLink();
  const copy = element('button', { type: 'button', class: 'button primary' }, words.copyLink);
  copy.addEventListener('click', async () => { told.textContent = await copyLink(field); });
  const share = element('button', { type: 'button', class: 'button', hidden: !canShare() }, words.share);
  share.addEventListener('click', shareLink);
  const told = element('p', { class: 'small', role: 'status' });
  const picture = qr(roomLink(), words.qrLabel);
  openDialog(words.invite, ...(picture ? [picture, element('p', { class: 'quiet small' }, words.qrHint)] : []), field, element('div', { class: 'row' }, copy, share), told);
  copy.focus();
}
