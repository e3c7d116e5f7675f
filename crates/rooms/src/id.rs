//! Names of rooms, clients, nodes and sockets: parsed once, trusted afterwards.

use std::{fmt, sync::Arc};

/// Longest name of a room or a client, in bytes.
const LONGEST: usize = 128;

/// The name of a room, 1 to 128 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(Arc<str>);

impl RoomId {
    /// A name as AppRTC's URLs carry it: `[A-Za-z0-9_-]{1,128}`.
    ///
    /// # Errors
    /// When it is empty, too long, or holds any other character.
    pub fn parse(name: &str) -> Result<Self, IdError> {
        let id = Self::parse_any(name)?;
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if plain { Ok(id) } else { Err(IdError::Character) }
    }

    /// A name as a stand-alone Collider took it: any text without control characters, 1 to 128 bytes.
    ///
    /// # Errors
    /// When it is empty, too long, or holds a control character.
    pub fn parse_any(name: &str) -> Result<Self, IdError> {
        bounded(name).map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A client's id: the bearer secret of its seat, so it is compared in constant time and never printed.
#[derive(Clone)]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// Any text without control characters, 1 to 128 bytes.
    ///
    /// # Errors
    /// When it is empty, too long, or holds a control character.
    pub fn parse(id: &str) -> Result<Self, IdError> {
        bounded(id).map(Self)
    }

    /// The second half of a loopback pair. The web app registers it in lower case, iOS in upper case: one id.
    #[must_use]
    pub fn loopback() -> Self {
        Self("LOOPBACK_CLIENT_ID".into())
    }

    /// Is this the second half of a loopback pair, in either spelling?
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.0.eq_ignore_ascii_case("LOOPBACK_CLIENT_ID")
    }

    /// The secret itself, for the one it belongs to.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for ClientId {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (x, y)| differ | (x ^ y)) == 0
    }
}

impl Eq for ClientId {}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientId(..)")
    }
}

/// A member's public random name, safe in logs: what its TURN credentials and allocations are accounted under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label(pub Arc<str>);

/// One running process among those that share a store; random at start, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u64);

/// One connection on a node; never reused while that node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Where a client's messages go: one connection on one node. A name, not a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Socket {
    /// The node that holds the connection.
    pub node: NodeId,
    /// The connection on that node.
    pub connection: ConnectionId,
}

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("expected 1 to 128 bytes, got none")]
    Empty,
    /// Longer than 128 bytes.
    #[error("expected 1 to 128 bytes, got more")]
    TooLong,
    /// A character that may not be there.
    #[error("expected letters, digits, '-' and '_', got another character")]
    Character,
}

fn bounded(text: &str) -> Result<Arc<str>, IdError> {
    match text.len() {
        0 => Err(IdError::Empty),
        n if n > LONGEST => Err(IdError::TooLong),
        _ if text.chars().any(char::is_control) => Err(IdError::Character),
        _ => Ok(text.into()),
    }
}
