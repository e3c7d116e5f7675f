// The admin listener's JSON, as the dashboard asks for it.

/** Why something was not done: `status` is HTTP's, or 0 when nobody answered. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Everything of this moment; `question` holds `find`, `after`, `after_dialect`, `after_user`, each or none. */
export async function status(question) {
  const asked = Object.entries(question).filter(([, value]) => value);
  return (await ask('GET', `/api/status?${new URLSearchParams(asked)}`)).json();
}

/** The last hour: `{ every, samples: [[at, toPeers, toClients, allocations, rooms, members]] }`. */
export async function history() {
  return (await ask('GET', '/api/history')).json();
}

/** The token is sent once, in a header; what comes back is a cookie that no script can read. */
export const signIn = (token) => ask('POST', '/api/session', { Authorization: `Bearer ${token}` });
export const signOut = () => ask('DELETE', '/api/session');

export const closeRoom = ({ dialect, room }) => ask('DELETE', path('rooms', dialect, room));
export const kick = ({ dialect, room }, { member }) => ask('DELETE', path('rooms', dialect, room, 'members', member));
export const endAllocation = ({ allocation }) => ask('DELETE', path('allocations', allocation));

const path = (...segments) => `/api/${segments.map(encodeURIComponent).join('/')}`;

async function ask(method, url, headers = {}) {
  // The header is what a page of another origin cannot send.
  const answer = await fetch(url, { method, headers: { 'X-Posthouse': 'dashboard', ...headers }, cache: 'no-store', signal: AbortSignal.timeout(10_000) }).catch((problem) => {
    throw new Refused(0, 'silence', problem.message);
  });
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({ error: { code: 'unknown', message: answer.statusText } }));
  throw new Refused(answer.status, error.code, error.message);
}
