//! What a room answers, and what it asks the shell to carry out.

use std::sync::Arc;

use crate::{ClientId, Label, Message, Occupancy, Refusal, Role, Socket};

/// A room's answer to one verb, and the effects to carry out if the store kept the change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Outcome<T, E = Effects> {
    /// Yes, with what the caller needs; or no, with the rule.
    pub answer: Result<T, Refusal>,
    /// What follows. A refusal may have effects too: others' seats may have run out meanwhile.
    pub effects: E,
}

/// What the shell does after the change is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Messages for sockets.
    pub deliveries: Vec<Delivery>,
    /// Sockets to close.
    pub closes: Vec<Close>,
    /// Memberships that are over.
    pub ended: Vec<Ended>,
}

/// A message for a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Whose socket it is.
    pub client: ClientId,
    /// The socket.
    pub to: Socket,
    /// The place of this delivery on its socket: 0, 1, 2 ... without a gap. Changes that race hand their deliveries
    /// over in any order; by this number the socket restores theirs, and knows a repetition.
    pub index: u64,
    /// What to deliver.
    pub message: Message,
}

/// A socket to close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// Which.
    pub socket: Socket,
    /// Why.
    pub why: Closing,
}

/// Why a room closes a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Its owner came back on a newer one.
    Displaced,
    /// Its client was deleted (Collider's `DELETE`).
    Deleted,
    /// Its client left a while ago.
    Left,
}

/// A membership that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The name its relay credentials were made for.
    pub label: Option<Label>,
    /// How it ended.
    pub why: Departure,
}

/// How a membership ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// `leave`.
    Left,
    /// It said goodbye.
    Bye,
    /// Collider's `DELETE`.
    Deleted,
    /// By the wish of the room's owner or of the operator: kicked, or the room was closed. Its relay credentials go too.
    Kicked,
    /// Its socket was lost and it did not come back.
    Lost,
    /// It never took a socket, and its time ran out.
    NeverRegistered,
    /// It never took a socket, and another wanted the seat.
    Evicted,
}

/// `join` succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Initiator, or joiner.
    pub role: Role,
    /// What was said before it came, in order.
    pub messages: Vec<Arc<str>>,
    /// Seats taken now.
    pub occupancy: Occupancy,
}

/// `register` succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The older socket of the same client, which closes now; what it has not written belongs to the new one.
    pub displaced: Option<Socket>,
}

/// `send` succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Said to this many others, on their sockets or into their mailboxes.
    Relayed(usize),
    /// Nobody is there; it waits for the next joiner.
    Stored,
    /// A second goodbye, or a goodbye to nobody: nothing to do.
    Ignored,
}

impl Effects {
    /// Adds what follows later.
    pub fn append(&mut self, later: Self) {
        self.deliveries.extend(later.deliveries);
        self.closes.extend(later.closes);
        self.ended.extend(later.ended);
    }
}
