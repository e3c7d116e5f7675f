//! Messages that wait, bounded in count and bytes.

use std::collections::VecDeque;

use crate::{Body, Message, Refusal};

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Messages.
    pub messages: usize,
    /// Bytes of their bodies.
    pub bytes: usize,
}

/// Waiting messages in the order of their `seq`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    waiting: VecDeque<Message>,
    bytes: usize,
}

impl Queue {
    /// Puts a message where its `seq` belongs, unless a bound would break. A goodbye always fits: it stands in for the member that is gone, so there
    /// are never more of them than departures.
    pub(crate) fn push(&mut self, bounds: Bounds, message: Message) -> Result<(), Refusal> {
        let full = self.waiting.len() >= bounds.messages || self.bytes + message.body.len() > bounds.bytes;
        if full && message.body != Body::Bye {
            return Err(Refusal::QueueFull);
        }
        // At the end as a rule; earlier when it was taken out before and never reached its reader.
        let at = self.waiting.partition_point(|earlier| earlier.seq < message.seq);
        if self.waiting.get(at).is_none_or(|same| same.seq != message.seq) {
            self.bytes += message.body.len();
            self.waiting.insert(at, message);
        }
        Ok(())
    }

    /// Takes all.
    pub(crate) fn drain(&mut self) -> Vec<Message> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting).into()
    }

    /// Messages that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Is nothing waiting?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Bytes that wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
