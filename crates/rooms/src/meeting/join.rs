//! `join`: a newcomer comes in, waits at the door, or is refused.

use std::sync::Arc;

use super::{Effects, Event, Guest, Mailbox, Making, Meeting, Member, Requests, Rules, Seat, Welcome, member::Line};
use crate::{Digest, Outcome, Refusal, Socket, Timestamp};

/// Who wants in, and what it brings along.
#[derive(Clone, Debug)]
pub struct Join {
    /// A fresh random name for it.
    pub id: Arc<str>,
    /// What will prove, on another socket, that it is the same.
    pub token: Digest,
    /// Where it is.
    pub socket: Socket,
    /// The id of this request.
    pub request: u64,
    /// What it calls itself.
    pub name: Option<Arc<str>>,
    /// Its presence.
    pub data: Option<Arc<str>>,
    /// The passphrase it knows.
    pub passphrase: Option<Digest>,
    /// The owner's secret it knows.
    pub secret: Option<Digest>,
    /// Was it named an owner by somebody whom the house trusts?
    pub owner: bool,
    /// How the meeting is made if there is none; `None`: then it may not be.
    pub making: Option<Making>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// It is in.
    In(Welcome),
    /// It waits to be admitted; [`Event::Admitted`] or [`Event::Denied`] follows.
    Waiting,
}

impl Meeting {
    /// Comes in.
    pub fn join(&mut self, rules: &Rules, now: Timestamp, join: &Join) -> Outcome<Entered, Effects> {
        let mut effects = self.expire(rules, now);
        let answer = self.enter(rules, join, &mut effects);
        self.settle(rules, now, &mut effects);
        Outcome { answer, effects }
    }

    fn enter(&mut self, rules: &Rules, join: &Join, effects: &mut Effects) -> Result<Entered, Refusal> {
        if join.data.as_ref().is_some_and(|data| data.len() > rules.presence) {
            return Err(Refusal::MessageTooLarge);
        }
        let made = self.terms.is_none();
        if made {
            self.begin(rules, join.making.as_ref().ok_or(Refusal::UnknownRoom)?)?;
        }
        let terms = self.terms.as_deref().ok_or(Refusal::UnknownRoom)?;
        let owner = made || join.owner || join.secret == Some(terms.owner);
        let waits = terms.knock && !owner;
        if !owner {
            // The passphrase first: whoever does not know it learns nothing else about the room.
            if terms.passphrase.is_some() && join.passphrase != terms.passphrase {
                return Err(Refusal::WrongPassphrase);
            }
            if terms.locked {
                return Err(Refusal::Locked);
            }
        }
        if self.members.len() >= terms.capacity {
            return Err(Refusal::Full);
        }
        let Join { id, token, socket, request, name, data, .. } = join.clone();
        let guest = Guest { id, name, data, token, request, line: Line::new(socket) };
        if waits {
            return self.knock(rules, guest, effects).map(|()| Entered::Waiting);
        }
        let at = self.seat(rules, guest, owner, effects);
        let welcome = self.welcome(at, made);
        if owner {
            self.tell_of_guests(rules, at, effects);
        }
        Ok(Entered::In(welcome))
    }

    /// Gives a seat; the others hear of it.
    pub(super) fn seat(&mut self, rules: &Rules, guest: Guest, owner: bool, effects: &mut Effects) -> usize {
        let Guest { id, name, data, token, request, line } = guest;
        let joined = Event::Joined { member: id.clone(), name: name.clone(), data: data.clone() };
        self.tell_others(rules, "", joined, effects);
        self.members.push(Member {
            id,
            name,
            data,
            since: self.next_since,
            owner,
            token,
            former: None,
            proven: false,
            seat: Seat::Live(line),
            mailbox: Mailbox::default(),
            requests: Requests::since(request),
        });
        self.next_since += 1;
        self.members.len() - 1
    }
}
