// A question before something ends that cannot be brought back.

const dialog = document.getElementById('ask');

/** Asks; true when the answer is the one on the button `yes`. Afterwards the focus is where it was. */
export function ask(text, yes) {
  document.getElementById('ask-text').textContent = text;
  document.getElementById('ask-yes').textContent = yes;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
