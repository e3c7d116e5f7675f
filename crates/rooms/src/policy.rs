//! What the operator decided about rooms.

use std::time::Duration;

use crate::{meeting::Rules, queue::Bounds};

/// The figures a room's rules work with. Every node that shares a store must have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Members per room. 2 is AppRTC.
    pub capacity: usize,
    /// How long the seat of a lost socket is kept for its owner.
    pub resume: Duration,
    /// A member without any socket so far, and silent for this long, gives way when the room is otherwise full.
    pub register_within: Duration,
    /// A member without any socket so far, and silent for this long, loses its seat in any case.
    pub unregistered: Duration,
    /// How long after `leave` the goodbye may follow on the socket; then the room says it.
    pub linger: Duration,
    /// Must a client join before it registers? Then its id is an unguessable secret, and the newest socket that knows it
    /// is its owner. If not, clients choose ids, and the first socket keeps its own (Collider).
    pub require_join: bool,
    /// Longest message, in bytes.
    pub max_message: usize,
    /// Bounds of every queue of messages that wait.
    pub queue: Bounds,
    /// What meetings work with.
    pub meetings: Rules,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            capacity: 2,
            resume: Duration::from_secs(10),
            register_within: Duration::from_secs(10),
            unregistered: Duration::from_secs(45),
            linger: Duration::from_secs(3),
            require_join: true,
            max_message: 64 * 1024,
            queue: Bounds { messages: 1024, bytes: 256 * 1024 },
            meetings: Rules::default(),
        }
    }
}
