//! `register` and `deregister`: a socket comes and goes.

use crate::{
    ClientId, Close, Closing, Effects, Message, Outcome, Policy, Refusal, Registered, Room, Seat, Socket, Timestamp,
};

impl Room {
    /// Gives a member its socket; what waited for it is delivered first, in order.
    pub fn register(
        &mut self,
        policy: &Policy,
        now: Timestamp,
        client: &ClientId,
        socket: Socket,
    ) -> Outcome<Registered> {
        let mut effects = self.expire(policy, now);
        let answer = self.connect(policy, now, client, socket, &mut effects);
        Outcome { answer, effects }
    }

    /// The socket is gone. The seat is kept for [`Policy::resume`]; `unsent` is what the socket was given and did not
    /// write. A socket that its owner has replaced meanwhile changes nothing.
    pub fn deregister(
        &mut self,
        policy: &Policy,
        now: Timestamp,
        client: &ClientId,
        socket: Socket,
        unsent: Vec<Message>,
    ) -> Outcome<()> {
        let mut effects = self.expire(policy, now);
        if let Some(at) = self.lingering.iter().position(|gone| gone.socket == Some(socket)) {
            self.depart(policy, at, &mut effects);
        }
        if let Some(at) = self.position(client) {
            let member = &mut self.members[at];
            member.take_back(policy, socket, unsent, &mut effects);
            if member.socket() == Some(socket) {
                let loopback = member.id.is_loopback();
                member.seat = if loopback { Seat::Loopback } else { Seat::Held { until: now.after(policy.resume) } };
            }
            effects.append(self.expire(policy, now));
        }
        Outcome { answer: Ok(()), effects }
    }

    /// Messages that found their socket gone come back.
    pub fn hand_back(
        &mut self,
        policy: &Policy,
        client: &ClientId,
        gone: Socket,
        messages: Vec<Message>,
    ) -> Outcome<()> {
        let mut effects = Effects::default();
        if let Some(at) = self.position(client) {
            self.members[at].take_back(policy, gone, messages, &mut effects);
        }
        Outcome { answer: Ok(()), effects }
    }

    fn connect(
        &mut self,
        policy: &Policy,
        now: Timestamp,
        client: &ClientId,
        socket: Socket,
        effects: &mut Effects,
    ) -> Result<Registered, Refusal> {
        let at = self.admit(policy, now, client, effects)?;
        let member = &mut self.members[at];
        let displaced = member.socket().filter(|older| *older != socket);
        // Everybody knows the loopback id, so holding it proves nothing.
        if displaced.is_some() && (!policy.require_join || member.id.is_loopback()) {
            return Err(Refusal::DuplicateRegistration);
        }
        member.connect(socket, effects);
        effects.closes.extend(displaced.map(|socket| Close { socket, why: Closing::Displaced }));
        Ok(Registered { displaced })
    }
}
