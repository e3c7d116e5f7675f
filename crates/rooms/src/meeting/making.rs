//! A meeting is made, and what holds for it changed.

use std::time::Duration;

use super::{Effects, Event, Meeting, Rules, State};
use crate::{Digest, Outcome, Refusal, Timestamp};

/// What holds for a meeting beside its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What proves its owner.
    pub owner: Digest,
    /// Members at most.
    pub capacity: usize,
    /// Does nobody new come in?
    pub locked: bool,
    /// Do newcomers wait to be admitted?
    pub knock: bool,
    /// What newcomers must know.
    pub passphrase: Option<Digest>,
    /// How long it may be empty.
    pub keep: Duration,
}

/// How a meeting is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Making {
    /// What proves its owner.
    pub owner: Digest,
    /// How long it may be empty; zero ends it with its last member.
    pub keep: Duration,
    /// What holds from the beginning.
    pub terms: Change,
}

/// What is to hold from now on; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Members at most; those who are in stay in.
    pub capacity: Option<usize>,
    /// Does nobody new come in?
    pub locked: Option<bool>,
    /// Do newcomers wait to be admitted?
    pub knock: Option<bool>,
    /// What newcomers must know; `Some(None)` is nothing.
    pub passphrase: Option<Option<Digest>>,
}

impl Meeting {
    /// Makes it before anybody is in it.
    pub fn make(&mut self, rules: &Rules, now: Timestamp, making: &Making) -> Outcome<(), Effects> {
        let mut effects = self.expire(rules, now);
        let answer = self.begin(rules, making);
        self.settle(rules, now, &mut effects);
        Outcome { answer, effects }
    }

    pub(super) fn begin(&mut self, rules: &Rules, making: &Making) -> Result<(), Refusal> {
        if self.terms.is_some() {
            return Err(Refusal::Exists);
        }
        let Making { owner, keep, terms } = making;
        let keep = (*keep).min(rules.longest_empty);
        let mut made =
            Terms { owner: *owner, capacity: rules.capacity, locked: false, knock: false, passphrase: None, keep };
        made.change(rules, terms);
        self.terms = Some(Box::new(made));
        Ok(())
    }

    /// What everybody in it may know. Nothing holds where nobody made it.
    #[must_use]
    pub fn state(&self) -> State {
        self.terms.as_ref().map_or(State { capacity: 0, locked: true, passphrase: false, knock: false }, |terms| {
            State {
                capacity: terms.capacity,
                locked: terms.locked,
                passphrase: terms.passphrase.is_some(),
                knock: terms.knock,
            }
        })
    }

    /// Changes what holds, and tells everybody if they can see it.
    pub(super) fn set(&mut self, rules: &Rules, change: &Change, effects: &mut Effects) -> Result<(), Refusal> {
        let before = self.state();
        self.terms.as_mut().ok_or(Refusal::UnknownRoom)?.change(rules, change);
        let after = self.state();
        if after != before {
            self.tell_others(rules, "", Event::State(after), effects);
        }
        if !after.knock {
            // Nobody would ever admit them.
            self.turn_away(rules, effects);
        }
        Ok(())
    }
}

impl Terms {
    fn change(&mut self, rules: &Rules, change: &Change) {
        let Change { capacity, locked, knock, passphrase } = change;
        self.capacity = capacity.unwrap_or(self.capacity).clamp(1, rules.most);
        self.locked = locked.unwrap_or(self.locked);
        self.knock = knock.unwrap_or(self.knock);
        self.passphrase = passphrase.unwrap_or(self.passphrase);
    }
}
