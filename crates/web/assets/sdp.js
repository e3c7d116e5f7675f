// Changes to a session description (RFC 8866), for what the interface of RTCPeerConnection cannot say. Each takes and gives the text.

const EOL = '\r\n';

/** Opus' options (RFC 7587 §6.1), over those that are there. */
export function withOpus(sdp, options) {
  const type = /^a=rtpmap:(\d+) opus\//im.exec(sdp)?.[1];
  if (!type || Object.keys(options).length === 0) return sdp;
  const line = new RegExp(`^a=fmtp:${type} (.*)$`, 'm');
  const before = Object.fromEntries((line.exec(sdp)?.[1] ?? '').trim().split(';').filter(Boolean).map((pair) => pair.trim().split('=')));
  const text = `a=fmtp:${type} ${Object.entries({ ...before, ...options }).map((pair) => pair.join('=')).join(';')}`;
  return line.test(sdp) ? sdp.replace(line, text) : sdp.replace(new RegExp(`^(a=rtpmap:${type} .*)$`, 'm'), `$1${EOL}${text}`);
}

/** `b=AS` (RFC 8866 §5.8), in kbit/s, for the kinds that have a limit in `rates`: what the one that reads it may send. */
export function withRates(sdp, rates) {
  return eachMedia(sdp, (kind, text) => {
    if (!rates[kind]) return text;
    const lines = text.split(EOL).filter((line) => !/^b=(AS|TIAS):/.test(line));
    // §5: m=, i=, c=, b=, in this order.
    const after = lines.findLastIndex((line) => /^[mic]=/.test(line));
    return lines.toSpliced(after + 1, 0, `b=AS:${rates[kind]}`).join(EOL);
  });
}

/** Puts the formats of a codec first: who reads it sends with the first one it can. Unknown names change nothing. */
export function preferring(sdp, codecs) {
  return eachMedia(sdp, (kind, text) => {
    const name = codecs[kind]?.split('/')[0].replace(/[^\w-]/g, '');
    if (!name) return text;
    const wanted = [...text.matchAll(new RegExp(`^a=rtpmap:(\\d+) ${name}/`, 'gim'))].map(([, type]) => type);
    return text.replace(/^(m=\S+ \S+ \S+) (.*)$/m, (_, head, list) => {
      const types = list.trim().split(' ');
      return [head, ...types.filter((type) => wanted.includes(type)), ...types.filter((type) => !wanted.includes(type))].join(' ');
    });
  });
}

/** Without candidates that have an IPv6 address. */
export function withoutIpv6(sdp) {
  return sdp.split(EOL).filter((line) => !(line.startsWith('a=candidate:') && isIpv6(line.slice(2)))).join(EOL);
}

/** `candidate:…` as in RFC 8839 §5.1: the fifth field is the address. */
export function isIpv6(candidate) {
  return candidate.split(' ')[4]?.includes(':') ?? false;
}

function eachMedia(sdp, change) {
  const parts = sdp.split(/(?=^m=)/m);
  return parts.map((part) => (part.startsWith('m=') ? change(/^m=(\w+)/.exec(part)[1], part) : part)).join('');
}
