// What the address of the page asks for. AppRTC's names; the server reads the same query, so it travels on with every request.

/** `it`, `tt`, `audio`, `video` and `hd` of `query` (`location.search`). */
export function readParameters(query) {
  const given = new URLSearchParams(query);
  return Object.freeze({
    query,
    /** `iceTransportPolicy`: "all" or "relay". */
    iceTransportPolicy: given.get('it') === 'relay' ? 'relay' : 'all',
    /** Only TURN servers over this transport ("udp", "tcp"), or null for all. */
    turnTransport: ['udp', 'tcp'].includes(given.get('tt')) ? given.get('tt') : null,
    audio: given.get('audio') !== 'false',
    video: given.get('video') !== 'false',
    hd: given.get('hd') !== 'false',
  });
}

/** The room in a path `/r/ROOM`. */
export function roomOf(path) {
  return decodeURIComponent(path.split('/')[2] ?? '');
}
