// Buttons and keys: both lead to the same acts. AppRTC's keys: space or m, c, f, i, q.

const KEYS = { ' ': 'microphone', m: 'microphone', c: 'camera', f: 'fullScreen', i: 'details', q: 'hangUp' };
const IDLE_AFTER = 4000;

/** Calls `acts[NAME]` for a click on `data-act="NAME"` or its key. */
export function connectControls(acts) {
  document.addEventListener('click', ({ target }) => {
    acts[target.closest('[data-act]')?.dataset.act]?.();
  });
  document.addEventListener('keydown', (event) => {
    const act = KEYS[event.key.toLowerCase()];
    if (!act || event.repeat || event.ctrlKey || event.metaKey || event.altKey || isBusy(event)) return;
    if (isOffered(act)) {
      event.preventDefault();
      acts[act]();
    }
  });
}

/** Sets `data-idle` on `stage` while nobody moves, so that the controls can step back from the picture. */
export function watchIdleness(stage) {
  let timer = 0;
  const wake = () => {
    delete stage.dataset.idle;
    clearTimeout(timer);
    timer = setTimeout(() => { stage.dataset.idle = ''; }, IDLE_AFTER);
  };
  for (const sign of ['pointermove', 'pointerdown', 'keydown', 'focusin']) document.addEventListener(sign, wake, { passive: true });
  wake();
}

/** Text fields own their keys, and the space bar presses a focused button. */
function isBusy({ key, target }) {
  return target.closest('input, textarea, select') !== null || (key === ' ' && target.closest('button, a') !== null);
}

/** A key does what a visible, enabled button would do. */
function isOffered(act) {
  return [...document.querySelectorAll(`[data-act="${act}"]`)].some((button) => button.checkVisibility() && !button.disabled);
}
