// This tab's seat in a room, noted so that a tab that crashed can give it back instead of finding the room full of itself.

const key = (roomId) => `posthouse.seat.${roomId}`;

/** Notes the seat, and holds a lock that says "still in use" to a duplicate of this tab. */
export function takeSeat(roomId, clientId) {
  write(roomId, clientId);
  navigator.locks?.request(key(clientId), () => new Promise(() => {})).catch(() => {});
}

export function giveSeat(roomId) {
  write(roomId, null);
}

/** The client id of a seat that nobody uses any more, or null. */
export async function lostSeat(roomId) {
  const clientId = read(roomId);
  if (!clientId || !navigator.locks) return null;
  return navigator.locks.request(key(clientId), { ifAvailable: true }, (lock) => (lock ? clientId : null));
}

function read(roomId) {
  try {
    return sessionStorage.getItem(key(roomId));
  } catch {
    return null;
  }
}

function write(roomId, clientId) {
  try {
    if (clientId) sessionStorage.setItem(key(roomId), clientId);
    else sessionStorage.removeItem(key(roomId));
  } catch {
    // Without storage a crashed tab waits until the server frees its seat.
  }
}
