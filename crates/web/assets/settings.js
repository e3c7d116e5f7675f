// Settings of the test that a link can carry: servers without their credentials, policy, pool, seconds.

const SECONDS = 5;
const MOST_SECONDS = 60;
const MOST_POOL = 10;

/** From a query (`location.search`); `servers` is null unless the link names some. */
export function readSettings(query) {
  const given = new URLSearchParams(query);
  const urls = given.getAll('url').filter(Boolean);
  return {
    servers: urls.length > 0 ? urls.map((url) => ({ urls: [url] })) : null,
    policy: given.get('policy') === 'relay' ? 'relay' : 'all',
    pool: bounded(given.get('pool'), 0, MOST_POOL, 0),
    seconds: bounded(given.get('seconds'), 1, MOST_SECONDS, SECONDS),
  };
}

/** The address of this page with these settings. User names and credentials never go into it. */
export function settingsLink({ servers, policy, pool, seconds }) {
  const link = new URL(location.pathname, location.origin);
  for (const url of (servers ?? []).flatMap(({ urls }) => urls)) link.searchParams.append('url', url);
  if (policy !== 'all') link.searchParams.set('policy', policy);
  if (pool > 0) link.searchParams.set('pool', pool);
  if (seconds !== SECONDS) link.searchParams.set('seconds', seconds);
  return link.href;
}

/** `RTCConfiguration` as text; without credentials unless they are wanted. */
export function writeJson({ servers, policy, pool }, withCredentials) {
  const iceServers = servers.map(({ urls, username, credential }) => (withCredentials ? { urls, username, credential } : { urls }));
  return JSON.stringify({ iceServers, iceTransportPolicy: policy, iceCandidatePoolSize: pool }, null, 2);
}

/** From an `RTCConfiguration`, a list of servers or one server; throws what is wrong. */
export function readJson(text) {
  const given = JSON.parse(text);
  const list = [given.iceServers ?? given].flat();
  const servers = list.map(({ urls, url, username, credential }) => ({ urls: [urls ?? url].flat(), username, credential }));
  if (!servers.every(({ urls }) => urls.every((one) => typeof one === 'string'))) throw new TypeError('urls');
  return { servers, policy: given.iceTransportPolicy === 'relay' ? 'relay' : 'all', pool: bounded(given.iceCandidatePoolSize, 0, MOST_POOL, 0) };
}

function bounded(given, least, most, otherwise) {
  const number = Number.parseInt(given, 10);
  return Number.isNaN(number) ? otherwise : Math.min(most, Math.max(least, number));
}
