// Somebody who offers files under a link, to any number of receivers at once.

import { Broker } from './broker.js';
import { OfferList } from './offer-list.js';
import { Visitor } from './visitor.js';

/** A receiver whose connection is gone stays in the list this long: they may come back. */
const LINGER = 120_000;
const LINGER_FAILED = 10_000;
/** Whoever knows the link can knock as often as they like. */
const CONNECTING_MAX = 32;

/** Events: `change` (registered or not; files), `visitors`. */
export class Sender extends EventTarget {
  offers = new OfferList();
  visitors = [];
  #policy;

  constructor({ iceTransportPolicy }) {
    super();
    this.#policy = iceTransportPolicy;
    this.broker = new Broker({ keepsId: true });
    this.broker.addEventListener('change', () => this.dispatchEvent(new Event('change')));
    this.broker.addEventListener('peer_connect', ({ detail }) => this.#welcome(detail.peer_id));
    this.broker.addEventListener('answer', ({ detail }) => this.#find(detail.peer_id)?.accept(detail.answer ?? {}));
    this.offers.addEventListener('change', () => {
      for (const visitor of this.visitors) visitor.tell();
      this.dispatchEvent(new Event('change'));
    });
  }

  /** The link for receivers, or null while nobody could follow it. It is the old page's too. */
  get link() {
    return this.broker.registered ? `${location.origin}/?peer_id=${this.broker.id}` : null;
  }

  get isSending() {
    return this.visitors.some(({ state }) => state === 'sending');
  }

  #find(peer) {
    return this.visitors.findLast((visitor) => visitor.peer === peer);
  }

  async #welcome(peer) {
    const former = this.#find(peer);
    former?.close();
    // Asked again, before a connection came about.
    if (former?.state === 'failed') this.visitors = this.visitors.filter((other) => other !== former);
    if (this.visitors.filter(({ state }) => state === 'connecting').length >= CONNECTING_MAX) return;
    const visitor = new Visitor(peer, this.offers, this.#policy);
    this.visitors.push(visitor);
    visitor.addEventListener('change', () => this.#changed(visitor));
    visitor.addEventListener('met', () => this.#merge(visitor));
    this.dispatchEvent(new Event('visitors'));
    try {
      this.broker.signal('offer', peer, await visitor.offer());
    } catch {
      visitor.close();
    }
  }

  #changed(visitor) {
    if (['lost', 'left', 'failed'].includes(visitor.state)) setTimeout(() => this.#forget(visitor), visitor.state === 'failed' ? LINGER_FAILED : LINGER);
    this.dispatchEvent(new Event('visitors'));
  }

  /** Somebody who comes back takes the place of their lost connection. */
  #merge(visitor) {
    const former = this.visitors.find((other) => other !== visitor && other.session === visitor.session);
    if (!former) return;
    visitor.former = former;
    for (const id of former.received) visitor.received.add(id);
    former.close();
    this.visitors = this.visitors.filter((other) => other !== visitor).map((other) => (other === former ? visitor : other));
    this.dispatchEvent(new Event('visitors'));
  }

  #forget(visitor) {
    if (visitor.isHere) return;
    this.visitors = this.visitors.filter((other) => other !== visitor);
    this.dispatchEvent(new Event('visitors'));
  }
}
