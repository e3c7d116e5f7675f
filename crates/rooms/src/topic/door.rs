//! A topic's door: lock, passphrase, knock and admit, kick.

use std::sync::Arc;

use super::{Copies, Recipient, Topic};
use crate::{Body, Digest, Incarnation, Limits, Outcome, Refusal, Timestamp};

/// One who waits to be admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knock {
    /// Its name in the topic's tenant.
    pub id: Arc<str>,
    /// Which owner of that name.
    pub incarnation: Incarnation,
    /// Has it been admitted? Then its next join passes the lock.
    pub admitted: bool,
}

/// What one who wants in brings along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entrance {
    /// The passphrase it knows.
    pub passphrase: Option<Digest>,
    /// The owner's secret: passes every door.
    pub owner: Option<Digest>,
}

impl Topic {
    /// Asks to be admitted; `news` tells the members. Knocking again changes nothing.
    pub fn knock(
        &mut self,
        limits: &Limits,
        now: Timestamp,
        who: Recipient,
        news: Option<Body>,
    ) -> Outcome<(), Vec<Copies>> {
        self.expire(now);
        let others = self.all_but("");
        let Some(terms) = self.terms.as_deref_mut() else {
            return Outcome { answer: Err(Refusal::UnknownRoom), effects: Vec::new() };
        };
        if terms.knocking.iter().any(|knock| knock.id == who.id && knock.incarnation == who.incarnation) {
            return Outcome { answer: Ok(()), effects: Vec::new() };
        }
        if terms.knocking.len() >= limits.knocking {
            return Outcome { answer: Err(Refusal::QueueFull), effects: Vec::new() };
        }
        terms.knocking.push(Knock { id: who.id, incarnation: who.incarnation, admitted: false });
        let effects = news.map(|body| Copies { to: others, body }).into_iter().collect();
        Outcome { answer: Ok(()), effects }
    }

    /// The owner admits (or, without `yes`, sends away) one who knocked; `news` tells it.
    pub fn admit(&mut self, secret: Digest, id: &str, yes: bool, news: Option<Body>) -> Outcome<(), Vec<Copies>> {
        let answer = self.terms_for(secret).and_then(|terms| {
            let at = terms.knocking.iter().position(|knock| *knock.id == *id).ok_or(Refusal::UnknownClient)?;
            let knock = &mut terms.knocking[at];
            let to = Recipient { id: knock.id.clone(), incarnation: knock.incarnation };
            knock.admitted = yes;
            if !yes {
                terms.knocking.remove(at);
            }
            Ok(to)
        });
        match answer {
            Ok(to) => {
                let effects = news.map(|body| Copies { to: vec![to], body }).into_iter().collect();
                Outcome { answer: Ok(()), effects }
            }
            Err(refusal) => Outcome { answer: Err(refusal), effects: Vec::new() },
        }
    }

    /// May this one come in? One who was admitted has used that up.
    pub(super) fn pass(&mut self, who: &Recipient, entrance: Entrance) -> Result<(), Refusal> {
        let Some(terms) = self.terms.as_deref_mut() else { return Ok(()) };
        if terms.owner.is_some() && entrance.owner == terms.owner {
            return Ok(());
        }
        if terms.passphrase.is_some() && entrance.passphrase != terms.passphrase {
            return Err(Refusal::WrongPassphrase);
        }
        let is_in = |knock: &Knock| knock.admitted && knock.id == who.id && knock.incarnation == who.incarnation;
        if terms.locked && !terms.knocking.iter().any(is_in) {
            return Err(Refusal::Locked);
        }
        Ok(())
    }
}
