// The words of the language in use, and how they come into the page.

import { chosenLanguage, switchLanguage } from './language.js';
import { german } from './words-de.js';
import { english } from './words-en.js';

const LANGUAGES = { en: english, de: german };

export const language = chosenLanguage(Object.keys(LANGUAGES));

/** Texts, and functions that make texts. All languages have the same names. */
export const words = LANGUAGES[language];

/**
 * Writes `data-text` (content) and `data-label` (accessible name and tooltip) of every element below `root`.
 * A name may lead into a group of words: `test.start`.
 */
export function fill(root) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll('[data-text]')) {
    element.textContent = word(element.dataset.text);
  }
  for (const element of root.querySelectorAll('[data-label]')) {
    label(element, word(element.dataset.label));
  }
}

/** Gives `element` its accessible name; `key` is the shortcut, shown in the tooltip only. */
export function label(element, text) {
  const { key } = element.dataset;
  element.setAttribute('aria-label', text);
  element.title = key ? `${text} (${key})` : text;
}

/** Lets `select` choose among all languages; the page is then loaded again in the one chosen. */
export function offerLanguages(select) {
  for (const [code, { languageName }] of Object.entries(LANGUAGES)) {
    const option = new Option(languageName, code, code === language, code === language);
    option.lang = code;
    select.append(option);
  }
  select.addEventListener('change', () => switchLanguage(select.value));
}

function word(path) {
  return path.split('.').reduce((group, name) => group[name], words);
}
