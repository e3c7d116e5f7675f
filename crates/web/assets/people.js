// Who is there and who knocks; for the room's owner, with buttons.

import { element } from './element.js';
import { words } from './strings.js';

const byId = (id) => document.getElementById(id);

/** `acts`: admit(member), deny(member), kick(member), each for a click. */
export function showPeople(meeting, acts) {
  const { room, isOwner } = meeting;
  if (!room?.state) return;
  const text = words.meet;
  const own = person(text.you, isOwner ? text.owner : '');
  const others = [...room.members.values()].map(({ member, name, away }) =>
    person(name || text.nobody, away ? text.chip.reconnecting : '', isOwner ? [button(text.remove, name, () => acts.kick(member))] : []));
  byId('member-list').replaceChildren(own, ...others);
  byId('people-count').textContent = text.count(room.members.size + 1, room.state.capacity);
  byId('cost').textContent = room.members.size + 1 >= 4 ? text.cost(room.members.size) : '';
  showKnocks([...room.knocks.values()], acts);
  showTerms(room.state, isOwner);
}

function showKnocks(knocks, acts) {
  const text = words.meet;
  byId('knocks').hidden = knocks.length === 0;
  byId('knock-list').replaceChildren(...knocks.map(({ member, name }) => person(name || text.nobody, '', [
    button(text.admit, name, () => acts.admit(member)),
    button(text.deny, name, () => acts.deny(member)),
  ])));
}

function showTerms(state, isOwner) {
  byId('owner').hidden = !isOwner;
  for (const [id, on] of [['lock', state.locked], ['knocking', state.knock]]) byId(id).checked = on;
  byId('locked').hidden = !state.locked;
}

function person(name, note, buttons = []) {
  return element('li', {}, element('span', { class: 'who' }, name, note ? element('span', { class: 'quiet small' }, ` ${note}`) : ''), ...buttons);
}

function button(text, name, act) {
  const made = element('button', { type: 'button', class: 'button', 'aria-label': `${text}: ${name || words.meet.nobody}` }, text);
  made.addEventListener('click', act);
  return made;
}
