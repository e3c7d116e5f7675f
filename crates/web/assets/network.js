// When a call should look after its connections at once, instead of waiting until they notice by themselves.

/** `changed`: the device has another network. `seen`: the page is looked at again, and its timers may have slept. */
export function watchNetwork({ changed, seen }) {
  addEventListener('online', changed);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && seen());
  const { connection } = navigator;
  let type = connection?.type;
  // The event also comes for each new guess at the speed.
  connection?.addEventListener('change', () => {
    if (connection.type === type || connection.type === 'none') return;
    type = connection.type;
    changed();
  });
}
