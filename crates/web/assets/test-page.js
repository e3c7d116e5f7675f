// The connectivity test: one button, the rows, the report, and the expert part.

import { copyField } from './clipboard.js';
import { CHECKS, ConnectivityTest } from './connectivity-test.js';
import { Expert } from './expert.js';
import { reportText } from './report.js';
import { Rows } from './rows.js';
import { readSettings } from './settings.js';
import { fill, offerLanguages, words } from './strings.js';

const byId = (id) => document.getElementById(id);
const connectivity = new ConnectivityTest();

fill(document);
document.title = `${words.test.title} · ${words.product}`;
offerLanguages(byId('language'));
const rows = new Rows(byId('checks'), CHECKS);
const expert = new Expert(readSettings(location.search));

connectivity.addEventListener('running', ({ detail }) => rows.running(detail.name));
connectivity.addEventListener('result', ({ detail }) => {
  rows.result(detail.name, detail.result);
  say(words.test.running(connectivity.results.size, CHECKS.length));
});
byId('start').addEventListener('click', run);
byId('mask').addEventListener('change', writeReport);
byId('copy-report').addEventListener('click', async () => {
  byId('report-status').textContent = (await copyField(byId('report-text'))) ? words.test.report.copied : words.test.report.copyFailed;
});

/** While it runs the button stays in the keyboard's reach: it is marked as disabled, and does nothing. */
async function run() {
  const button = byId('start');
  if (button.dataset.state === 'running') return;
  become(button, 'running');
  byId('report').hidden = true;
  rows.reset();
  say(words.test.running(0, CHECKS.length));
  await connectivity.run({ servers: expert.servers, seconds: expert.seconds });
  say(outcome());
  writeReport();
  byId('report').hidden = false;
  button.textContent = words.test.again;
  become(button, 'done');
}

function become(button, state) {
  button.dataset.state = state;
  button.setAttribute('aria-disabled', String(state === 'running'));
}

function outcome() {
  const count = (level) => [...connectivity.results.values()].filter((result) => result.level === level).length;
  const [good, fair, bad] = ['good', 'fair', 'bad'].map(count);
  return good === CHECKS.length ? words.test.allGood(good) : words.test.outcome(good, fair, bad);
}

function writeReport() {
  const inOrder = CHECKS.filter((name) => connectivity.results.has(name)).map((name) => [name, connectivity.results.get(name)]);
  byId('report-text').value = reportText(inOrder, byId('mask').checked);
}

function say(text) {
  byId('status').textContent = text;
}
