//! `leave` and Collider's `DELETE`: a member goes on purpose.

use crate::{
    Body, ClientId, Close, Closing, Departure, Effects, Outcome, Policy, Room, Seat, Timestamp, room::Lingering,
};

impl Room {
    /// Ends a membership at once. The goodbye may still follow, on the socket or by a request: the stock clients leave
    /// first. An unknown id changes nothing.
    pub fn leave(&mut self, policy: &Policy, now: Timestamp, client: &ClientId) -> Outcome<()> {
        let mut effects = self.expire(policy, now);
        if let Some(at) = self.position(client).filter(|at| !self.members[*at].id.is_loopback()) {
            let audience = self.others(at);
            let member = self.remove(at, Departure::Left, &mut effects);
            self.linger(policy, now, member.id.clone(), member.socket(), audience);
        }
        Outcome { answer: Ok(()), effects }
    }

    /// Ends a membership and closes its socket. An unknown id changes nothing.
    pub fn delete(&mut self, policy: &Policy, now: Timestamp, client: &ClientId) -> Outcome<()> {
        let mut effects = self.expire(policy, now);
        self.take_out(policy, client, Departure::Deleted, &mut effects);
        Outcome { answer: Ok(()), effects }
    }

    /// Ends whatever there is of a member: its seat, its socket, the time it has to say goodbye.
    pub(super) fn take_out(&mut self, policy: &Policy, client: &ClientId, why: Departure, effects: &mut Effects) {
        if let Some(at) = self.lingering.iter().position(|gone| gone.id == *client) {
            self.depart(policy, at, effects);
        }
        if let Some(at) = self.position(client) {
            let socket = self.members[at].socket();
            effects.closes.extend(socket.map(|socket| Close { socket, why: Closing::Deleted }));
            if self.members[at].id.is_loopback() {
                self.members[at].seat = Seat::Loopback;
            } else {
                self.end(policy, at, why, effects);
            }
        }
    }

    /// Remembers one who left until its goodbye, its socket's end, or [`Policy::linger`].
    pub(super) fn linger(
        &mut self,
        policy: &Policy,
        now: Timestamp,
        id: ClientId,
        socket: Option<crate::Socket>,
        audience: Vec<ClientId>,
    ) {
        if audience.is_empty() && socket.is_none() {
            return;
        }
        self.lingering.push(Lingering { id, socket, audience, until: now.after(policy.linger) });
    }

    /// The time of one who left is over: the goodbye is said if it was not, the socket closed.
    pub(super) fn depart(&mut self, policy: &Policy, at: usize, effects: &mut Effects) {
        let gone = self.lingering.remove(at);
        self.say_bye(policy, &gone.audience, &Body::Bye, effects);
        effects.closes.extend(gone.socket.map(|socket| Close { socket, why: Closing::Left }));
    }
}
