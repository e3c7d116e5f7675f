// Unmodified npm packages in a page, without a bundler: each file as it lies in node_modules, names resolved by an import map.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MODULES = fileURLToPath(new URL('node_modules/', import.meta.url));
const PREFIX = '/node_modules/';

/** Packages that are not modules: loaded as a script, handed on as one. */
const SCRIPTS = {
  'simple-peer/simplepeer.min.js': 'SimplePeer',
  'peerjs/dist/peerjs.min.js': 'Peer',
  'phoenix-1.2/priv/static/phoenix.js': 'Phoenix',
};

/** Entry points, and folders whose files are imported without their ending. */
const IMPORTS = {
  phoenix: 'phoenix/priv/static/phoenix.mjs',
  yjs: 'yjs/dist/yjs.mjs',
  'y-webrtc': 'y-webrtc/src/y-webrtc.js',
  'y-protocols/': 'y-protocols/',
  'lib0/': 'lib0/',
  '@trystero-p2p/torrent': '@trystero-p2p/torrent/dist/index.mjs',
  '@trystero-p2p/core': '@trystero-p2p/core/dist/index.mjs',
  ...Object.fromEntries(Object.keys(SCRIPTS).map((file) => [file, `${file}?module`])),
};

/** Opens an empty page of `origin` in which `import()` finds the packages above. */
export async function openWithModules(page, origin) {
  const imports = Object.fromEntries(Object.entries(IMPORTS).map(([name, file]) => [name, PREFIX + file]));
  const scripts = Object.keys(SCRIPTS).map((file) => `<script src="${PREFIX}${file}"></script>`);
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  const body = `<!DOCTYPE html><link rel="icon" href="data:,">${scripts.join('')}${map}`;
  await page.route(`${origin}/modules`, (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.route(`${origin}${PREFIX}**`, (route) => route.fulfill(file(new URL(route.request().url()))));
  await page.goto(`${origin}/modules`);
}

function file(url) {
  const name = url.pathname.slice(PREFIX.length);
  const contentType = 'text/javascript';
  if (url.search === '?module') return { contentType, body: `export default globalThis.${SCRIPTS[name]};` };
  const path = [name, `${name}.js`].map((one) => MODULES + one).find((one) => existsSync(one) && /\.m?js$/.test(one));
  return path ? { contentType, body: readFileSync(path, 'utf8') } : { status: 404, body: name };
}
