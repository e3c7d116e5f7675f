// The old file sharing page (`ephemeral_share`), as far as its protocol goes: npm `phoenix` and `simple-peer`, JSON texts, one chunk
// a round trip, segments counted from 1. All functions run in a page that `openWithModules` opened.

/** An id from the broker, and a channel under it. */
export async function register(signaling) {
  const { Socket } = await import('phoenix');
  const open = (path) => {
    const socket = new Socket(`${signaling}${path}`);
    socket.connect();
    return socket;
  };
  const joined = (channel) => new Promise((resolve, reject) => channel.join().receive('ok', resolve).receive('error', reject));
  const broker = open('/ws').channel('broker:match', {});
  const registered = new Promise((resolve) => broker.on('registered', ({ id }) => resolve(id)));
  await joined(broker);
  broker.push('register', {});
  const id = await registered;
  broker.leave();
  const channel = open('/peer').channel(`peer:${id}`, {});
  await joined(channel);
  Object.assign(globalThis, { id, channel });
  return id;
}

/** Offers one file of `size` bytes that count upwards, to everybody who connects. */
export async function share([name, size]) {
  const { channel, id, SimplePeer } = globalThis;
  const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) % 256);
  const chunk = 16 * 1024;
  const peers = {};
  channel.on('answer', ({ answer, peer_id }) => peers[peer_id].signal(answer));
  channel.on('peer_connect', ({ peer_id }) => {
    const peer = new SimplePeer({ initiator: true, trickle: false, config: { iceServers: [] } });
    const say = (type, data) => peer.send(JSON.stringify({ type, data }));
    let segment = 1;
    let at = 0;
    const send = (transfer_id) => {
      if (at * chunk >= size) return;
      const data = String.fromCharCode.apply(null, bytes.subarray(at * chunk, (at + 1) * chunk));
      say('file_chunk', { transfer_id, chunkNumber: at, totalChunks: Math.ceil(size / chunk), data });
      at += 1;
    };
    peers[peer_id] = peer;
    peer.on('signal', (offer) => channel.push('offer', { offer, peer_id, sender_id: id }));
    peer.on('connect', () => say('files', [{ name, size }]));
    peer.on('data', (text) => {
      const { type, data } = JSON.parse(text.toString('utf-8'));
      if (type === 'download' && data.name === name) send(data.transfer_id);
      if (type !== 'file_segment_ack' || data.segment_number !== segment) return;
      segment += 1;
      setTimeout(send, 0, data.transfer_id);
    });
  });
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/** Connects to `sender` and downloads the file `name`; its digest. */
export async function download([sender, name]) {
  const { channel, id, SimplePeer } = globalThis;
  const peer = new SimplePeer({ trickle: false, config: { iceServers: [] } });
  const say = (type, data) => peer.send(JSON.stringify({ type, data }));
  peer.on('signal', (answer) => channel.push('answer', { answer, peer_id: sender, sender_id: id }));
  channel.on('offer', ({ offer }) => peer.signal(offer));
  channel.push('connect', { peer_id: sender, sender_id: id });
  const buffer = [];
  await new Promise((resolve) => {
    peer.on('data', (text) => {
      const { type, data } = JSON.parse(text.toString('utf-8'));
      if (type === 'files' && data.some((file) => file.name === name)) say('download', { name, transfer_id: 'aB3xY', transfer_rate: 1 });
      if (type !== 'file_chunk' || data.transfer_id !== 'aB3xY') return;
      buffer[data.chunkNumber] = Uint8Array.from(data.data, (character) => character.charCodeAt(0));
      say('file_segment_ack', { transfer_id: 'aB3xY', segment_number: buffer.length });
      if (data.chunkNumber === data.totalChunks - 1) resolve();
    });
  });
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', await new Blob(buffer).arrayBuffer())));
}
