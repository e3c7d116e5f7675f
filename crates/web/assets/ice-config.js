// The ICE servers that this server issues to anybody who asks: AppRTC's ICE config.

const PATIENCE = 8000;

/**
 * `{servers, lifetime, skew}`: `RTCIceServer`s, seconds that their credentials live, and how many milliseconds this
 * device's clock is ahead of the server's (null if the server does not say). Throws when there is no answer.
 */
export async function iceConfig() {
  const asked = Date.now();
  const signal = AbortSignal.timeout(PATIENCE);
  const response = await fetch('/v1alpha/iceconfig', { method: 'POST', cache: 'no-store', signal });
  const answered = Date.now();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const { iceServers, lifetimeDuration } = await response.json();
  const date = Date.parse(response.headers.get('date') ?? '');
  return {
    servers: iceServers ?? [],
    lifetime: Number.parseFloat(lifetimeDuration),
    // The header counts whole seconds: on average it is half a second old.
    skew: Number.isNaN(date) ? null : (asked + answered) / 2 - (date + 500),
  };
}

/** Whether anything in the list relays. */
export const relays = (servers) => servers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/i.test(url)));
