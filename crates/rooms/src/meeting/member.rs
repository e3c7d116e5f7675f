//! Members, and guests at the door.

use std::sync::Arc;

use super::{Mailbox, Requests, State};
use crate::{Digest, Socket, Timestamp};

/// One who is in a meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its public name, random, and the label of its relay credentials.
    pub id: Arc<str>,
    /// What it calls itself.
    pub name: Option<Arc<str>>,
    /// Its presence: JSON of its own.
    pub data: Option<Arc<str>>,
    /// Its place among all who ever came; none is used twice.
    pub since: u64,
    /// Has it shown the owner's secret?
    pub owner: bool,
    /// What proves that a newer socket is its own.
    pub(super) token: Digest,
    /// The token before, good until the client has shown that it got the newer one.
    pub(super) former: Option<Digest>,
    /// Has it said anything since it came?
    pub(super) proven: bool,
    pub(super) seat: Seat,
    pub(super) mailbox: Mailbox,
    pub(super) requests: Requests,
}

/// Where a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    Live(Line),
    Held { until: Timestamp },
}

/// A socket, and the number that the next delivery on it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) socket: Socket,
    pub(super) next: u64,
}

impl Line {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, next: 0 }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }
}

impl Member {
    /// The socket on which it is now.
    #[must_use]
    pub fn socket(&self) -> Option<Socket> {
        match self.seat {
            Seat::Live(line) => Some(line.socket),
            Seat::Held { .. } => None,
        }
    }

    /// The client has shown that it got its newest token.
    pub(super) fn prove(&mut self) {
        self.proven = true;
        self.former = None;
    }

    pub(super) fn held_until(&self) -> Option<Timestamp> {
        match self.seat {
            Seat::Held { until } => Some(until),
            Seat::Live(_) => None,
        }
    }
}

/// One who waits to be admitted, and all that is needed to seat it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guest {
    pub(super) id: Arc<str>,
    pub(super) name: Option<Arc<str>>,
    pub(super) data: Option<Arc<str>>,
    pub(super) token: Digest,
    pub(super) request: u64,
    pub(super) line: Line,
}

/// What one who comes in, or back, must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// Its own id.
    pub member: Arc<str>,
    /// Is it there because it made the meeting just now?
    pub made: bool,
    /// The `seq` of its last event so far.
    pub seq: u64,
    /// The highest request of it that was done.
    pub received: u64,
    /// All members but itself.
    pub members: Vec<Seen>,
    /// What holds here.
    pub state: State,
    /// Those who wait at the door, for an owner that comes back: its client may have read their knocks and forgotten them
    /// since. A newcomer hears them as events.
    pub knocks: Vec<Knock>,
}

/// One who waits at the door, as owners see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knock {
    /// The id it would have as a member.
    pub guest: Arc<str>,
    /// What it calls itself.
    pub name: Option<Arc<str>>,
}

/// A member as another one sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: Arc<str>,
    /// What it calls itself.
    pub name: Option<Arc<str>>,
    /// Its presence.
    pub data: Option<Arc<str>>,
    /// Is the one who looks polite towards it?
    pub polite: bool,
    /// Is its socket lost, and its seat kept?
    pub away: bool,
}

impl super::Meeting {
    /// What the member at `at` must know when it comes in, or back.
    pub(super) fn welcome(&self, at: usize, made: bool) -> Welcome {
        let own = &self.members[at];
        let others = self.members.iter().filter(|member| member.id != own.id);
        let seen = |member: &Member| Seen {
            id: member.id.clone(),
            name: member.name.clone(),
            data: member.data.clone(),
            polite: own.since > member.since,
            away: member.socket().is_none(),
        };
        Welcome {
            member: own.id.clone(),
            made,
            seq: own.mailbox.last(),
            received: own.requests.last(),
            members: others.map(seen).collect(),
            state: self.state(),
            knocks: Vec::new(),
        }
    }

    /// Those who wait at the door, in the order they knocked.
    pub(super) fn knocks(&self) -> Vec<Knock> {
        let knock = |guest: &Guest| Knock { guest: guest.id.clone(), name: guest.name.clone() };
        self.guests.iter().map(knock).collect()
    }
}
