// The box behind the info button: how the call travels, in numbers. Also feeds the chip that says direct or relayed.

import { selectedPath } from './path.js';
import { words } from './strings.js';

const EVERY = 2000;

/** Looks at the connection every two seconds; calls `showPath` with the path or null. */
export function watchDetails(call, showPath) {
  let before = null;
  const look = async () => {
    const { peer } = call;
    const path = peer?.connected ? await selectedPath(peer.pc).catch(() => null) : null;
    if (peer !== call.peer) return;
    const now = path && { ...path, at: performance.now() };
    showPath(path);
    // Two looks in the same moment say nothing about a rate.
    if (now && before && now.at - before.at < EVERY / 4) return;
    write(rows(call, now, before));
    before = now;
  };
  setInterval(look, EVERY);
  call.addEventListener('state', look);
}

export function toggleDetails() {
  const box = document.getElementById('details');
  box.hidden = !box.hidden;
  document.querySelector('[data-act="details"]').setAttribute('aria-pressed', String(!box.hidden));
}

function rows(call, now, before) {
  const text = words.detail;
  return [
    [text.room, call.roomId],
    [text.state, words.state[call.state]],
    [text.signaling, call.signaling ? words.state.connected : text.none],
    [text.path, now ? (now.relayed ? words.path.relayed(now.protocol) : words.path.direct) : text.none],
    [text.candidates, now ? text.pair(now.local, now.remote) : text.none],
    [text.delay, now ? text.milliseconds(now.milliseconds) : text.none],
    [text.received, rate(now, before, 'received')],
    [text.sent, rate(now, before, 'sent')],
    [text.duration, call.since ? duration(Date.now() - call.since) : text.none],
  ];
}

/** A new pair counts from zero. */
function rate(now, before, direction) {
  if (!now || !before || now[direction] < before[direction]) return words.detail.none;
  return words.detail.kilobits(Math.round(((now[direction] - before[direction]) * 8) / (now.at - before.at)));
}

function duration(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  const pad = (value) => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
}

function write(pairs) {
  document.getElementById('detail-list').replaceChildren(
    ...pairs.flatMap(([name, value]) => [element('dt', name), element('dd', value)]),
  );
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
