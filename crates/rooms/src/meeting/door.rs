//! The door: guests knock, owners admit them or send them away.

use std::sync::Arc;

use super::{Effects, Event, Guest, Knock, Meeting, Rules, telling::unnumbered};
use crate::{Close, Closing, Refusal, Socket};

impl Meeting {
    /// Waits to be admitted.
    pub(super) fn knock(&mut self, rules: &Rules, guest: Guest, effects: &mut Effects) -> Result<(), Refusal> {
        if self.guests.len() >= rules.knocking {
            return Err(Refusal::QueueFull);
        }
        let knock = Event::Knock { guest: guest.id.clone(), name: guest.name.clone() };
        self.guests.push(guest);
        self.tell_owners(rules, knock, effects);
        Ok(())
    }

    /// Lets a guest in.
    pub(super) fn admit(&mut self, rules: &Rules, id: &str, effects: &mut Effects) -> Result<(), Refusal> {
        let waiting = self.guests.iter().position(|guest| *guest.id == *id).ok_or(Refusal::UnknownClient)?;
        if self.members.len() >= self.state().capacity {
            return Err(Refusal::Full);
        }
        let guest = self.guests.remove(waiting);
        self.tell_owners(rules, Event::KnockGone(guest.id.clone()), effects);
        let at = self.seat(rules, guest, false, effects);
        let welcome = unnumbered(Event::Admitted(Box::new(self.welcome(at, false))));
        if let super::Seat::Live(line) = &mut self.members[at].seat {
            effects.tell(line, welcome);
        }
        Ok(())
    }

    /// Sends a guest away.
    pub(super) fn deny(&mut self, rules: &Rules, id: &str, effects: &mut Effects) -> Result<(), Refusal> {
        let waiting = self.guests.iter().position(|guest| *guest.id == *id).ok_or(Refusal::UnknownClient)?;
        self.dismiss(rules, waiting, Event::Denied, effects);
        Ok(())
    }

    /// Sends all guests away.
    pub(super) fn turn_away(&mut self, rules: &Rules, effects: &mut Effects) {
        while !self.guests.is_empty() {
            self.dismiss(rules, 0, Event::Denied, effects);
        }
    }

    fn dismiss(&mut self, rules: &Rules, waiting: usize, word: Event, effects: &mut Effects) {
        let mut guest = self.guests.remove(waiting);
        effects.tell(&mut guest.line, unnumbered(word));
        effects.closes.push(Close { socket: guest.line.socket, why: Closing::Deleted });
        self.tell_owners(rules, Event::KnockGone(guest.id), effects);
    }

    /// A guest's socket is gone.
    pub(super) fn forget_guest(&mut self, rules: &Rules, id: &str, socket: Socket, effects: &mut Effects) {
        let gone = |guest: &Guest| *guest.id == *id && guest.line.socket == socket;
        if let Some(waiting) = self.guests.iter().position(gone) {
            let guest = self.guests.remove(waiting);
            self.tell_owners(rules, Event::KnockGone(guest.id), effects);
        }
    }

    /// A new owner hears who has been waiting.
    pub(super) fn tell_of_guests(&mut self, rules: &Rules, at: usize, effects: &mut Effects) {
        for Knock { guest, name } in self.knocks() {
            self.tell(rules, at, &Arc::new(Event::Knock { guest, name }), effects);
        }
    }
}
