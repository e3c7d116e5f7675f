// Signaling: two members in a room of their own, and a text that goes from one to the other and back.

import { Collider } from './collider.js';
import { randomName } from './name.js';
import { median, until, within } from './patience.js';
import { Room } from './room.js';

const PATIENCE = 8000;
const TIMES = 5;
const SLOW = 600;

export async function checkSignaling() {
  const room = new Room(`test-${randomName()}`, '');
  const members = [];
  try {
    for (let seat = 0; seat < 2; seat += 1) {
      const answer = await room.join();
      if (answer.result !== 'SUCCESS') return { level: 'bad', advice: 'signalingRefused', values: { result: answer.result } };
      members.push(sit(room.id, answer.params));
    }
    return await exchange(members);
  } finally {
    for (const { clientId, socket } of members) {
      socket.close();
      room.leave(clientId);
    }
  }
}

function sit(roomId, { client_id: clientId, wss_url: url, wss_post_url: postUrl }) {
  return { clientId, socket: new Collider({ url, postUrl, roomId, clientId }) };
}

async function exchange([near, far]) {
  const open = ({ socket }) => until(socket, ['open'], () => socket.open).then(() => true);
  if (!(await within(PATIENCE, Promise.all([open(near), open(far)]), false))) return { level: 'bad', advice: 'signalingClosed' };
  far.socket.addEventListener('message', ({ detail }) => far.socket.send(detail));
  const times = [];
  for (let turn = 0; turn < TIMES; turn += 1) {
    const start = performance.now();
    const text = `test ${turn}`;
    near.socket.send(text);
    if (!(await within(PATIENCE, heard(near.socket, text), false))) return { level: 'bad', advice: 'signalingMute' };
    times.push(performance.now() - start);
  }
  const milliseconds = Math.round(median(times));
  const level = milliseconds > SLOW ? 'fair' : 'good';
  return { level, advice: level === 'good' ? 'signalingGood' : 'signalingSlow', values: { milliseconds }, facts: [['roundTrip', 'milliseconds', milliseconds]] };
}

function heard(socket, text) {
  return new Promise((resolve) => {
    socket.addEventListener('message', ({ detail }) => detail === text && resolve(true));
  });
}
