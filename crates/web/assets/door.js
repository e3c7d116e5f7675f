// `window.posthouse`: a look inside for debugging and tests. Read only; nothing on the page depends on it.

/**
 * pc       the RTCPeerConnection to the other member, or null
 * channel  the data channel "posthouse" on it, or null; binary messages on it are free for anybody's use
 * room     the room's name
 * client   this member's client id, or null
 * state    ready, joining, waiting, connecting, connected, reconnecting, left, full or unreachable
 * initiator, signaling   whether this member offers, and whether its socket is open
 * numbers()  what the details show and their JSON has
 */
export function openDoor(call, details) {
  window.posthouse = Object.freeze({
    get pc() { return call.peer?.pc ?? null; },
    get channel() { return call.peer?.channel ?? null; },
    get room() { return call.roomId; },
    get client() { return call.clientId; },
    get state() { return call.state; },
    get initiator() { return call.initiator; },
    get signaling() { return call.signaling; },
    numbers: () => details.numbers(),
  });
}
