// A certificate authority of a test's own, and a home whose browsers trust it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporary } from './folder.mjs';

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];

export class Authority {
  #folder = temporary('authority');

  constructor() {
    const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
    const subject = ['-subj', '/CN=Browser tests', '-days', '7'];
    openssl('req', '-x509', ...EC, ...subject, ...extensions, '-keyout', this.#file('ca.key'), '-out', this.certificate);
  }

  /** TOML of a certificate for `host`. */
  certify(host) {
    const [request, certificate, key] = ['host.csr', 'host.pem', 'host.key'].map((name) => this.#file(name));
    openssl('req', ...EC, '-subj', `/CN=${host}`, '-keyout', key, '-out', request);
    writeFileSync(this.#file('host.ext'), `subjectAltName=DNS:${host}\nextendedKeyUsage=serverAuth\n`);
    const by = ['-CA', this.certificate, '-CAkey', this.#file('ca.key'), '-CAcreateserial'];
    openssl('x509', '-req', '-in', request, ...by, '-days', '7', '-extfile', this.#file('host.ext'), '-out', certificate);
    return `[tls]\ncertificate = "${certificate}"\nkey = "${key}"\n`;
  }

  /** A new home folder; Chromium started with it trusts this authority. */
  home() {
    const home = temporary('home');
    const store = `sql:${join(home, '.pki/nssdb')}`;
    mkdirSync(join(home, '.pki/nssdb'), { recursive: true });
    run('certutil', ['-d', store, '-N', '--empty-password']);
    run('certutil', ['-d', store, '-A', '-t', 'C,,', '-n', 'Browser tests', '-i', this.certificate]);
    return home;
  }

  /** The authority's own certificate, a PEM file. */
  get certificate() {
    return this.#file('ca.pem');
  }

  #file(name) {
    return join(this.#folder, name);
  }
}

function openssl(...args) {
  run('openssl', args);
}

function run(program, args) {
  execFileSync(program, args, { stdio: 'pipe' });
}
