// That this tab is in a room, and under which name: a reload goes back in without asking; and the name for the next time.

const NAME = 'posthouse.name';
const key = (roomId) => `posthouse.visit.${roomId}`;

/** The name of a visit that this tab did not end, or null. */
export const visitOf = (roomId) => read(() => sessionStorage.getItem(key(roomId)));

/** The name used last in this browser, or ''. */
export const lastName = () => read(() => localStorage.getItem(NAME)) ?? '';

export function noteVisit(roomId, name) {
  read(() => sessionStorage.setItem(key(roomId), name));
  read(() => localStorage.setItem(NAME, name));
}

export function forgetVisit(roomId) {
  read(() => sessionStorage.removeItem(key(roomId)));
}

/** Storage may be refused: then nothing is remembered, and nothing depends on it. */
function read(act) {
  try {
    return act() ?? null;
  } catch {
    return null;
  }
}
