// The panels beside the pictures: of one page at most one is open. Each has a button with its name.

const panels = () => [...document.querySelectorAll('.panel')];

/** Opens or closes it; `focus` is the field to go to. True when it is open now. */
export function togglePanel(id, focus) {
  const opens = document.getElementById(id).hidden;
  closePanels();
  if (!opens) return false;
  set(id, true);
  if (focus) document.getElementById(focus).focus();
  return true;
}

export function closePanels() {
  for (const { id } of panels()) set(id, false);
}

function set(id, open) {
  document.getElementById(id).hidden = !open;
  for (const button of document.querySelectorAll(`[data-act="${id}"]`)) button.setAttribute('aria-pressed', String(open));
}
