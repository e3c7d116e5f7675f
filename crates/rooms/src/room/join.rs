//! `join`: a seat.

use std::sync::Arc;

use crate::{
    Body, ClientId, Departure, Effects, Joined, Label, Member, Message, Outcome, Policy, Refusal, Role, Room, Seat,
    Timestamp,
};

/// Who wants a seat.
#[derive(Clone, Debug)]
pub struct Joining {
    /// A fresh secret, or in Collider's mode the client's own choice.
    pub client: ClientId,
    /// The name its relay credentials are made for.
    pub label: Option<Label>,
    /// A loopback pair? Then the first to come also takes the second seat, for its own echo.
    pub loopback: bool,
}

impl Room {
    /// Takes a seat. The first is the initiator; the next one gets what the first said meanwhile.
    pub fn join(&mut self, policy: &Policy, now: Timestamp, joining: Joining) -> Outcome<Joined> {
        let mut effects = self.expire(policy, now);
        let answer = self.seat(policy, now, joining, &mut effects).map(|role| Joined {
            role,
            messages: self.take_stored(),
            occupancy: self.occupancy(),
        });
        Outcome { answer, effects }
    }

    pub(super) fn seat(
        &mut self,
        policy: &Policy,
        now: Timestamp,
        joining: Joining,
        effects: &mut Effects,
    ) -> Result<Role, Refusal> {
        if self.position(&joining.client).is_some() {
            return Err(Refusal::DuplicateClient);
        }
        if self.members.len() >= policy.capacity || self.loops_back() {
            let ghost = self.evictable(policy, now).ok_or(Refusal::Full)?;
            self.end(policy, ghost, Departure::Evicted, effects);
        }
        self.part_from_departed(policy, effects);
        let role = if self.members.is_empty() { Role::Initiator } else { Role::Joiner };
        self.members.push(Member::new(joining.client, joining.label, role, Seat::Waiting { active: now }));
        if joining.loopback && role == Role::Initiator {
            self.members.push(Member::new(ClientId::loopback(), None, Role::Joiner, Seat::Loopback));
        }
        Ok(role)
    }

    /// Somebody new comes: those who left meanwhile and did not say so are said goodbye to first. Behind the newcomer's
    /// messages their goodbye would look like the newcomer's own.
    fn part_from_departed(&mut self, policy: &Policy, effects: &mut Effects) {
        for at in 0..self.lingering.len() {
            let audience = std::mem::take(&mut self.lingering[at].audience);
            self.say_bye(policy, &audience, &Body::Bye, effects);
        }
    }

    /// Collider without `join`: whoever registers or posts holds a seat from then on.
    pub(super) fn admit(
        &mut self,
        policy: &Policy,
        now: Timestamp,
        client: &ClientId,
        effects: &mut Effects,
    ) -> Result<usize, Refusal> {
        if let Some(at) = self.position(client) {
            return Ok(at);
        }
        if policy.require_join {
            return Err(if self.members.is_empty() { Refusal::UnknownRoom } else { Refusal::UnknownClient });
        }
        let joining = Joining { client: client.clone(), label: None, loopback: false };
        self.seat(policy, now, joining, effects)?;
        let at = self.members.len() - 1;
        // The joiner of AppRTC reads these in the answer; this one reads them on its socket.
        let stored: Vec<Message> = self.members.iter_mut().flat_map(|member| member.outbox.drain()).collect();
        for message in stored {
            self.members[at].hear(policy, message.body, effects)?;
        }
        Ok(at)
    }

    /// The one who has been silent longest among those who never took a socket, if long enough. A lost socket's seat is
    /// not given away: it is its owner's until the end of [`Policy::resume`].
    pub(super) fn evictable(&self, policy: &Policy, now: Timestamp) -> Option<usize> {
        let silent = |(at, member): (usize, &Member)| match member.seat {
            Seat::Waiting { active } if active.after(policy.register_within) <= now => Some((active, at)),
            _ => None,
        };
        self.members.iter().enumerate().filter_map(silent).min().map(|(_, at)| at)
    }

    /// What members said while alone, handed over once.
    fn take_stored(&mut self) -> Vec<Arc<str>> {
        let stored = self.members.iter_mut().flat_map(|member| member.outbox.drain());
        let text = stored.filter_map(|message| match message.body {
            Body::Text(text) => Some(text),
            Body::Bye | Body::Event(_) => None,
        });
        text.collect()
    }
}
