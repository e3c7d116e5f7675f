//! [`Connections`]: the peer data connections of one TCP allocation (RFC 6062 §3).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use posthouse_stun::TransactionId;

use crate::auth::Signer;
use crate::permission::reserve_few;

/// "The timeout value MUST be at least 30 seconds" (RFC 6062 §5.2).
pub(crate) const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// How long a peer data connection waits for its ConnectionBind (RFC 6062 §5.2, §5.3).
pub(crate) const BIND_PATIENCE: Duration = Duration::from_secs(30);

/// Connects of one allocation under way at a time: who scans a network waits for each of them to time out.
pub(crate) const CONNECTING_MAX: usize = 16;

/// CONNECTION-ID (RFC 6062 §6.2.1): names one peer data connection among all of the process. Drawn by lot; which server
/// has it is told by its remainder (see [`crate::Server::among`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

/// A data connection's two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client data connection to the peer data connection.
    ToPeer,
    /// The other way.
    ToClient,
}

/// What a TCP allocation has that others have not. In order of the ids: there are few.
#[derive(Debug, Default)]
pub(crate) struct Connections(Vec<Connection>);

/// One peer data connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) peer: SocketAddr,
    pub(crate) state: State,
}

/// ```text
/// Connect ─► Connecting ─► Unbound ─► Bound
/// a peer connects ───────────┘
/// ```
#[derive(Debug)]
pub(crate) enum State {
    /// The shell connects; the client waits for the answer.
    Connecting { until: Instant, asked: Box<Asked> },
    /// It stands, and no ConnectionBind came yet: "pending" in RFC 6062.
    Unbound { until: Instant },
    /// It is joined to a client data connection.
    Bound,
}

/// A Connect that waits for its answer.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) transaction: TransactionId,
    pub(crate) signer: Signer,
    pub(crate) fingerprint: bool,
}

impl State {
    fn until(&self) -> Option<Instant> {
        match self {
            Self::Connecting { until, .. } | Self::Unbound { until } => Some(*until),
            Self::Bound => None,
        }
    }
}

impl Connections {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// There is a connection with this peer, or it is being made.
    pub(crate) fn has_peer(&self, peer: SocketAddr) -> bool {
        self.0.iter().any(|connection| connection.peer == peer)
    }

    /// One more may be made; `max` is what an allocation may have in all.
    pub(crate) fn may_connect(&self, max: usize) -> bool {
        let connecting = self.0.iter().filter(|c| matches!(c.state, State::Connecting { .. })).count();
        self.0.len() < max && connecting < CONNECTING_MAX
    }

    pub(crate) fn insert(&mut self, connection: Connection) {
        let at = self.find(connection.id).unwrap_or_else(|at| at);
        reserve_few(&mut self.0);
        self.0.insert(at, connection);
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let at = self.find(id).ok()?;
        Some(&mut self.0[at])
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        let at = self.find(id).ok()?;
        Some(self.0.remove(at))
    }

    /// Takes one that `ends` picks.
    pub(crate) fn take(&mut self, ends: impl Fn(&Connection) -> bool) -> Option<Connection> {
        let at = self.0.iter().position(ends)?;
        Some(self.0.remove(at))
    }

    /// When patience with one of them is over next.
    pub(crate) fn next_end(&self) -> Option<Instant> {
        self.0.iter().filter_map(|c| c.state.until()).min()
    }

    fn find(&self, id: ConnectionId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |c| c.id)
    }
}

impl Connection {
    /// Patience with it is over.
    pub(crate) fn is_late(&self, now: Instant) -> bool {
        self.state.until().is_some_and(|until| until <= now)
    }
}
