// The rooms this browser joined lately, newest first. Storage may be refused (private windows): then there are none.

const KEY = 'posthouse.recent';
const LIMIT = 8;

/** Room names, newest first. */
export function recentRooms() {
  try {
    const rooms = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(rooms) ? rooms.filter((room) => typeof room === 'string').slice(0, LIMIT) : [];
  } catch {
    return [];
  }
}

export function remember(room) {
  store([room, ...recentRooms().filter((other) => other !== room)].slice(0, LIMIT));
}

export function forgetRooms() {
  store([]);
}

function store(rooms) {
  try {
    localStorage.setItem(KEY, JSON.stringify(rooms));
  } catch {
    // Nothing depends on the list.
  }
}
