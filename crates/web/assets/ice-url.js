// URLs of ICE servers (RFC 7064, RFC 7065), and lists of servers taken apart into single URLs.

const SYNTAX = /^(stuns?|turns?):(\[[^\]]+\]|[^:?\s]+)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/i;

/** `{scheme, secure, relay, host, port, transport, six}`, or null. Without `?transport=` it is TCP over TLS, else UDP. */
export function parseIceUrl(url) {
  const found = SYNTAX.exec(url);
  if (!found) return null;
  const [scheme, host] = [found[1].toLowerCase(), found[2]];
  const secure = scheme.endsWith('s');
  return {
    scheme,
    secure,
    relay: scheme.startsWith('turn'),
    host,
    port: Number(found[3] ?? (secure ? 5349 : 3478)),
    transport: (found[4] ?? (secure ? 'tcp' : 'udp')).toLowerCase(),
    six: host.startsWith('['),
  };
}

/** Each URL by itself: `{url, server, ...parseIceUrl(url)}`, where `server` is an `RTCIceServer` of that URL alone. */
export function oneByOne(servers) {
  return servers.flatMap((server) => [server.urls].flat().map((url) => ({ url, server: { ...server, urls: [url] }, ...parseIceUrl(url) })))
    .filter(({ scheme }) => scheme);
}

/** How a relay's URL is reached: `Udp`, `Tcp` or `Tls`. */
export function wayOf({ secure, transport }) {
  if (secure) return 'Tls';
  return transport === 'tcp' ? 'Tcp' : 'Udp';
}
