// The landing page: a room name leads to `/r/NAME`.

import { fill, offerLanguages, words } from './strings.js';
import { complaint, meetingPath, randomName, roomPath } from './name.js';
import { forgetRooms, recentRooms } from './recent.js';

const byId = (id) => document.getElementById(id);
const field = byId('room-name');
const problem = byId('room-problem');
// Two meet whoever speaks AppRTC's protocol; more are a mesh, which the server's own protocol brings together.
const PEOPLE = [2, 4, 8];

fill(document);
offerLanguages(byId('language'));
document.title = words.product;
byId('people').append(...PEOPLE.map((number) => new Option(words.people(number), number)));
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
  else location.assign(pathOf(name, Number(byId('people').value)));
}

function pathOf(name, people) {
  if (people === 2) return roomPath(name) + location.search;
  const query = new URLSearchParams(location.search);
  query.set('people', people);
  return `${meetingPath(name)}?${query}`;
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
  // Of a meeting the whole path is remembered.
  link.href = name.startsWith('/') ? name : roomPath(name);
  link.textContent = decodeURIComponent(name.split('/').at(-1));
  const item = document.createElement('li');
  item.append(link);
  return item;
}
