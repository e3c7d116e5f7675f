// How long to wait before the next attempt, and a countdown for those who watch.

const DELAYS = [200, 500, 1000, 2000, 4000, 8000, 15_000];

/** Milliseconds before attempt `attempt` (0 is the first): half of it is chance, so that a crowd does not come back as one. */
export function delayBefore(attempt) {
  const delay = DELAYS[Math.min(attempt, DELAYS.length - 1)];
  return delay / 2 + (delay / 2) * Math.random();
}

/** Calls `told(seconds)` at once and each second, and `done()` at the end; returned is the way to stop. */
export function countDown(milliseconds, told, done) {
  const end = Date.now() + milliseconds;
  let timer = 0;
  const look = () => {
    const left = end - Date.now();
    if (left <= 0) return done();
    told(Math.ceil(left / 1000));
    timer = setTimeout(look, Math.min(left, left % 1000 || 1000));
  };
  look();
  return () => clearTimeout(timer);
}
