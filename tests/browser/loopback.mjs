// The real binary on this machine's loopback interface, for clients that need no browser and no NAT; and a wire to it that can be cut.

import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { after } from 'node:test';
import { start } from './server.mjs';

/** Starts the binary on ports that are free; `extra` is TOML. Ends with the test file. */
export async function startOnLoopback(extra = '') {
  const [web, admin, relay] = [await freePort(), await freePort(), await freePort()];
  const toml = `
[web]
listen = ["127.0.0.1:${web}"]
public_url = "http://127.0.0.1:${web}"
[relay]
listen = ["127.0.0.1:${relay}"]
relay_addresses = ["127.0.0.1"]
[auth]
realm = "client.test"
secrets = ["a secret for the client tests only, 0123456789"]
[admin]
listen = ["127.0.0.1:${admin}"]
${extra}`;
  const house = { server: null, port: web, url: `http://127.0.0.1:${web}` };
  /** Starts it, the first time or after it was stopped: the same ports, nothing remembered. */
  house.open = async () => {
    house.server = await start({ toml, readyUrl: `http://127.0.0.1:${admin}/readyz` });
  };
  after(() => house.server?.stop());
  await house.open();
  return house;
}

/** A wire to `port`: `cut()` ends all connections through it without a goodbye, `open` says whether new ones are let in. */
export async function wire(port) {
  const pairs = new Set();
  const wire = { open: true, cut: () => pairs.forEach((end) => end()) };
  const server = createServer((near) => {
    if (!wire.open) return near.resetAndDestroy();
    const far = connect(port, '127.0.0.1');
    const end = () => {
      pairs.delete(end);
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    pairs.add(end);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('error', end).on('close', end);
      from.pipe(to);
    }
    return null;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    wire.cut();
    server.close();
  });
  return Object.assign(wire, { url: `http://127.0.0.1:${server.address().port}` });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
