// The connectivity test: all green on an open network, and the right rows red where something is in the way.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Authority } from './authority.mjs';
import { at, report, run } from './checks.mjs';
import { build } from './house.mjs';
import { SERVER_ADDRESS } from './network.mjs';

const PATIENCE = 90_000;
const HOST = 'posthouse.test';
const PAGE = `https://${HOST}/test?seconds=1`;
const RELAYS = ['turnUdp', 'turnTcp', 'turnTls', 'turn443'];

const authority = new Authority();
const extra = `${authority.certify(HOST)}[edge]\nlisten = ["${SERVER_ADDRESS}:443"]\n`;
const house = await build({ kinds: ['open', 'symmetric', 'cone', 'symmetric'], extra, url: `https://${HOST}` });
for (const number of [1, 2, 3, 4]) house.network.name(number, HOST);
house.network.firewall(2, 'meta l4proto tcp');
const home = authority.home();
const open = await house.browser(1, { secure: false, home });

const advice = (page, name) => page.textContent(`#check-${name} .advice`);

/** What the server issued to the page, once it has. */
function issued(page) {
  return page.waitForResponse(/\/v1alpha\/iceconfig/).then((response) => response.json()).then(({ iceServers }) => iceServers);
}

test('on an open network every row is green, and the report tells no secret', async () => {
  const { page, complaints } = await open.tab();
  await page.goto(PAGE);
  const servers = issued(page);
  const levels = await run(page);
  assert.equal(at(levels, 'good').length, 14, await report(page));
  assert.equal(await page.textContent('#status'), 'All 14 checks are good.');
  assert.ok(await page.isVisible('#check-throughput svg polyline'), 'the plot has a curve');
  for (const name of RELAYS) assert.match(await page.textContent(`#check-${name} dl`), /16384/, `${name} echoed bytes`);
  assert.doesNotMatch(await report(page), new RegExp(SERVER_ADDRESS.slice(0, 5)), 'addresses are hidden');
  await page.uncheck('#mask');
  assert.ok((await report(page)).includes(SERVER_ADDRESS), 'addresses are shown');
  const { username, credential } = (await servers).find((server) => server.username);
  for (const secret of [username, credential]) assert.ok(!(await report(page)).includes(secret));
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.click('#copy-report');
  await page.waitForSelector('#report-status:not(:empty)');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await report(page), 'what is pasted is what is shown');
  assert.deepEqual(complaints, []);
});

test('behind a firewall that stops UDP, the rows of UDP are red and those of TCP and TLS green', async () => {
  const browser = await house.browser(2, { secure: false, home });
  const { page, complaints } = await browser.tab();
  await page.goto(PAGE);
  const levels = await run(page);
  assert.deepEqual(at(levels, 'bad'), ['stun', 'turnUdp'], await report(page));
  assert.deepEqual(at(levels, 'fair'), ['nat'], await report(page));
  assert.match(await advice(page, 'stun'), /a firewall blocks it/);
  assert.match(await advice(page, 'turnUdp'), /does not answer over UDP/);
  assert.ok(house.network.stopped(2) > 0, 'the firewall had UDP to stop');
  assert.deepEqual(complaints, []);
});

test('credentials made with another secret turn the rows of the relay red, each with the code 401', async () => {
  const { page, complaints } = await open.tab();
  await page.exposeFunction('sign', (username) => createHmac('sha1', 'another secret').update(username).digest('base64'));
  await page.addInitScript(() => {
    const ask = Response.prototype.json;
    Response.prototype.json = async function json() {
      const answer = await ask.call(this);
      for (const server of answer.iceServers ?? []) {
        if (server.username) server.credential = await window.sign(server.username);
      }
      return answer;
    };
  });
  await page.goto(PAGE);
  const levels = await run(page);
  assert.deepEqual(at(levels, 'bad'), RELAYS, await report(page));
  for (const name of RELAYS) assert.match(await advice(page, name), /refuses the credentials \(401\)/);
  assert.deepEqual(at(levels, 'fair').sort(), ['nat', 'permission', 'throughput'], await report(page));
  assert.equal(levels.wrongCredential, 'good');
  assert.deepEqual(complaints, []);
});

test('a relay that would send to the address that none may send to is noticed', async () => {
  const { page } = await open.tab();
  // An address that this relay does permit stands in for the forbidden one, which no server here would take.
  const body = readFileSync(new URL('../../crates/web/assets/check-refusals.js', import.meta.url), 'utf8').replace('192.0.2.1', '11.1.1.200');
  await page.route('**/check-refusals.js', (route) => route.fulfill({ body, contentType: 'text/javascript' }));
  await page.goto(PAGE);
  const { advice } = await page.evaluate(async () => {
    const { iceServers } = await (await fetch('/v1alpha/iceconfig', { method: 'POST' })).json();
    const relay = iceServers.find(({ username }) => username);
    const { checkPermission } = await import(document.querySelector('link[href$="/check-refusals.js"]').href);
    return checkPermission({ ...relay, urls: [relay.urls[0]] });
  });
  assert.equal(advice, 'permissionOpen');
});

for (const [number, kind, level, advice] of [[3, 'cone', 'good', 'natCone'], [4, 'symmetric', 'fair', 'natSymmetric']]) {
  test(`a ${kind} NAT is recognised`, async () => {
    const browser = await house.browser(number, { secure: false, home });
    const { page } = await browser.tab();
    await page.goto(PAGE);
    const judged = await page.evaluate(async () => {
      const { iceServers } = await (await fetch('/v1alpha/iceconfig', { method: 'POST' })).json();
      const relay = iceServers.find(({ username }) => username);
      const { checkNat } = await import(document.querySelector('link[href$="/check-nat.js"]').href);
      return checkNat(iceServers, { ...relay, urls: [relay.urls.find((url) => /transport=udp/.test(url))] });
    });
    assert.deepEqual([judged.level, judged.advice], [level, advice], JSON.stringify(judged.facts));
    await browser.close();
  });
}

test('experts see candidates and errors, and neither link nor JSON carries a credential unasked', async () => {
  const { page, complaints } = await open.tab();
  const relay = `turn:${SERVER_ADDRESS}:3478?transport=udp`;
  await page.goto(`https://${HOST}/test?url=${encodeURIComponent(relay)}&policy=relay&seconds=3`);
  assert.ok(await page.isChecked('#use-them'));
  assert.ok(await page.isChecked('#policy-relay'));
  const [urls, username, credential] = await page.$$('#servers input');
  assert.equal(await urls.inputValue(), relay);
  await username.fill('somebody');
  await credential.fill('a password');
  await page.click('#gather');
  await page.waitForSelector('#errors tr', { timeout: PATIENCE });
  assert.match(await page.textContent('#errors'), /401/);
  await page.waitForSelector('#gather:enabled');
  assert.equal(await page.$$eval('#candidates tr', (rows) => rows.length), 0);
  await page.click('#link');
  assert.equal(await page.inputValue('#json'), `https://${HOST}/test?url=${encodeURIComponent(relay).replaceAll('%20', '+')}&policy=relay&seconds=3`);
  await page.click('#copy-json');
  assert.doesNotMatch(await page.inputValue('#json'), /somebody|password/);
  await page.check('#with-credentials');
  await page.click('#copy-json');
  assert.match(await page.inputValue('#json'), /somebody[^]*a password/);
  const servers = await page.evaluate(async () => (await (await fetch('/v1alpha/iceconfig', { method: 'POST' })).json()).iceServers);
  await page.fill('#json', JSON.stringify({ iceServers: servers, iceTransportPolicy: 'all' }));
  await page.click('#paste-json');
  assert.ok(await page.isChecked('#policy-all'));
  await page.click('#gather');
  await page.waitForSelector('#candidates tr td:text-is("relay")', { timeout: PATIENCE });
  await page.fill('#json', 'no JSON');
  await page.click('#paste-json');
  assert.match(await page.textContent('#expert-status'), /no list of ICE servers/);
  assert.deepEqual(complaints, []);
});
