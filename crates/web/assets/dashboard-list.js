// Lists that live: what is the same thing stays the same element, so that focus and selection outlast an update.

/** Makes the children of `parent` those of `items`, in their order: `make(item)` for a new one, then `update(element, item)` for each. */
export function keep(parent, items, key, make, update) {
  const present = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let child = present.get(name);
    present.delete(name);
    if (!child) {
      child = make(item);
      child.dataset.key = name;
    }
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
    update(child, item);
  }
  for (const gone of present.values()) gone.remove();
}

/** Changes the text of an element only where it differs. */
export function write(element, text) {
  const told = String(text);
  if (element.textContent !== told) element.textContent = told;
}
