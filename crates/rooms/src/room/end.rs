//! The end of a membership, whatever its cause.

use crate::{Body, ClientId, Close, Closing, Departure, Effects, Ended, Member, Policy, Refusal, Room};

impl Room {
    /// Ends the membership at `at`, and says the goodbye that its client did not say.
    pub(super) fn end(&mut self, policy: &Policy, at: usize, why: Departure, effects: &mut Effects) {
        let audience = self.others(at);
        self.remove(at, why, effects);
        self.say_bye(policy, &audience, &Body::Bye, effects);
    }

    /// Takes the member out: its relay is freed, its echo goes with it, somebody else is the initiator.
    pub(super) fn remove(&mut self, at: usize, why: Departure, effects: &mut Effects) -> Member {
        let member = self.members.remove(at);
        effects.ended.push(Ended { label: member.label.clone(), why });
        if let Some(echo) = self.members.iter().position(|other| other.id.is_loopback()) {
            let echo = self.members.remove(echo);
            effects.closes.extend(echo.socket().map(|socket| Close { socket, why: Closing::Left }));
        }
        self.promote();
        member
    }

    /// Says a goodbye, in the room's words or in the leaver's own, to those of the audience who are still here.
    pub(super) fn say_bye(
        &mut self,
        policy: &Policy,
        audience: &[ClientId],
        bye: &Body,
        effects: &mut Effects,
    ) -> usize {
        let mut heard = 0;
        for member in self.members.iter_mut().filter(|member| audience.contains(&member.id)) {
            // A full mailbox may refuse the leaver's words; it never refuses the room's.
            if member.hear(policy, bye.clone(), effects) == Err(Refusal::QueueFull) {
                member.hear(policy, Body::Bye, effects).unwrap_or_default();
            }
            heard += 1;
        }
        heard
    }

    /// The ids of all members but one.
    pub(super) fn others(&self, at: usize) -> Vec<ClientId> {
        let others = self.members.iter().enumerate().filter(|(other, _)| *other != at);
        others.map(|(_, member)| member.id.clone()).collect()
    }
}
