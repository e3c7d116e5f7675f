//! What waits for an identity: bounded in count and bytes, each message for its own time.

use std::collections::VecDeque;

use crate::{Address, Body, Bounds, Message, Refusal, Timestamp};

/// A message for an identity, and what becomes of it when nobody is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What is said.
    pub body: Body,
    /// For whom it may wait.
    pub keep: Keep,
    /// What its sender hears if it waits in vain (`PeerJS`: `EXPIRE`).
    pub returned: Option<Returned>,
    /// Only for this incarnation of the identity; anybody else of that name shall not read it.
    pub only: Option<crate::Incarnation>,
}

/// For whom a message may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// For nobody: now or never.
    No,
    /// For the owner whose socket is lost, as long as its name is kept.
    ForOwner,
    /// For whoever takes the name until then; for an owner whose socket is lost no longer either.
    Until(Timestamp),
}

/// What a sender hears of a message that waited in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The sender.
    pub to: Address,
    /// What it hears.
    pub body: Body,
}

impl Letter {
    /// A message that is for one incarnation alone, and waits for its socket: what is said in a topic.
    #[must_use]
    pub fn copy(body: Body, only: crate::Incarnation) -> Self {
        Self { body, keep: Keep::ForOwner, returned: None, only: Some(only) }
    }

    /// A message that is delivered now or never.
    #[must_use]
    pub fn now(body: Body) -> Self {
        Self { body, keep: Keep::No, returned: None, only: None }
    }
}

/// Waiting messages in the order of their `seq`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mailbox {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    message: Message,
    until: Option<Timestamp>,
    returned: Option<Box<Returned>>,
}

impl Mailbox {
    /// Puts a message where its `seq` belongs, unless a bound would break.
    pub(crate) fn push(
        &mut self,
        bounds: Bounds,
        message: Message,
        until: Option<Timestamp>,
        returned: Option<Returned>,
    ) -> Result<(), Refusal> {
        if self.waiting.len() >= bounds.messages || self.bytes + message.body.len() > bounds.bytes {
            return Err(Refusal::QueueFull);
        }
        let at = self.waiting.partition_point(|earlier| earlier.message.seq < message.seq);
        if self.waiting.get(at).is_none_or(|same| same.message.seq != message.seq) {
            self.bytes += message.body.len();
            self.waiting.insert(at, Waiting { message, until, returned: returned.map(Box::new) });
        }
        Ok(())
    }

    /// Takes all.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Message> + use<> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting).into_iter().map(|waiting| waiting.message)
    }

    /// Drops all; answers who is to be told, each once.
    pub(crate) fn give_up(&mut self) -> Vec<Returned> {
        self.bytes = 0;
        let mut returned = Vec::new();
        for one in std::mem::take(&mut self.waiting).into_iter().filter_map(|waiting| waiting.returned) {
            if !returned.contains(&*one) {
                returned.push(*one);
            }
        }
        returned
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The earliest moment at which a message has waited in vain.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.waiting.iter().filter_map(|waiting| waiting.until).min()
    }

    /// Takes out what has waited in vain, and what the same sender said after it: an answerless offer's candidates mean
    /// nothing, and the sender hears of all of them once.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Vec<Returned> {
        let mut returned: Vec<Returned> = Vec::new();
        if self.poll_timeout().is_none_or(|earliest| earliest > now) {
            return returned;
        }
        for waiting in std::mem::take(&mut self.waiting) {
            let over = waiting.until.is_some_and(|until| until <= now);
            let orphan = waiting.returned.as_deref().is_some_and(|one| returned.contains(one));
            if !over && !orphan {
                self.waiting.push_back(waiting);
                continue;
            }
            self.bytes -= waiting.message.body.len();
            returned.extend(waiting.returned.map(|one| *one).filter(|_| !orphan));
        }
        returned
    }
}
