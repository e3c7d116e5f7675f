// A seat that outlives the page: what a reload of the tab needs to come back to it, in a storage of the caller's choice.

const HOLD = new Promise(() => {});

export class Kept {
  #storage;
  #key;

  /** `storage` as `sessionStorage`, or null to keep nothing. */
  constructor(storage, url, room) {
    this.#storage = storage ?? null;
    this.#key = `posthouse.seat ${url} ${room}`;
  }

  /** `{token, seen, member, owner}` of a seat that no other page uses, or null. A duplicated tab has a copy of the storage, not the seat. */
  async find() {
    const seat = this.#read();
    if (!seat) return null;
    return (await this.#isFree(seat)) ? seat : null;
  }

  write(seat) {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(seat));
    } catch {
      // Without storage a reload joins as somebody new.
    }
  }

  /** Says to duplicates of this tab that the seat is in use, as long as this page lives. */
  hold({ member }) {
    if (this.#storage) locks()?.request(this.#lock(member), () => HOLD).catch(() => {});
  }

  forget() {
    try {
      this.#storage?.removeItem(this.#key);
    } catch {
      // There is none.
    }
  }

  #read() {
    try {
      const seat = JSON.parse(this.#storage?.getItem(this.#key) ?? 'null');
      return typeof seat?.token === 'string' && Number.isInteger(seat.seen) ? seat : null;
    } catch {
      return null;
    }
  }

  async #isFree({ member }) {
    if (!locks()) return true;
    return locks().request(this.#lock(member), { ifAvailable: true }, (lock) => lock !== null);
  }

  #lock(member) {
    return `${this.#key} ${member}`;
  }
}

function locks() {
  return globalThis.navigator?.locks;
}
