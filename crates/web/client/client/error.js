// What the server refuses, and what ends a room, as one kind of error.

/** `code` is the protocol's; `fault` says whose it is: "client", "room" or "server". */
export class RoomError extends Error {
  name = 'RoomError';

  constructor({ code, fault = 'client', message = code, retry_in: retryIn, ...rest }) {
    super(message);
    this.code = code;
    this.fault = fault;
    /** Milliseconds after which it may be tried again, if the server says so. */
    this.retryIn = retryIn;
    /** The member whom it is about, where there is one (a mailbox that is full). */
    this.member = rest.member;
  }
}
