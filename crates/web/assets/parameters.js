// What the address of the page asks for. AppRTC's names; the server reads the same query, so it travels on with every request.

import { askedConstraints } from './constraints.js';

/** The meaning of `query` (`location.search`); the table of all names is in the README. */
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
    hd: flag(given, 'hd'),
    /** Further constraints for each kind of device: `audio=echoCancellation=false`. */
    constraints: { audio: askedConstraints(given.get('audio')), video: askedConstraints(given.get('video')) },
    loopback: given.get('debug') === 'loopback',
    /** False keeps IPv6 addresses out of the call. */
    ipv6: given.get('ipv6') !== 'false',
    /** Marks packets for networks that look at them (RFC 8837), through `RTCRtpEncodingParameters.networkPriority`. */
    dscp: given.get('dscp') === 'true',
    /** Preferred codecs, as "opus" or "VP9", or null. */
    codecs: { send: { audio: given.get('asc'), video: given.get('vsc') }, receive: { audio: given.get('arc'), video: given.get('vrc') } },
    /** Limits in kbit/s, or null. */
    rates: {
      send: { audio: number(given, 'asbr'), video: number(given, 'vsbr') },
      receive: { audio: number(given, 'arbr'), video: number(given, 'vrbr') },
    },
    /** Opus' own options (RFC 7587 §6.1) by their names in SDP: "0" or "1", or a rate. */
    opus: opusOptions(given),
  });
}

/** The room in a path `/r/ROOM`. */
export function roomOf(path) {
  return decodeURIComponent(path.split('/')[2] ?? '');
}

/** true, false, or null where the link says nothing. */
function flag(given, name) {
  const value = given.get(name)?.toLowerCase();
  return value === 'true' ? true : value === 'false' ? false : null;
}

function number(given, name) {
  const value = Number(given.get(name));
  return Number.isFinite(value) && value > 0 ? Math.round(value) : null;
}

function opusOptions(given) {
  const bit = (name) => ({ true: '1', false: '0' })[given.get(name)];
  const rate = number(given, 'opusmaxpbr');
  const options = { stereo: bit('stereo'), 'sprop-stereo': bit('stereo'), useinbandfec: bit('opusfec'), usedtx: bit('opusdtx'), maxplaybackrate: rate?.toString() };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value));
}
