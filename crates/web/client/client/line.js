// One WebSocket, from its opening to its end. It ends once, also when the network never says so.

export const PROTOCOL = 'posthouse.v1';

const OPEN_WITHIN = 8000;
// The server pings, but scripts do not see pings: after such a silence the line is asked, and has so long to answer.
const SILENCE = 25_000;
const ANSWER_WITHIN = 8000;
const NORMAL = 1000;

export class Line {
  #socket;
  #told;
  #timer = 0;
  #over = false;

  /** `told` has `open()`, `frame(object, length)`, `ask()` (say something that is answered) and `ended({code, reason})`. */
  constructor(WebSocket, url, told) {
    this.#told = told;
    this.#expect(OPEN_WITHIN);
    this.#socket = new WebSocket(url, PROTOCOL);
    this.#socket.onopen = () => !this.#over && told.open();
    this.#socket.onmessage = ({ data }) => this.#heard(data);
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason);
    // What went wrong is told by `close`; browsers say no more here.
    this.#socket.onerror = () => {};
  }

  write(text) {
    if (!this.#over && this.#socket.readyState === 1) this.#socket.send(text);
  }

  /** Asks whether the line still lives; without an answer within `time` it ends. */
  probe(time = ANSWER_WITHIN) {
    if (this.#over) return;
    this.#told.ask();
    this.#expect(time);
  }

  /** Ends now, without waiting for the other side's goodbye: on a dead network it never comes. */
  drop(code = NORMAL) {
    this.#end(code, 'dropped');
  }

  #heard(data) {
    if (this.#over) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.probe(), SILENCE);
    this.#told.frame(JSON.parse(data), data.length);
  }

  #expect(time) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(1006, 'no answer'), time);
  }

  #end(code, reason) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket?.close(NORMAL);
    this.#told.ended({ code, reason });
  }
}
