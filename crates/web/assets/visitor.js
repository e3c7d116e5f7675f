// One receiver, as the sender sees them: a connection, in our protocol or the old page's, and what goes over it.

import { pages } from './blocks.js';
import { ChunkUpload } from './chunks.js';
import { DropLink } from './drop-link.js';
import { safetyCode } from './safety.js';
import { Speed } from './speed.js';
import { Upload } from './upload.js';

/**
 * `state`: "connecting", "connected", "sending", "lost" (may come back), "left", "failed" (never arrived). Events: `change`, and `met` when the receiver has said
 * who they are.
 */
export class Visitor extends EventTarget {
  state = 'connecting';
  session = null;
  /** The lost connection of the same receiver, whose place this one took. */
  former = null;
  safety = '';
  /** What `getStats` says of the way, or null. */
  path = null;
  /** Files that are with the receiver, by their ids. */
  received = new Set();
  upload = null;
  speed = new Speed();
  #offers;
  #link;

  constructor(peer, offers, policy) {
    super();
    this.peer = peer;
    this.#offers = offers;
    this.#link = new DropLink(policy);
    this.#link.addEventListener('open', () => this.#open());
    this.#link.addEventListener('message', ({ detail }) => this.#hear(detail));
    this.#link.addEventListener('lost', () => this.#turn(this.safety === '' ? 'failed' : this.ours ? 'lost' : 'left'));
  }

  get ours() {
    return this.#link.ours;
  }

  get isHere() {
    return this.state === 'connected' || this.state === 'sending';
  }

  /** Is it clear whether they were here before? */
  get isKnown() {
    return this.session !== null || (!this.ours && this.isHere);
  }

  offer() {
    return this.#link.offer();
  }

  accept(answer) {
    return this.#link.accept(answer).catch(() => this.close());
  }

  close() {
    this.#link.close();
  }

  /** The list of what there is; ours in pages, the old page's in one text. */
  tell() {
    const entries = this.#offers.items.map((item) => item.entry);
    if (!this.#link.isOpen) return;
    if (this.ours) for (const page of pages(entries)) this.#link.say('files', page);
    else this.#link.say('files', pages(entries)[0].files.map(({ name, size }) => ({ name, size })));
    if (this.upload && !this.#offers.find(this.upload.item.id)) this.#end('removed');
  }

  async measure() {
    if (this.isHere) this.path = await this.#link.path();
    if (this.upload) this.speed.sample(this.upload.sent);
  }

  async #open() {
    this.#turn('connected');
    this.safety = await safetyCode(this.#link.fingerprints);
    this.tell();
    await this.measure();
    this.#turn(this.state);
  }

  #hear({ type, data }) {
    if (type === 'hello' && typeof data.session === 'string') {
      this.session = data.session;
      this.dispatchEvent(new Event('met'));
    } else if (type === 'get') this.#send(data);
    else if (type === 'download') this.#sendChunks(data);
    else if (type === 'ack' && data.transfer === this.upload?.transfer) this.upload.acknowledge(data.block);
    else if (type === 'file_segment_ack' && data.transfer_id === this.upload?.transfer) this.#continue();
    else if (type === 'got' && data.transfer === this.upload?.transfer) this.#finish();
    else if (type === 'stop' && data.transfer === this.upload?.transfer) this.#end();
  }

  #send({ transfer, id, block }) {
    const item = this.#offers.find(id);
    if (!item) return this.#link.say('failed', { transfer, reason: 'removed' });
    if (!Number.isInteger(transfer) || !Number.isInteger(block) || block < 0) return undefined;
    return this.#begin(new Upload(this.#link, item, transfer, block));
  }

  #sendChunks(asked) {
    const item = this.#offers.named(asked.name);
    if (item) this.#begin(new ChunkUpload(this.#link, item, asked));
  }

  #begin(upload) {
    this.upload?.stop();
    this.received.delete(upload.item.id);
    this.upload = upload;
    this.speed = new Speed();
    upload.addEventListener('change', () => this.dispatchEvent(new Event('change')));
    this.#turn('sending');
    upload.run();
  }

  /** An old receiver acknowledges the last chunk too: that is its `got`. */
  #continue() {
    if (this.upload.isWhole) this.#finish();
    else this.upload.run();
  }

  #finish() {
    this.received.add(this.upload.item.id);
    this.#end();
  }

  #end(reason) {
    this.upload.stop(reason);
    this.upload = null;
    this.#turn('connected');
  }

  #turn(state) {
    this.state = state;
    if (!this.isHere) {
      this.upload?.stop();
      this.upload = null;
    }
    this.dispatchEvent(new Event('change'));
  }
}
