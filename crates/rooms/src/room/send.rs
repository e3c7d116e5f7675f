//! `send`: a member says something to the others.

use crate::{Body, ClientId, Departure, Effects, Message, Outcome, Policy, Refusal, Room, Sent, Timestamp};

impl Room {
    /// Says `body` to all others, or keeps it for the next joiner when nobody else is there. With `bye` the message is
    /// the sender's goodbye: its membership ends first, what it had stored is dropped, and the others hear it once.
    pub fn send(
        &mut self,
        policy: &Policy,
        now: Timestamp,
        client: &ClientId,
        body: &Body,
        bye: bool,
    ) -> Outcome<Sent> {
        let mut effects = self.expire(policy, now);
        let answer = match self.position(client) {
            _ if body.len() > policy.max_message => Err(Refusal::MessageTooLarge),
            Some(at) if bye && !self.members[at].id.is_loopback() => {
                Ok(self.goodbye(policy, now, at, body, &mut effects))
            }
            Some(at) => self.relay(policy, now, at, body, &mut effects),
            None if bye => self.late_goodbye(policy, client, body, &mut effects),
            None => Err(self.unknown()),
        };
        Outcome { answer, effects }
    }

    /// [`Room::send`] as Collider's `POST` means it: where clients need not join, the sender takes a seat by sending.
    pub fn post(
        &mut self,
        policy: &Policy,
        now: Timestamp,
        client: &ClientId,
        body: &Body,
        bye: bool,
    ) -> Outcome<Sent> {
        let mut effects = self.expire(policy, now);
        if !policy.require_join
            && !bye
            && let Err(refusal) = self.admit(policy, now, client, &mut effects)
        {
            return Outcome { answer: Err(refusal), effects };
        }
        let sent = self.send(policy, now, client, body, bye);
        effects.append(sent.effects);
        Outcome { answer: sent.answer, effects }
    }

    fn relay(
        &mut self,
        policy: &Policy,
        now: Timestamp,
        at: usize,
        body: &Body,
        effects: &mut Effects,
    ) -> Result<Sent, Refusal> {
        self.members[at].touch(now);
        if self.members.len() == 1 {
            let stored = &mut self.members[at].outbox;
            // Alone, a member numbers its own messages; the numbers end where the first joiner takes them.
            let message = Message { seq: stored.len() as u64, body: body.clone() };
            return stored.push(policy.queue, message).map(|()| Sent::Stored);
        }
        let mut refused = Ok(());
        for (_, other) in self.members.iter_mut().enumerate().filter(|(other, _)| *other != at) {
            refused = refused.and(other.hear(policy, body.clone(), effects));
        }
        refused.map(|()| Sent::Relayed(self.members.len() - 1))
    }

    fn goodbye(&mut self, policy: &Policy, now: Timestamp, at: usize, body: &Body, effects: &mut Effects) -> Sent {
        let audience = self.others(at);
        let member = self.remove(at, Departure::Bye, effects);
        let heard = self.say_bye(policy, &audience, body, effects);
        // The client closes its socket itself; one that does not is closed after a while.
        self.linger(policy, now, member.id.clone(), member.socket(), Vec::new());
        if heard == 0 { Sent::Ignored } else { Sent::Relayed(heard) }
    }

    /// The goodbye of one who left already: relayed to those who have not heard it.
    fn late_goodbye(
        &mut self,
        policy: &Policy,
        client: &ClientId,
        body: &Body,
        effects: &mut Effects,
    ) -> Result<Sent, Refusal> {
        let Some(gone) = self.lingering.iter_mut().find(|gone| gone.id == *client) else {
            return Err(self.unknown());
        };
        let audience = std::mem::take(&mut gone.audience);
        match self.say_bye(policy, &audience, body, effects) {
            0 => Ok(Sent::Ignored),
            heard => Ok(Sent::Relayed(heard)),
        }
    }

    fn unknown(&self) -> Refusal {
        if self.is_empty() { Refusal::UnknownRoom } else { Refusal::UnknownClient }
    }
}
