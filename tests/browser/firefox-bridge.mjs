// Started by Playwright in Firefox's place: starts it in a namespace and leads the one connection that drives it there.
//
//     firefox-bridge.mjs NAMESPACE AUTHORITY FIREFOX ARGUMENTS...
//
//  Playwright ── ws://127.0.0.1:P ──► bridge ── stdin, stdout ──► pipe in the namespace ── 127.0.0.1:P ──► Firefox
//
// Chromium is driven over a pipe; Firefox over a WebSocket on 127.0.0.1, and every namespace has a 127.0.0.1 of its own.
// AUTHORITY is the certificate of one that the profile shall trust: Playwright makes the profile a moment before.

import { execFileSync, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

const LARGEST = 256 * 1024 * 1024;

const [namespace, authority, firefox, ...args] = process.argv.slice(2);

trust(args[args.indexOf('--profile') + 1]);

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: LARGEST }, () => {
  const ported = args.map((one) => (one === '--remote-debugging-port=0' ? `--remote-debugging-port=${port()}` : one));
  const browser = spawn('ip', ['netns', 'exec', namespace, firefox, ...ported], { stdio: 'inherit' });
  browser.on('exit', (code) => process.exit(code ?? 1));
});

server.on('connection', (driver, { url }) => {
  const inside = new WebSocket(`ws://127.0.0.1:${port()}${url}`, { createConnection: dial, maxPayload: LARGEST });
  const opened = new Promise((resolve) => inside.once('open', resolve));
  const asked = new Map();
  driver.on('message', async (data) => {
    const { id, method } = JSON.parse(data);
    asked.set(id, method);
    await opened;
    inside.send(String(data));
  });
  inside.on('message', (data) => driver.send(translate(String(data), asked)));
  inside.on('error', (error) => console.error(`firefox-bridge: ${error.message}`));
  for (const [one, other] of [[driver, inside], [inside, driver]]) one.on('close', () => other.close());
});

/**
 * What Playwright understands, which is written for Firefoxes to come. It sets media features on every tab, a command that Firefox ESR 153
 * does not know: nobody here asks for any, so let it be done. And it wants downloads to have a name: a blob has an address of its own.
 */
function translate(text, asked) {
  const message = JSON.parse(text);
  const method = asked.get(message.id);
  asked.delete(message.id);
  if (message.error === 'unknown command' && method === 'emulation.setMediaFeaturesOverride') {
    return JSON.stringify({ type: 'success', id: message.id, result: {} });
  }
  if (/^browsingContext\.download/.test(message.method)) message.params.download ??= message.params.url;
  return JSON.stringify(message);
}

function trust(profile) {
  execFileSync('certutil', ['-d', `sql:${profile}`, '-N', '--empty-password']);
  execFileSync('certutil', ['-d', `sql:${profile}`, '-A', '-t', 'C,,', '-n', 'Browser tests', '-i', authority]);
}

/** A connection to Firefox's port, made by a process that is where Firefox is. */
function dial() {
  const pipe = `const s = require('net').connect(${port()}, '127.0.0.1'); process.stdin.pipe(s); s.pipe(process.stdout);`;
  const { stdin, stdout } = spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', pipe], { stdio: ['pipe', 'pipe', 'inherit'] });
  const way = Duplex.from({ writable: stdin, readable: stdout });
  return Object.assign(way, { setNoDelay() {}, setTimeout() {} });
}

function port() {
  return server.address().port;
}
