// The dashboard's words, beside those of all pages: whoever imports this finds them in `words.dashboard`.

import { german } from './dashboard-words-de.js';
import { english } from './dashboard-words-en.js';
import { language, words } from './strings.js';

Object.assign(words, { en: english, de: german }[language]);

export { words };
