// What happened in a call, with its time: for the report that somebody may attach to an issue.

const LIMIT = 500;

export class Diary {
  #lines = [];

  note(what, detail = '') {
    this.#lines.push({ at: new Date().toISOString(), what, detail: String(detail) });
    if (this.#lines.length > LIMIT) this.#lines.shift();
  }

  /** Notes every change of a connection's states, and what its search for candidates met. */
  watch(pc, name) {
    for (const [event, state] of [['connectionstatechange', 'connectionState'], ['iceconnectionstatechange', 'iceConnectionState'], ['icegatheringstatechange', 'iceGatheringState'], ['signalingstatechange', 'signalingState']]) {
      pc.addEventListener(event, () => this.note(`${name}: ${state}`, pc[state]));
    }
    pc.addEventListener('icecandidateerror', ({ url, errorCode, errorText }) => this.note(`${name}: icecandidateerror`, `${url} ${errorCode} ${errorText}`));
  }

  get lines() {
    return [...this.#lines];
  }
}
