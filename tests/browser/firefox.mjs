// Firefox inside a network namespace, with a fake camera and microphone, driven by WebDriver BiDi.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firefox } from 'playwright-core';
import { Launched } from './browser.mjs';
import { temporary } from './folder.mjs';

const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const BRIDGE = fileURLToPath(new URL('firefox-bridge.mjs', import.meta.url));

const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  // A sound card: where there is none, no AudioContext ever runs.
  'media.cubeb.force_mock_context': true,
  // Real addresses instead of mDNS names, as a page with a granted camera gets: here nobody would resolve them.
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  // Nothing of its own goes out.
  'app.update.auto': false,
  'browser.region.network.url': '',
  'browser.topsites.contile.enabled': false,
  'captivedetect.canonicalURL': '',
  'extensions.blocklist.enabled': false,
  'messaging-system.rsexperimentloader.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.trr.mode': 5,
  'services.settings.server': 'data:,',
};

/** A browser in `namespace` that trusts the authority whose PEM file is `authority`. */
export async function launch({ namespace, authority }) {
  const wrapper = join(temporary('firefox'), 'firefox');
  const command = [process.execPath, BRIDGE, namespace, authority, FIREFOX].map((word) => `'${word}'`).join(' ');
  writeFileSync(wrapper, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  return new Launched(await firefox.launch({ channel: 'moz-firefox', executablePath: wrapper, firefoxUserPrefs: PREFERENCES }));
}
