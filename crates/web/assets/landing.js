// The landing page: a room name leads to `/r/NAME`.

import { fill, offerLanguages, words } from './strings.js';
import { complaint, randomName, roomPath } from './name.js';
import { forgetRooms, recentRooms } from './recent.js';

const byId = (id) => document.getElementById(id);
const field = byId('room-name');
const problem = byId('room-problem');

fill(document);
offerLanguages(byId('language'));
document.title = words.product;
showRecent();

byId('room-form').addEventListener('submit', (event) => {
  event.preventDefault();
  open(field.value.trim());
});
field.addEventListener('input', () => complain(''));
byId('random').addEventListener('click', () => {
  field.value = randomName();
  complain('');
  field.focus();
});
byId('forget').addEventListener('click', () => {
  forgetRooms();
  showRecent();
  field.focus();
});

function open(name) {
  const text = complaint(name);
  complain(text);
  if (text) field.focus();
  else location.assign(roomPath(name) + location.search);
}

function complain(text) {
  problem.textContent = text;
  field.setAttribute('aria-invalid', String(text !== ''));
}

function showRecent() {
  const rooms = recentRooms();
  byId('recent').hidden = rooms.length === 0;
  byId('recent-rooms').replaceChildren(...rooms.map(recentRoom));
}

function recentRoom(name) {
  const link = document.createElement('a');
  link.href = roomPath(name);
  link.textContent = name;
  const item = document.createElement('li');
  item.append(link);
  return item;
}
