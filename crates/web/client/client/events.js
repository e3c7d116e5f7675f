// Events with a value: `on` hands over the value alone and gives back the way to stop listening.

export class Events extends EventTarget {
  /** Calls `listener(value)` at each event of this type, until the function that is returned is called. */
  on(type, listener) {
    const hear = ({ detail }) => listener(detail);
    this.addEventListener(type, hear);
    return () => this.removeEventListener(type, hear);
  }

  /** The value of the next event of this type. */
  next(type) {
    return new Promise((resolve) => this.addEventListener(type, ({ detail }) => resolve(detail), { once: true }));
  }

  /** For the class's own use: tells everybody who listens. */
  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
