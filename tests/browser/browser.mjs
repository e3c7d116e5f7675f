// Chromium inside a network namespace, with a fake camera and microphone.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { temporary } from './folder.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Where nothing else is said: a loaded machine may take long, and how long is never judged. */
const PATIENCE = 60_000;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-domain-reliability',
  '--disable-default-apps',
  '--no-pings',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

/** Grants camera and microphone, and shows real addresses instead of mDNS names, as a page with a granted camera does. */
const GRANTED = '--use-fake-ui-for-media-stream';

/**
 * A browser in `namespace` that treats `origin` as secure, unless `secure` is false: over plain http, only localhost has a camera.
 * With `granted: false` nobody answers the question for the camera: the browser says no.
 * `flags` are further ones, such as more fake devices.
 * `home` holds the certificate authorities that the browser trusts beside its own.
 */
export async function launch({ namespace, origin, granted = true, secure = true, home, flags = [] }) {
  const wrapper = join(temporary('chromium'), 'chromium');
  writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${namespace} ${CHROMIUM} "$@"\n`, { mode: 0o755 });
  const args = [...FLAGS, ...flags];
  if (granted) args.push(GRANTED);
  if (secure) args.push(`--unsafely-treat-insecure-origin-as-secure=${origin}`);
  const env = home ? { ...process.env, HOME: home } : process.env;
  const server = await chromium.launchServer({ executablePath: wrapper, args, env });
  const browser = await chromium.connect(server.wsEndpoint());
  return new Launched(browser, server);
}

/** A running browser; `server` is the process that holds it, where that is not the browser itself. */
export class Launched {
  #server;
  #browser;

  constructor(browser, server = null) {
    this.#server = server;
    this.#browser = browser;
  }

  get version() {
    return `${this.#browser.browserType().name()} ${this.#browser.version()}`;
  }

  /** A tab of its own, as of another person, watched for everything that a good page does not do. */
  async tab(options = {}) {
    const context = await this.#browser.newContext(options);
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    return { page, complaints: await watch(page) };
  }

  /** SIGKILL: no unload, no goodbye; the kernel closes the sockets. */
  async kill() {
    await this.#server.kill();
  }

  async close() {
    await this.#browser.close().catch(() => {});
    await this.#server?.close();
  }
}

/** A growing list of errors, policy violations and requests to other hosts. */
async function watch(page) {
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => note(new URL(request.url())));
  page.on('websocket', (socket) => note(new URL(socket.url())));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`policy violation: ${violatedDirective} ${blockedURI}`);
    });
  });
  function note(url) {
    const own = page.url() === 'about:blank' ? url.host : new URL(page.url()).host;
    if (url.host !== own) complaints.push(`request to ${url.host}`);
  }
  return complaints;
}
