// Words to the user that come and go: seen by everybody, or heard by screen readers alone.

const NOTICE_TIME = 4500;
const byId = (id) => document.getElementById(id);
let timer = 0;

/** A passing word, seen and heard. */
export function notice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = false;
  clearTimeout(timer);
  timer = setTimeout(hideNotice, NOTICE_TIME);
}

export function hideNotice() {
  byId('notice').hidden = true;
}

/** A word for screen readers only: the page shows it in another way. */
export function announce(text) {
  byId('announcement').textContent = text;
}
