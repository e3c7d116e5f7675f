//! A meeting: what our own protocol (`/v1`) calls a room. Members, their order, their seats, what each has yet to
//! acknowledge, and the door, in one value, so that every change of it is one atomic update.
//!
//! 1. A change is told to every member in one step, so that all see the same order of everything.
//! 2. What a member is told waits in its mailbox until *the client* acknowledges it. What was written to a socket
//!    proves nothing: a socket that is replaced, on this node or another, loses what was in flight.
//! 3. Each event has a `seq`, one greater than that member's last. A resume names the last one seen; all later ones are
//!    told again.
//! 4. A request has an id that only grows. One that was done is not done again; it gets the same answer.
//! 5. The later of two members, in the order they came, is the polite one. That order outlives every socket.
//! 6. A mailbox that overflows ends its member: then everybody knows that something was lost, and whose.
//! 7. The owner's secret passes every door but capacity.

mod door;
mod ending;
mod event;
mod join;
mod mailbox;
mod making;
mod member;
mod request;
mod requests;
mod resume;
mod saying;
mod telling;

use std::{sync::Arc, time::Duration};

pub use event::{Event, Gone, Over, State};
pub use join::{Entered, Join};
use mailbox::Mailbox;
pub use making::{Change, Making, Terms};
use member::{Guest, Seat};
pub use member::{Knock, Member, Seen, Welcome};
pub use request::{Authority, Caller, Request};
use requests::Requests;
pub use resume::Resume;
pub use telling::{Effects, Tell};

use crate::{Bounds, Timestamp};

/// What the operator allows meetings. Every node that shares a store must have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Members of a meeting whose maker asks for no other number.
    pub capacity: usize,
    /// The largest number a maker may ask for. Members are looked up one by one, so it stays small.
    pub most: usize,
    /// How long the seat of a lost socket is kept.
    pub resume: Duration,
    /// How long the seat of one is kept that has never answered: its client may not know that it has one, and would
    /// find the room full of itself.
    pub unproven: Duration,
    /// The longest time a meeting may be empty.
    pub longest_empty: Duration,
    /// What a member may have unacknowledged.
    pub mailbox: Bounds,
    /// Guests that may wait at the door.
    pub knocking: usize,
    /// Longest presence of a member, in bytes.
    pub presence: usize,
    /// Longest name of a member, in bytes.
    pub name: usize,
    /// Longest message, in bytes.
    pub max_message: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            capacity: 2,
            most: 64,
            resume: Duration::from_secs(60),
            unproven: Duration::from_secs(10),
            longest_empty: Duration::from_secs(24 * 60 * 60),
            mailbox: Bounds { messages: 512, bytes: 512 * 1024 },
            knocking: 32,
            presence: 1024,
            name: 128,
            max_message: 64 * 1024,
        }
    }
}

/// A meeting as a value. The one that nobody made is [`Meeting::default`]; a store keeps none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meeting {
    /// What holds here; `None` before it is made and after it has ended.
    terms: Option<Box<Terms>>,
    /// In the order they came.
    members: Vec<Member>,
    /// In the order they knocked.
    guests: Vec<Guest>,
    /// The `since` of the next to come.
    next_since: u64,
    /// When it ends, if it stays empty.
    empty_until: Option<Timestamp>,
}

impl Meeting {
    /// Is it as if it had never been?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_none()
    }

    /// What holds here, if somebody made it.
    #[must_use]
    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_deref()
    }

    /// Its members in the order they came.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Those who wait at the door, by id.
    pub fn guests(&self) -> impl Iterator<Item = &Arc<str>> {
        self.guests.iter().map(|guest| &guest.id)
    }

    /// The next moment at which [`Meeting::expire`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let held = self.members.iter().filter_map(Member::held_until);
        held.chain(self.empty_until).min()
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.members.iter().position(|member| *member.id == *id)
    }
}
