// Rooms and who is in them; users who are in none.

import { showAllocations } from './dashboard-allocations.js';
import { count } from './dashboard-figures.js';
import { keep, write } from './dashboard-list.js';
import { words } from './dashboard-words.js';
import { element } from './element.js';

const told = () => words.dashboard;

/** `acts`: `close(room)`, `kick(room, member)`, `end(allocation)`. */
export function showRooms(list, rooms, rates, acts) {
  keep(list, rooms, ({ room, dialect }) => `${dialect}/${room}`, (room) => roomItem(room, acts), (item, room) => updateRoom(item, room, rates, acts));
}

export function showUsers(list, users, rates, acts) {
  keep(list, users, ({ user }) => `user/${user}`, userItem, (item, user) => showAllocations(item.querySelector('.allocations'), user, rates, acts));
}

function roomItem(room, acts) {
  const close = element('button', { class: 'button small', type: 'button', 'aria-label': told().closeRoom(room.room) }, told().close);
  close.addEventListener('click', () => acts.close(room));
  const name = element('div', { class: 'told' }, element('h3', {}, room.room), element('span', { class: 'chip' }, told().protocol[room.dialect]), chips());
  const line = element('div', { class: 'line' }, name, close);
  return element('li', { class: 'thing' }, line, element('ul', { class: 'members' }));
}

function updateRoom(item, room, rates, acts) {
  const { capacity, locked, knock, passphrase, waiting, members } = room;
  const seats = members.filter(({ seat }) => seat !== 'echo').length;
  tell(item, [told().seats(count(seats), count(capacity)), locked && told().locked, knock && told().knock, passphrase && told().passphrase, waiting > 0 && told().waiting(count(waiting))]);
  const named = members.map((member, place) => ({ ...member, key: member.member ?? `nameless-${place}` }));
  keep(item.querySelector('.members'), named, ({ key }) => key, (member) => memberItem(room, member, acts), (child, member) => updateMember(child, member, rates, acts));
}

function memberItem(room, member, acts) {
  const line = element('div', { class: 'line' }, element('div', { class: 'told' }, element('h4', {}, nameOf(member)), chips()));
  if (member.member && member.seat !== 'echo') {
    const kick = element('button', { class: 'button small', type: 'button', 'aria-label': told().kickMember(nameOf(member), room.room) }, told().kick);
    kick.addEventListener('click', () => acts.kick(room, member));
    line.append(kick);
  }
  return element('li', { class: 'member' }, line, element('ul', { class: 'allocations' }));
}

function updateMember(item, member, rates, acts) {
  write(item.querySelector('h4'), nameOf(member));
  tell(item, [told().role[member.role], told().seat[member.seat], member.allocation_count === 0 && told().nothingHeld]);
  showAllocations(item.querySelector('.allocations'), member, rates, acts);
}

function userItem({ user }) {
  return element('li', { class: 'thing' }, element('div', { class: 'line' }, element('h3', {}, user || told().nameless)), element('ul', { class: 'allocations' }));
}

/** What is called by nothing else is called by the beginning of its random name. */
export function nameOf({ name, member }) {
  return name || (member ? told().member(member.slice(0, 12)) : told().nameless);
}

const chips = () => element('span', { class: 'small quiet', 'data-chips': true });

function tell(item, texts) {
  write(item.querySelector('[data-chips]'), texts.filter(Boolean).join(' · '));
}
