//! Where a client is, and the token with which it comes back.

use std::{net::IpAddr, sync::Arc};

use posthouse_rooms::{RoomId, Socket};
use tracing::debug;

use crate::{RequestContext, delivery::Post};

/// Where a client is.
#[derive(Debug)]
pub(super) enum Seat {
    /// Nowhere yet, or no longer.
    None,
    /// It waits to be admitted.
    Door(Box<Waiting>),
    /// In a room.
    Taken(Ticket),
}

/// Which member of which room.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) room: RoomId,
    pub(super) member: Arc<str>,
}

/// What a guest is told when it is admitted.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    /// The id of its `join`.
    pub(super) id: u64,
    /// The token with which it will come back.
    pub(super) token: String,
}

impl Seat {
    /// Leaves it, and says which it was.
    pub(super) fn give_up(&mut self) -> Option<Ticket> {
        match std::mem::replace(self, Self::None) {
            Self::None => None,
            Self::Door(waiting) => Some(waiting.ticket),
            Self::Taken(ticket) => Some(ticket),
        }
    }
}

/// Where a client asks from, for whoever must name a server that it can reach.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) peer: IpAddr,
    pub(super) host: Option<Box<str>>,
}

impl Source {
    pub(super) fn context(&self) -> RequestContext<'_> {
        RequestContext { peer: self.peer, host: self.host.as_deref() }
    }
}

impl Ticket {
    /// The token that a client shows, on any node: `ROOM.MEMBER.SECRET`. None of the three has a dot in it.
    pub(super) fn token(&self, secret: &str) -> String {
        format!("{}.{}.{secret}", self.room.as_str(), self.member)
    }

    /// The room and the member that a token names; the whole of it is the proof.
    pub(super) fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (room, member, _secret) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { room: RoomId::parse(room).ok()?, member: member.into() }).filter(|_| parts.next().is_none())
    }
}

/// Its socket is gone.
pub(super) async fn lose(post: Arc<Post>, ticket: Ticket, socket: Socket) {
    let Ticket { room, member } = ticket;
    let lost = post.change_meeting(&room, |one, rules, now| one.lose(rules, now, &member, socket)).await;
    if let Err(trouble) = lost {
        debug!(target: "rooms", ?trouble, "a lost socket could not be told");
    }
}
