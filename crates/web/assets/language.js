// Which language the page speaks: the one in its address (`?lang=de`), else the one chosen here before, else the
// first of the browser's that we have.

const KEY = 'posthouse.language';

/** One of `known`, the first of which serves everybody else. */
export function chosenLanguage(known) {
  const asked = new URLSearchParams(location.search).get('lang');
  const wanted = [asked, stored(), ...navigator.languages].filter(Boolean).map(primary);
  return wanted.find((code) => known.includes(code)) ?? known[0];
}

/** Loads the page again in another language, and remembers it for the others. */
export function switchLanguage(code) {
  try {
    localStorage.setItem(KEY, code);
  } catch {
    // The address says it too.
  }
  const address = new URL(location.href);
  address.searchParams.set('lang', code);
  location.assign(address);
}

/** `de` of `de-AT`. */
function primary(tag) {
  return tag.split('-')[0].toLowerCase();
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
