//! `send` and `presence`: what members let each other know.

use std::sync::Arc;

use super::{Effects, Event, Meeting, Rules};
use crate::{Outcome, Refusal, Socket, Timestamp};

impl Meeting {
    /// Something for one other member, or for all. One whose mailbox is full is lost; whoever wrote to it alone is told.
    pub(super) fn send(
        &mut self,
        rules: &Rules,
        from: usize,
        to: Option<&str>,
        data: &Arc<str>,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        if data.len() > rules.max_message {
            return Err(Refusal::MessageTooLarge);
        }
        let from = self.members[from].id.clone();
        let said = |all| Event::Said { from: from.clone(), all, data: data.clone() };
        let Some(to) = to else {
            self.tell_others(rules, &from, said(true), effects);
            return Ok(());
        };
        let to = self.position(to).ok_or(Refusal::UnknownClient)?;
        self.tell(rules, to, &Arc::new(said(false)), effects);
        if self.members[to].mailbox.overflown { Err(Refusal::QueueFull) } else { Ok(()) }
    }

    /// A member's presence from now on.
    pub(super) fn present(
        &mut self,
        rules: &Rules,
        at: usize,
        data: Option<&Arc<str>>,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        if data.is_some_and(|data| data.len() > rules.presence) {
            return Err(Refusal::MessageTooLarge);
        }
        let member = &mut self.members[at];
        if member.data.as_ref() != data {
            member.data = data.cloned();
            let (id, data) = (member.id.clone(), member.data.clone());
            self.tell_others(rules, &id.clone(), Event::Changed { member: id, data }, effects);
        }
        Ok(())
    }

    /// Is this a member, and on this socket?
    pub fn attend(&mut self, rules: &Rules, now: Timestamp, id: &str, socket: Socket) -> Outcome<(), Effects> {
        let effects = self.expire(rules, now);
        let here = self.position(id).is_some_and(|at| self.members[at].socket() == Some(socket));
        Outcome { answer: if here { Ok(()) } else { Err(Refusal::UnknownClient) }, effects }
    }

    /// News from the house for one member, on whatever socket it is.
    pub fn inform(&mut self, rules: &Rules, now: Timestamp, id: &str, news: &Arc<str>) -> Outcome<(), Effects> {
        let mut effects = self.expire(rules, now);
        let answer = self.position(id).ok_or(Refusal::UnknownClient);
        let answer = answer.map(|at| self.tell(rules, at, &Arc::new(Event::Private(news.clone())), &mut effects));
        self.settle(rules, now, &mut effects);
        Outcome { answer, effects }
    }
}
