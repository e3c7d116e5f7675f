// The drawings of `icons.svg`, by name.

const NAMESPACE = 'http://www.w3.org/2000/svg';
const FILE = new URL('./icons.svg', import.meta.url).pathname;

/** A new drawing; whoever listens does not hear of it. */
export function icon(name) {
  const made = document.createElementNS(NAMESPACE, 'svg');
  made.setAttribute('class', 'icon');
  made.setAttribute('aria-hidden', 'true');
  made.append(document.createElementNS(NAMESPACE, 'use'));
  made.firstChild.setAttribute('href', `${FILE}#${name}`);
  return made;
}

/** Another drawing on a button that has one. */
export function setIcon(button, name) {
  button.querySelector('use').setAttribute('href', `${FILE}#${name}`);
}
