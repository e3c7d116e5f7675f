// The expert part: which servers, how to gather, what came, and all of it as JSON or as a link.

import { showGathered } from './candidate-table.js';
import { copyField, copyText } from './clipboard.js';
import { gather } from './gathering.js';
import { iceConfig } from './ice-config.js';
import { ServerList } from './server-list.js';
import { readJson, settingsLink, writeJson } from './settings.js';
import { words } from './strings.js';

const PATIENCE = 12_000;
const byId = (id) => document.getElementById(id);

export class Expert {
  #list = new ServerList(byId('servers'));

  /** `settings`: from `readSettings`. */
  constructor(settings) {
    this.#write({ servers: settings.servers ?? [], ...settings });
    byId('seconds').value = settings.seconds;
    byId('use-them').checked = settings.servers !== null;
    byId('expert').open = settings.servers !== null;
    byId('add').addEventListener('click', () => this.#list.add({}).querySelector('input').focus());
    byId('own').addEventListener('click', () => this.#takeOwn());
    byId('gather').addEventListener('click', () => this.#gather());
    byId('copy-json').addEventListener('click', () => this.#copyJson());
    byId('paste-json').addEventListener('click', () => this.#takeJson());
    byId('link').addEventListener('click', () => this.#copyLink());
  }

  /** For the test: the edited servers, or null for this server's own. */
  get servers() {
    return byId('use-them').checked ? this.#list.read() : null;
  }

  get seconds() {
    const { value, min, max } = byId('seconds');
    return Math.min(Number(max), Math.max(Number(min), Math.round(Number(value)) || Number(min)));
  }

  #read() {
    const policy = byId('policy-relay').checked ? 'relay' : 'all';
    return { servers: this.#list.read(), policy, pool: Number(byId('pool').value) || 0, seconds: this.seconds };
  }

  #write({ servers, policy, pool }) {
    this.#list.write(servers ?? []);
    byId(`policy-${policy}`).checked = true;
    byId('pool').value = pool;
  }

  async #takeOwn() {
    try {
      this.#list.write((await iceConfig()).servers);
    } catch ({ message }) {
      say(words.test.advice.credentialsBad({ reason: message }));
    }
  }

  async #gather() {
    const { servers, policy, pool } = this.#read();
    const configuration = { iceServers: servers, iceTransportPolicy: policy, iceCandidatePoolSize: pool };
    const show = (gathered) => showGathered(gathered, byId('candidates'), byId('errors'));
    byId('gather').disabled = true;
    byId('tables').hidden = false;
    say(words.test.expert.gathering);
    try {
      show({ candidates: [], errors: [] });
      const gathered = await gather(configuration, PATIENCE, show);
      say(words.test.expert.gathered(gathered.candidates.length, gathered.errors.length));
    } catch ({ message }) {
      say(words.test.expert.wrongServer({ reason: message }));
    }
    byId('gather').disabled = false;
  }

  async #copyJson() {
    byId('json').value = writeJson(this.#read(), byId('with-credentials').checked);
    say((await copyField(byId('json'))) ? words.test.expert.jsonCopied : words.test.report.copyFailed);
  }

  #takeJson() {
    try {
      this.#write(readJson(byId('json').value));
      say(words.test.expert.jsonTaken);
    } catch ({ message }) {
      say(words.test.expert.jsonBad({ reason: message }));
    }
  }

  async #copyLink() {
    const { servers, ...settings } = this.#read();
    const field = byId('json');
    const link = settingsLink({ ...settings, servers: byId('use-them').checked ? servers : null });
    field.value = link;
    say((await copyText(link, field)) ? words.test.expert.linkCopied : words.test.report.copyFailed);
  }
}

function say(text) {
  byId('expert-status').textContent = text;
}
