//! A topic that somebody made: its owner, its capacity, how long it may be empty, its lock.

use std::time::Duration;

use super::{Knock, Topic};
use crate::{Digest, Outcome, Refusal, Timestamp, topic::Copies};

/// What holds for a topic beside its members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Who may lock, admit, kick and close.
    pub owner: Option<Digest>,
    /// Members at most.
    pub capacity: Option<usize>,
    /// What a newcomer must know.
    pub passphrase: Option<Digest>,
    /// Does nobody come in without being admitted?
    pub locked: bool,
    /// How long it may be empty.
    pub keep: Duration,
    /// When it ends if it stays empty.
    pub empty_until: Option<Timestamp>,
    /// Those who wait to be admitted, first come first.
    pub knocking: Vec<Knock>,
}

/// The making of a topic.
#[derive(Clone, Copy, Debug)]
pub struct Making {
    /// What proves the owner.
    pub owner: Option<Digest>,
    /// Members at most.
    pub capacity: Option<usize>,
    /// What a newcomer must know.
    pub passphrase: Option<Digest>,
    /// How long it may be empty, from now on and after its last member.
    pub keep: Duration,
}

impl Topic {
    /// Makes the topic before anybody is in it.
    pub fn make(&mut self, now: Timestamp, making: Making) -> Outcome<(), Vec<Copies>> {
        self.expire(now);
        let answer = if self.is_empty() {
            let Making { owner, capacity, passphrase, keep } = making;
            let empty_until = Some(now.after(keep));
            let terms = Terms { owner, capacity, passphrase, keep, empty_until, ..Terms::default() };
            self.terms = Some(Box::new(terms));
            Ok(())
        } else {
            Err(Refusal::Exists)
        };
        Outcome { answer, effects: Vec::new() }
    }

    /// What holds for it, if somebody made it.
    #[must_use]
    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_deref()
    }

    /// The terms, for their owner to change.
    ///
    /// # Errors
    /// [`Refusal::NotOwner`] when the secret is not the owner's, or nobody owns the topic.
    pub fn terms_for(&mut self, secret: Digest) -> Result<&mut Terms, Refusal> {
        let terms = self.terms.as_deref_mut().filter(|terms| terms.owner == Some(secret));
        terms.ok_or(Refusal::NotOwner)
    }
}
