//! What time does to a room.

use crate::{Departure, Effects, Member, Policy, Room, Seat, Timestamp};

impl Room {
    /// Ends what has run out by `now`: seats without a socket, and the time of those who left.
    pub fn expire(&mut self, policy: &Policy, now: Timestamp) -> Effects {
        let mut effects = Effects::default();
        while let Some(at) = self.lingering.iter().position(|gone| gone.until <= now) {
            self.depart(policy, at, &mut effects);
        }
        let over = |member: &Member| member.deadline(policy).is_some_and(|deadline| deadline <= now);
        while let Some(at) = self.members.iter().position(over) {
            let lost = matches!(self.members[at].seat, Seat::Held { .. });
            let why = if lost { Departure::Lost } else { Departure::NeverRegistered };
            self.end(policy, at, why, &mut effects);
        }
        effects
    }
}
