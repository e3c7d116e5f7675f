//! `attach`: a name gets an owner, or its owner a newer socket.

use std::time::Duration;

use super::{Dispatch, Identity, Incarnation, Owner, Seat};
use crate::{Close, Closing, Departure, Digest, Label, Outcome, Refusal, Socket, Timestamp, TopicId, trail::Trail};

/// Who wants a name.
#[derive(Clone, Debug)]
pub struct Attach {
    /// Where it is now.
    pub socket: Socket,
    /// What proves that it was here before.
    pub secret: Option<Digest>,
    /// Who gets a name that has an owner.
    pub taken: Taken,
    /// How long the name is kept when this socket is lost; zero frees it at once.
    pub grace: Duration,
    /// The name its relay credentials are made for.
    pub label: Option<Label>,
}

/// Who gets a name that has an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A live owner keeps it, even against its own secret; a lost one gets it back with the secret.
    Refuse,
    /// Whoever knows the secret, live or not: it is the owner, on a newer socket.
    Owner,
    /// Whoever comes last. One who does not know the secret is somebody else, and inherits nothing.
    Newest,
}

/// The name is yours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// It was yours before; then so are its topics.
    pub again: bool,
    /// Which incarnation of the name this is.
    pub incarnation: Incarnation,
    /// The older socket, which closes now; what it has not written belongs to the new one if `again`.
    pub displaced: Option<Socket>,
    /// The topics it is in.
    pub topics: Vec<TopicId>,
}

impl Identity {
    /// Takes the name, or takes it back. What waited for it is delivered first, in order.
    pub fn attach(&mut self, now: Timestamp, attach: &Attach) -> Outcome<Attached, Dispatch> {
        let mut dispatch = self.expire(now);
        let answer = self.take(attach, &mut dispatch);
        Outcome { answer, effects: dispatch }
    }

    fn take(&mut self, attach: &Attach, dispatch: &mut Dispatch) -> Result<Attached, Refusal> {
        let held = self.owner.as_ref();
        if let Some(owner) = held.filter(|owner| owner.socket() == Some(attach.socket)) {
            // It is here already; its socket's numbers go on.
            let (incarnation, topics) = (owner.incarnation, owner.topics.clone());
            return Ok(Attached { again: true, incarnation, displaced: None, topics });
        }
        let older = held.and_then(Owner::socket);
        let known = held.is_some_and(|owner| attach.secret.is_some() && owner.secret == attach.secret);
        let allowed = match attach.taken {
            _ if held.is_none() => true,
            Taken::Refuse => known && older.is_none(),
            Taken::Owner => known,
            Taken::Newest => true,
        };
        if !allowed {
            return Err(Refusal::IdTaken);
        }
        if !known {
            self.end_owner(Departure::Evicted, Closing::Displaced, dispatch);
        }
        dispatch.closes.extend(older.filter(|_| known).map(|socket| Close { socket, why: Closing::Displaced }));
        let owner = self.owner.get_or_insert_with(|| Owner::new(attach));
        owner.grace = attach.grace;
        owner.move_to(attach.socket);
        if attach.label.is_some() {
            owner.label.clone_from(&attach.label);
        }
        for message in self.mailbox.drain() {
            owner.place(attach.socket, message, dispatch);
        }
        let (incarnation, topics) = (owner.incarnation, owner.topics.clone());
        Ok(Attached { again: known, incarnation, displaced: older, topics })
    }
}

impl Owner {
    fn new(attach: &Attach) -> Self {
        Self {
            incarnation: attach.socket,
            secret: attach.secret,
            label: attach.label.clone(),
            grace: attach.grace,
            seat: Seat::Live(attach.socket),
            topics: Vec::new(),
            next_index: 0,
            trail: Trail::default(),
        }
    }
}
