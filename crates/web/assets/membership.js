// One seat in one room, from a `/join` answer to the last goodbye: the way in and out for messages.
// The initiator's messages go through the room server, which stores them while nobody else is there; the joiner's over the socket.
//
// Events: `message` (detail: text), `open` and `lost` (the socket), `countdown` (detail: seconds to its next attempt), `gone` (the server does
// not know this seat any more).

import { Collider } from './collider.js';
import { IceServers } from './ice.js';
import { giveSeat, takeSeat } from './seat.js';

const BYE = JSON.stringify({ type: 'bye' });

export class Membership extends EventTarget {
  #room;
  #collider;
  #offered = Promise.resolve();
  #initiator;
  #over = false;
  /** Messages so far. */
  sent = 0;
  received = 0;

  /** `answer` is what `Room.join` gave. */
  constructor(room, { params, at }, turnTransport) {
    super();
    this.#room = room;
    this.clientId = params.client_id;
    this.#initiator = params.is_initiator === 'true';
    this.messages = offersFirst(params.messages ?? []);
    this.received = this.messages.length;
    this.ice = new IceServers(params, at, turnTransport);
    this.#collider = new Collider({
      url: params.wss_url,
      postUrl: params.wss_post_url,
      roomId: params.room_id,
      clientId: params.client_id,
    });
    takeSeat(room.id, this.clientId);
    this.#passOn();
  }

  get initiator() {
    return this.#initiator;
  }

  /** The socket is open and registered. */
  get open() {
    return this.#collider.open;
  }

  /** The other member left: whoever stays is the initiator. */
  becomeInitiator() {
    this.#initiator = true;
    this.#offered = Promise.resolve();
  }

  send(object) {
    if (this.#over) return;
    this.sent += 1;
    const text = JSON.stringify(object);
    if (this.#initiator) this.#post(text, object.type === 'offer');
    else this.#collider.send(text);
  }

  /** The network changed: do not wait until the old socket notices. */
  reconnect() {
    this.#collider.reconnect();
  }

  /** AppRTC's order: leave, then `bye` over the socket, then close and DELETE. */
  async leave() {
    if (!this.#end()) return;
    await this.#room.leave(this.clientId);
    this.#collider.close(BYE);
  }

  /** The page is being closed or put aside: only a beacon and one last frame still go out. */
  leaveWithPage() {
    if (!this.#end()) return;
    this.#room.leaveByBeacon(this.clientId);
    this.#collider.closeWithPage(BYE);
  }

  /** The seat is gone already: nothing is said to anybody. */
  drop() {
    if (this.#end()) this.#collider.closeWithPage();
  }

  #end() {
    const first = !this.#over;
    this.#over = true;
    if (first) giveSeat(this.#room.id);
    return first;
  }

  /** An offer must be stored before its candidates; those may overtake each other. */
  #post(text, isOffer) {
    const posted = this.#offered.then(() => this.#room.message(this.clientId, text));
    if (isOffer) this.#offered = posted;
    posted.then((result) => /^UNKNOWN_/.test(result) && this.#tell('gone'));
  }

  #passOn() {
    this.#collider.addEventListener('message', ({ detail }) => {
      this.received += 1;
      this.#tell('message', detail);
    });
    this.#collider.addEventListener('countdown', ({ detail }) => this.#tell('countdown', detail));
    this.#collider.addEventListener('refused', () => this.#tell('gone'));
    this.#collider.addEventListener('open', () => this.#tell('open'));
    this.#collider.addEventListener('lost', () => this.#tell('lost'));
  }

  #tell(type, detail) {
    if (!this.#over) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Stored messages were posted concurrently: their order says nothing. */
function offersFirst(texts) {
  const isOffer = (text) => /"type"\s*:\s*"offer"/.test(text);
  return [...texts.filter(isOffer), ...texts.filter((text) => !isOffer(text))];
}
