// A file out of the page into the user's downloads.

import { element } from './element.js';

/** The browser may still read it a while after the click. */
const KEEP = 60_000;

export function saveFile(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = element('a', { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), KEEP);
}
