// The real binary, in a namespace, with a configuration of its own.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporary } from './folder.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_WITHIN = 15_000;

/** Asked there and not at the page: a page answers only to the name in its public URL. */
const READY_URL = 'http://127.0.0.1:9641/readyz';
const LOG_LINES = 200;

/** `POSTHOUSE_BIN`, or the newest of this checkout's builds. */
export function binary() {
  if (process.env.POSTHOUSE_BIN) return process.env.POSTHOUSE_BIN;
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
  const built = ['release', 'debug'].map((profile) => join(target, profile, 'posthouse')).filter(existsSync);
  if (built.length === 0) throw new Error(`no posthouse in ${target}: run cargo build, or set POSTHOUSE_BIN`);
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

/** A configuration for one address; `extra` is TOML to append, `url` what browsers open. */
export function configuration(address, extra = '', url = `http://${address}:8080`) {
  return `
[web]
listen = ["${address}:8080"]
public_url = "${url}"
[relay]
listen = ["${address}:3478"]
relay_addresses = ["${address}"]
ports = "49152-50151"
[auth]
realm = "browser.test"
secrets = ["a secret for the browser tests only, 0123456789"]
[admin]
listen = ["127.0.0.1:9641"]
${extra}`;
}

/** Starts the binary in `namespace`, or here; without `toml`, with no configuration at all. Resolves when it is ready. */
export async function start({ namespace = null, toml = null, readyUrl = READY_URL }) {
  const server = new Server(namespace, toml, readyUrl);
  await server.ready();
  return server;
}

class Server {
  #process;
  #folder = temporary('server');
  /** The command that leads into the namespace. */
  #way;
  #readyUrl;
  #lines = [];

  constructor(namespace, toml, readyUrl) {
    this.#way = namespace ? ['ip', 'netns', 'exec', namespace] : [];
    this.#readyUrl = readyUrl;
    const file = join(this.#folder, 'posthouse.toml');
    if (toml) writeFileSync(file, toml, { mode: 0o600 });
    const args = toml ? ['run', '--config', file] : [];
    const [command, ...rest] = [...this.#way, binary(), ...args];
    this.#process = spawn(command, rest, { cwd: this.#folder });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => this.#log(text));
    }
  }

  /** What the server said last, for the message of a failing test. */
  get log() {
    return this.#lines.join('\n');
  }

  async ready() {
    const end = Date.now() + READY_WITHIN;
    while (!this.#isReady()) {
      if (this.#process.exitCode !== null || Date.now() > end) {
        throw new Error(`the server is not ready:\n${this.log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** SIGTERM, and again after a second, as the first lets calls go on; resolves with the exit code. */
  async stop() {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return exitCode ?? signalCode;
    const ended = new Promise((resolve) => this.#process.once('exit', (code, signal) => resolve(code ?? signal)));
    this.#process.kill('SIGTERM');
    const cut = setTimeout(() => this.#process.kill('SIGTERM'), 1000);
    try {
      return await ended;
    } finally {
      clearTimeout(cut);
    }
  }

  /** Asked from inside the namespace: there is no way in from here. */
  #isReady() {
    const ask = `fetch(${JSON.stringify(this.#readyUrl)}).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`;
    try {
      const [command, ...rest] = [...this.#way, process.execPath, '-e', ask];
      execFileSync(command, rest, { stdio: 'ignore', timeout: 5000 });
      return true;
    } catch {
      return false;
    }
  }

  #log(text) {
    this.#lines.push(...text.trimEnd().split('\n'));
    this.#lines.splice(0, Math.max(0, this.#lines.length - LOG_LINES));
  }
}
