// Waiting, with an end.

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What `promise` brings, or `otherwise` after so many milliseconds. */
export function within(milliseconds, promise, otherwise) {
  return Promise.race([promise, pause(milliseconds).then(() => otherwise)]);
}

/** Resolves when `met()` is true, looked at now and at every event of these types on `target`. */
export function until(target, types, met) {
  return new Promise((resolve) => {
    const look = () => {
      if (!met()) return;
      for (const type of types) target.removeEventListener(type, look);
      resolve();
    };
    for (const type of types) target.addEventListener(type, look);
    look();
  });
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
