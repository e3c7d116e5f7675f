// Posthouse's client for browsers (and Node): rooms that survive a change of network, and a mesh of connections in them.
// No dependency, no build step. Types: client.d.ts. Manual: README.md.

export { RoomError } from './client/error.js';
export { Peers } from './client/peers.js';
export { connect, Room } from './client/room.js';
