//! A topic: who is in it, who may come in. What is said in it goes to its members' identities.

mod audience;
mod door;
mod join;
mod terms;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub use audience::Audience;
pub use door::{Entrance, Knock};
pub use join::{Entry, Seated};
pub use terms::{Making, Terms};

use crate::{Body, Incarnation, Timestamp};

/// A topic as a value: a room, a channel, a swarm. The one without members and terms is [`Topic::default`]; a store
/// keeps none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    members: BTreeMap<Arc<str>, Attendee>,
    /// Their names in the order they came.
    standing: BTreeSet<(u64, Arc<str>)>,
    /// The `since` of the next to come.
    next: u64,
    /// Where somebody made the topic before its first member, or rules it.
    terms: Option<Box<Terms>>,
}

/// A member of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// Whose identity it is; another incarnation of that name is not a member.
    pub incarnation: Incarnation,
    /// Its place among all who ever came: smaller is longer-standing, and none is used twice. The later of two is
    /// the polite one (perfect negotiation).
    pub since: u64,
    /// What the dialect notes about it: a role, `seeder`, a display name.
    pub note: Option<Arc<str>>,
    /// Its last word: said to the others however it goes.
    farewell: Option<Body>,
}

/// One message for several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copies {
    /// For whom.
    pub to: Vec<Recipient>,
    /// What is said.
    pub body: Body,
}

/// A member as an addressee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Its name in the topic's tenant.
    pub id: Arc<str>,
    /// Which owner of that name.
    pub incarnation: Incarnation,
}

impl Topic {
    /// Is it as if it had never been?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.terms.is_none()
    }

    /// Members now.
    #[must_use]
    pub fn occupancy(&self) -> usize {
        self.members.len()
    }

    /// A member.
    #[must_use]
    pub fn member(&self, id: &str) -> Option<&Attendee> {
        self.members.get(id)
    }

    /// All members, longest-standing first.
    pub fn members(&self) -> impl Iterator<Item = (&Arc<str>, &Attendee)> {
        self.standing.iter().filter_map(|(_, id)| self.members.get_key_value(id))
    }

    /// Up to `most` members from a random place on, whoever `but` is excluded. `random` comes from the shell.
    pub fn sample(&self, random: u64, most: usize, but: &str) -> impl Iterator<Item = (&Arc<str>, &Attendee)> {
        let span = (self.standing.first(), self.standing.last());
        let (first, last) = if let (Some((first, _)), Some((last, _))) = span { (*first, *last) } else { (0, 0) };
        let start = first + random % (last - first + 1);
        let (from, until) = ((start, Arc::from("")), (start, Arc::from("")));
        let around = self.standing.range(from..).chain(self.standing.range(..until));
        let but = but.to_owned();
        let others = around.filter(move |(_, id)| **id != *but).filter_map(|(_, id)| self.members.get_key_value(id));
        others.take(most)
    }

    /// The next moment at which [`Topic::expire`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.terms.as_ref().filter(|_| self.members.is_empty()).and_then(|terms| terms.empty_until)
    }

    /// Ends the terms of a topic that has been empty for too long.
    pub fn expire(&mut self, now: Timestamp) {
        if self.poll_timeout().is_some_and(|until| until <= now) {
            self.terms = None;
        }
    }

    fn all_but(&self, id: &str) -> Vec<Recipient> {
        let others = self.members.iter().filter(|(other, _)| ***other != *id);
        others.map(|(id, member)| Recipient { id: id.clone(), incarnation: member.incarnation }).collect()
    }
}
