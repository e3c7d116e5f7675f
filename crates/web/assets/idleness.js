// The bar of buttons steps back from the picture while nobody moves.

const IDLE_AFTER = 4000;

/** Sets `data-idle` on `stage` while nobody moves. */
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
