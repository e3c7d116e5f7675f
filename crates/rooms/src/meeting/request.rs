//! What members and owners ask for, done once each.

use std::sync::Arc;

use super::{Change, Effects, Gone, Meeting, Rules};
use crate::{Digest, Outcome, Refusal, Socket, Timestamp};

/// Something asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Say something to one member, or to all others.
    Send {
        /// To whom; `None` is everybody else.
        to: Option<Arc<str>>,
        /// What.
        data: Arc<str>,
    },
    /// Change one's own presence.
    Presence(Option<Arc<str>>),
    /// Go.
    Leave,
    /// Show the owner's secret.
    Own(Digest),
    /// Let a guest in. This and what follows is for owners.
    Admit(Arc<str>),
    /// Send a guest away.
    Deny(Arc<str>),
    /// End a membership.
    Kick(Arc<str>),
    /// Change what holds.
    Set(Change),
    /// End the meeting.
    Close,
}

/// A member on its socket, and the number of its request.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Its id.
    pub member: &'a str,
    /// Its socket. Only the present one is heard.
    pub socket: Socket,
    /// The request's id, greater than that of the one before.
    pub id: u64,
}

/// In whose name somebody who is no member asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// Whoever knows this owner's secret.
    Secret(Digest),
    /// The house itself: a backend with a key, an administrator.
    House,
}

impl Meeting {
    /// Does what a member asks for; or, if that was done already, answers as before.
    pub fn request(
        &mut self,
        rules: &Rules,
        now: Timestamp,
        caller: &Caller<'_>,
        request: &Request,
    ) -> Outcome<(), Effects> {
        let mut effects = self.expire(rules, now);
        let here = self.position(caller.member).filter(|at| self.members[*at].socket() == Some(caller.socket));
        let Some(at) = here else { return Outcome { answer: Err(Refusal::UnknownClient), effects } };
        self.members[at].prove();
        if let Some(answer) = self.members[at].requests.answer(caller.id) {
            return Outcome { answer, effects };
        }
        let answer = self.grant(rules, at, request, &mut effects);
        // It may be gone by its own wish.
        if let Some(at) = self.position(caller.member) {
            self.members[at].requests.done(caller.id, answer);
        }
        self.settle(rules, now, &mut effects);
        Outcome { answer, effects }
    }

    /// Does what an owner asks for who need not be a member.
    pub fn command(
        &mut self,
        rules: &Rules,
        now: Timestamp,
        authority: Authority,
        request: &Request,
    ) -> Outcome<(), Effects> {
        let mut effects = self.expire(rules, now);
        let answer = match (self.terms.as_deref(), authority) {
            (None, _) => Err(Refusal::UnknownRoom),
            (Some(terms), Authority::Secret(secret)) if secret != terms.owner => Err(Refusal::NotOwner),
            (Some(_), _) => self.rule(rules, request, &mut effects),
        };
        self.settle(rules, now, &mut effects);
        Outcome { answer, effects }
    }

    fn grant(&mut self, rules: &Rules, at: usize, request: &Request, effects: &mut Effects) -> Result<(), Refusal> {
        match request {
            Request::Send { to, data } => self.send(rules, at, to.as_deref(), data, effects),
            Request::Presence(data) => self.present(rules, at, data.as_ref(), effects),
            Request::Leave => {
                self.end_member(rules, at, Gone::Left, effects);
                Ok(())
            }
            Request::Own(secret) => self.own(rules, at, *secret, effects),
            _ if !self.members[at].owner => Err(Refusal::NotOwner),
            _ => self.rule(rules, request, effects),
        }
    }

    fn own(&mut self, rules: &Rules, at: usize, secret: Digest, effects: &mut Effects) -> Result<(), Refusal> {
        if self.terms.as_ref().is_none_or(|terms| terms.owner != secret) {
            return Err(Refusal::NotOwner);
        }
        self.members[at].owner = true;
        // Also one who is an owner already: it asks because it wants to know.
        self.tell_of_guests(rules, at, effects);
        Ok(())
    }

    /// What owners may. Whatever else is asked for needs a member.
    fn rule(&mut self, rules: &Rules, request: &Request, effects: &mut Effects) -> Result<(), Refusal> {
        match request {
            Request::Admit(guest) => self.admit(rules, guest, effects),
            Request::Deny(guest) => self.deny(rules, guest, effects),
            Request::Kick(member) => self.kick(rules, member, effects),
            Request::Set(change) => self.set(rules, change, effects),
            Request::Close => {
                self.close(super::Over::Closed, effects);
                Ok(())
            }
            Request::Send { .. } | Request::Presence(_) | Request::Leave | Request::Own(_) => {
                Err(Refusal::UnknownClient)
            }
        }
    }
}
