// The screen stays on during a call. The browser takes the lock back whenever the page is out of sight.

let lock = null;

/** Said at each change of the call, and when the page comes into sight again. */
export async function keepAwake(inCall) {
  const needed = inCall && document.visibilityState === 'visible';
  if (needed && !lock && navigator.wakeLock) {
    lock = {};
    lock = await navigator.wakeLock.request('screen').catch(() => null);
    lock?.addEventListener('release', () => { lock = null; });
  } else if (!needed && lock?.release) {
    lock.release().catch(() => {});
  }
}
