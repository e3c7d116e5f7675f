// Copying, also where the clipboard interface is missing because the context is not secure.

/** Copies the text of `field`; false when the browser does not allow it. */
export async function copyField(field) {
  return copyText(field.value, field);
}

/** Copies `text`; without the clipboard interface, what is selected in `field` is copied instead. */
export async function copyText(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field.select();
    return document.execCommand('copy');
  }
}
