//! What the operator allows identities and topics.

use crate::Bounds;

/// Bounds of the model. Every node that shares a store must have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes.
    pub max_message: usize,
    /// What may wait for one identity.
    pub mailbox: Bounds,
    /// Topics that one identity may be in at once.
    pub topics: usize,
    /// Members of one topic; a dialect, or the topic's own terms, may ask for fewer.
    pub members: usize,
    /// Those who may wait at a locked topic's door.
    pub knocking: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 64 * 1024,
            mailbox: Bounds { messages: 256, bytes: 256 * 1024 },
            topics: 100,
            members: 1_000,
            knocking: 32,
        }
    }
}
