//! A room: its members, and those who are on their way out.

mod end;
mod expire;
mod join;
mod kick;
mod leave;
mod register;
mod send;

pub use join::Joining;

use crate::{ClientId, Member, Occupancy, Policy, Role, Socket, Timestamp};

/// A room as a value. The room nobody is in is [`Room::default`], and a store keeps none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    members: Vec<Member>,
    lingering: Vec<Lingering>,
}

/// One who left, and may still say goodbye.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lingering {
    id: ClientId,
    socket: Option<Socket>,
    /// Who has not heard the goodbye yet: the members when it left, not those who came later.
    audience: Vec<ClientId>,
    until: Timestamp,
}

impl Room {
    /// Is it as if it had never been?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.lingering.is_empty()
    }

    /// Seats taken.
    #[must_use]
    pub fn occupancy(&self) -> Occupancy {
        self.members.len()
    }

    /// Would `join` answer [`Full`](crate::Refusal::Full) now?
    #[must_use]
    pub fn is_full(&self, policy: &Policy, now: Timestamp) -> bool {
        let gone = |member: &&Member| member.deadline(policy).is_some_and(|deadline| deadline <= now);
        let staying = self.members.iter().filter(|member| !gone(member)).count();
        (staying >= policy.capacity || self.loops_back()) && self.evictable(policy, now).is_none()
    }

    /// Those who hold a seat, longest-standing first.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The next moment at which [`Room::expire`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self, policy: &Policy) -> Option<Timestamp> {
        let seats = self.members.iter().filter_map(|member| member.deadline(policy));
        seats.chain(self.lingering.iter().map(|gone| gone.until)).min()
    }

    fn position(&self, id: &ClientId) -> Option<usize> {
        self.members.iter().position(|member| member.is(id))
    }

    fn loops_back(&self) -> bool {
        self.members.iter().any(|member| member.id.is_loopback())
    }

    /// Exactly one initiator, whoever left.
    fn promote(&mut self) {
        if self.members.iter().all(|member| member.role == Role::Joiner)
            && let Some(first) = self.members.first_mut()
        {
            first.role = Role::Initiator;
        }
    }
}
