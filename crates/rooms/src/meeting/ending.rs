//! How memberships and meetings end.

use super::{Effects, Event, Gone, Meeting, Over, Rules, Seat, telling::unnumbered};
use crate::{Close, Closing, Departure, Ended, Label, Refusal, Timestamp};

impl Meeting {
    /// Ends what has run out by `now`: seats that nobody came back to, a meeting that was empty for too long.
    pub fn expire(&mut self, rules: &Rules, now: Timestamp) -> Effects {
        let mut effects = Effects::default();
        self.end_overdue(rules, now, &mut effects);
        self.settle(rules, now, &mut effects);
        effects
    }

    pub(super) fn end_overdue(&mut self, rules: &Rules, now: Timestamp, effects: &mut Effects) {
        let over = |member: &super::Member| member.held_until().is_some_and(|until| until <= now);
        while let Some(at) = self.members.iter().position(over) {
            self.end_member(rules, at, Gone::Lost, effects);
        }
    }

    pub(super) fn end_if_over(&mut self, now: Timestamp, effects: &mut Effects) {
        if self.empty_until.is_some_and(|until| until <= now) {
            self.close(Over::Expired, effects);
        }
    }

    /// Ends one membership; the others hear of it.
    pub(super) fn end_member(&mut self, rules: &Rules, at: usize, how: Gone, effects: &mut Effects) {
        let mut gone = self.members.remove(at);
        if let Seat::Live(line) = &mut gone.seat {
            if how == Gone::Kicked {
                effects.tell(line, gone.mailbox.last_word(Event::Closed(Over::Kicked)));
            }
            // One who leaves closes its socket itself, behind the answer.
            if how != Gone::Left {
                effects.closes.push(Close { socket: line.socket, why: closing(how) });
            }
        }
        let why = match how {
            Gone::Left => Departure::Left,
            Gone::Lost => Departure::Lost,
            Gone::Kicked => Departure::Kicked,
        };
        effects.ended.push(Ended { label: Some(Label(gone.id.clone())), why });
        self.tell_others(rules, "", Event::Left { member: gone.id, how }, effects);
    }

    /// Ends a membership by the owner's wish; a guest is sent away.
    pub(super) fn kick(&mut self, rules: &Rules, id: &str, effects: &mut Effects) -> Result<(), Refusal> {
        match self.position(id) {
            Some(at) => self.end_member(rules, at, Gone::Kicked, effects),
            None => self.deny(rules, id, effects)?,
        }
        Ok(())
    }

    /// Ends the meeting, and with it every membership.
    pub(super) fn close(&mut self, why: Over, effects: &mut Effects) {
        let Self { members, guests, .. } = std::mem::take(self);
        for mut member in members {
            if let Seat::Live(line) = &mut member.seat {
                effects.tell(line, member.mailbox.last_word(Event::Closed(why)));
                effects.closes.push(Close { socket: line.socket, why: Closing::Deleted });
            }
            effects.ended.push(Ended { label: Some(Label(member.id)), why: Departure::Kicked });
        }
        for mut guest in guests {
            effects.tell(&mut guest.line, unnumbered(Event::Closed(why)));
            effects.closes.push(Close { socket: guest.line.socket, why: Closing::Deleted });
        }
    }
}

fn closing(how: Gone) -> Closing {
    if how == Gone::Kicked { Closing::Deleted } else { Closing::Left }
}
