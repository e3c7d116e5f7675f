// The report: the rows as text for an issue. Nothing in it is secret, and addresses can be hidden.

import { words } from './strings.js';
import { lines, sentence } from './verdicts.js';

const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
const GROUPS = '[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*';
const IPV6 = new RegExp(`(?<![\\w:])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:${GROUPS})?::(?:${GROUPS})?)(?![\\w:])`, 'gi');

/** `results`: of a `ConnectivityTest`. */
export function reportText(results, hidden) {
  const mask = hidden ? masker() : (text) => text;
  const head = [`# ${words.product}: ${words.test.title}`, '', `${new Date().toISOString()} · ${mask(location.origin)}`, navigator.userAgent, ''];
  const body = [...results].flatMap(([name, result]) => [
    `- ${words.test.level[result.level]}: ${words.test.check[name]}. ${mask(sentence(result))}`,
    ...lines(result).map(([key, text]) => `  - ${key}: ${mask(text)}`),
  ]);
  return [...head, ...body, ''].join('\n');
}

/** Equal addresses get equal names, so that one still sees what is the same. */
function masker() {
  const names = new Map();
  const name = (address) => {
    if (!names.has(address)) names.set(address, `<address ${names.size + 1}>`);
    return names.get(address);
  };
  return (text) => String(text).replace(IPV4, name).replace(IPV6, name);
}
