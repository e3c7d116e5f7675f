//! What the operator does to a room: a member is sent away, the room closed.

use crate::{ClientId, Close, Closing, Departure, Outcome, Policy, Refusal, Room, Timestamp};

impl Room {
    /// Ends the membership of whoever has this [`Member::public_name`](crate::Member::public_name), and closes its
    /// socket. The others hear one goodbye; the seat is free.
    pub fn kick(&mut self, policy: &Policy, now: Timestamp, name: &str) -> Outcome<()> {
        let mut effects = self.expire(policy, now);
        let named = self.members().iter().find(|member| member.public_name().is_some_and(|own| own == name));
        let Some(client) = named.map(|member| member.id.clone()) else {
            let refusal = if self.is_empty() { Refusal::UnknownRoom } else { Refusal::UnknownClient };
            return Outcome { answer: Err(refusal), effects };
        };
        self.take_out(policy, &client, Departure::Kicked, &mut effects);
        Outcome { answer: Ok(()), effects }
    }

    /// Ends every membership, and closes every socket.
    pub fn close(&mut self, policy: &Policy, now: Timestamp) -> Outcome<()> {
        let mut effects = self.expire(policy, now);
        if self.is_empty() {
            return Outcome { answer: Err(Refusal::UnknownRoom), effects };
        }
        while let Some(client) = self.next_to_go() {
            self.take_out(policy, &client, Departure::Kicked, &mut effects);
        }
        // An echo whose other half never was.
        let echoes = self.members.drain(..).filter_map(|echo| echo.socket());
        effects.closes.extend(echoes.map(|socket| Close { socket, why: Closing::Deleted }));
        while !self.lingering.is_empty() {
            self.depart(policy, 0, &mut effects);
        }
        Outcome { answer: Ok(()), effects }
    }

    /// The second half of a loopback pair goes with the first.
    fn next_to_go(&self) -> Option<ClientId> {
        self.members().iter().find(|member| !member.id.is_loopback()).map(|member| member.id.clone())
    }
}
