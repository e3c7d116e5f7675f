// Elements made by scripts: never from markup, always from parts.

/** `element('li', { class: 'check', hidden: true }, 'text', child)`: `true` sets a bare attribute, `false` and `null` leave it out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

/** A list of names and values: `dt` and `dd` for each pair. */
export function pairs(list) {
  return list.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, String(value))]);
}
