//! How members are told, and what happens to one who cannot be told any more.

use std::sync::Arc;

use super::{Event, Gone, Meeting, Rules, Seat, member::Line};
use crate::{Body, Close, Ended, Message, Socket, Timestamp};

/// What the shell does after a change of a meeting is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Events for sockets. One whose socket is gone is dropped: it waits in the mailbox.
    pub tells: Vec<Tell>,
    /// Sockets to close, after what they were told.
    pub closes: Vec<Close>,
    /// Memberships that are over.
    pub ended: Vec<Ended>,
}

/// An event for a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tell {
    /// The socket.
    pub to: Socket,
    /// The place of this event on its socket: 0, 1, 2 ... without a gap.
    pub index: u64,
    /// The event.
    pub message: Message,
}

impl Effects {
    pub(super) fn tell(&mut self, line: &mut Line, message: Message) {
        self.tells.push(Tell { to: line.socket, index: line.number(), message });
    }
}

impl Meeting {
    /// Tells one member.
    pub(super) fn tell(&mut self, rules: &Rules, at: usize, event: &Arc<Event>, effects: &mut Effects) {
        let member = &mut self.members[at];
        let Some(message) = member.mailbox.push(rules.mailbox, event) else { return };
        if let Seat::Live(line) = &mut member.seat {
            effects.tell(line, message.clone());
        }
    }

    /// Tells every member but one.
    pub(super) fn tell_others(&mut self, rules: &Rules, but: &str, event: Event, effects: &mut Effects) {
        let event = Arc::new(event);
        for at in 0..self.members.len() {
            if *self.members[at].id != *but {
                self.tell(rules, at, &event, effects);
            }
        }
    }

    pub(super) fn tell_owners(&mut self, rules: &Rules, event: Event, effects: &mut Effects) {
        let event = Arc::new(event);
        for at in 0..self.members.len() {
            if self.members[at].owner {
                self.tell(rules, at, &event, effects);
            }
        }
    }

    /// After every change: those whose mailbox overflowed are lost, which may overflow the next; and a meeting without
    /// members ends, or begins to wait.
    pub(super) fn settle(&mut self, rules: &Rules, now: Timestamp, effects: &mut Effects) {
        while let Some(at) = self.members.iter().position(|member| member.mailbox.overflown) {
            self.end_member(rules, at, Gone::Lost, effects);
        }
        let Some(keep) = self.terms.as_ref().map(|terms| terms.keep) else { return };
        if !self.members.is_empty() {
            self.empty_until = None;
        } else if self.empty_until.is_none() {
            self.empty_until = Some(now.after(keep));
        }
        self.end_if_over(now, effects);
    }
}

/// A guest is told outside of any mailbox.
pub(super) fn unnumbered(event: Event) -> Message {
    Message { seq: 0, body: Body::Event(Arc::new(event)) }
}
