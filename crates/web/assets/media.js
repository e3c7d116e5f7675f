// The user's camera and microphone. What is missing or refused becomes a word (`problem`), never an exception.
//
// Event: `change` (tracks or switches changed).

export class Media extends EventTarget {
  stream = new MediaStream();
  /** A key of `words.problem`, or null. */
  problem = null;
  #wanted;
  #on = { audio: true, video: true };
  #opening = null;

  /** `wanted`: {audio, video, hd} from the page's address. */
  constructor(wanted) {
    super();
    this.#wanted = wanted;
  }

  /** Whether this kind is to be sent at all, now or when a device appears. */
  sends(kind) {
    return this.#wanted[kind];
  }

  track(kind) {
    return this.stream.getTracks().find((track) => track.kind === kind) ?? null;
  }

  /** The user's switch, and a device behind it. */
  isOn(kind) {
    return this.#on[kind] && this.track(kind) !== null;
  }

  /** Asks for the devices; a second call while the first still waits for the user joins it. */
  open() {
    this.#opening ??= this.#open().finally(() => { this.#opening = null; });
    return this.#opening;
  }

  toggle(kind) {
    if (!this.track(kind)) return;
    this.#on[kind] = !this.#on[kind];
    this.track(kind).enabled = this.#on[kind];
    this.#changed();
  }

  /** Switches the devices off (and their lights). */
  close() {
    for (const track of this.stream.getTracks()) this.#remove(track);
    this.#changed();
  }

  async #open() {
    this.problem = null;
    const kinds = ['audio', 'video'].filter((kind) => this.#wanted[kind] && !this.track(kind));
    if (kinds.length > 0) await this.#ask(kinds);
    this.#changed();
  }

  async #ask(kinds) {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.problem = isSecureContext ? 'unsupported' : 'insecure';
      return;
    }
    try {
      await this.#take(kinds);
    } catch (error) {
      this.problem = problemOf(error, kinds);
      if (kinds.length > 1) await this.#askOneByOne(kinds, error);
    }
  }

  /** One missing or blocked device must not cost the other one. */
  async #askOneByOne(kinds, first) {
    const problems = [];
    for (const kind of kinds) {
      if (first.name === 'NotAllowedError' && !(await isGranted(kind))) {
        problems.push(problemOf(first, [kind]));
        continue;
      }
      await this.#take([kind]).catch((error) => problems.push(problemOf(error, [kind])));
    }
    if (problems.length === 1) [this.problem] = problems;
  }

  async #take(kinds) {
    const constraints = Object.fromEntries(kinds.map((kind) => [kind, kind === 'video' ? this.#picture() : true]));
    const found = await navigator.mediaDevices.getUserMedia(constraints);
    for (const track of found.getTracks()) {
      track.enabled = this.#on[track.kind];
      track.addEventListener('ended', () => {
        this.#remove(track);
        this.#changed();
      });
      this.stream.addTrack(track);
    }
  }

  #picture() {
    return this.#wanted.hd ? { width: { ideal: 1280 }, height: { ideal: 720 } } : true;
  }

  #remove(track) {
    track.stop();
    this.stream.removeTrack(track);
  }

  #changed() {
    this.dispatchEvent(new CustomEvent('change'));
  }
}

/** Asking again for something that was just denied would only nag. */
async function isGranted(kind) {
  try {
    const { state } = await navigator.permissions.query({ name: kind === 'video' ? 'camera' : 'microphone' });
    return state === 'granted';
  } catch {
    return false;
  }
}

/** The key of `words.problem` for what `getUserMedia` threw when it was asked for `kinds`. */
export function problemOf({ name }, kinds) {
  const one = kinds.length > 1 ? null : kinds[0] === 'video' ? 'camera' : 'microphone';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return one ? `${one}Denied` : 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return one ? `${one}Missing` : 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}
