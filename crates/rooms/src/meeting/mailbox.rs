//! What a member was told and has not acknowledged.

use std::{collections::VecDeque, sync::Arc};

use super::Event;
use crate::{Body, Bounds, Message};

/// Events without a gap: the first is the one after the last that was acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    waiting: VecDeque<Message>,
    bytes: usize,
    /// The last `seq` given out; 0 before the first.
    last: u64,
    /// Something did not fit: its member ends.
    pub(super) overflown: bool,
}

impl Mailbox {
    /// Numbers an event and keeps it.
    pub(super) fn push(&mut self, bounds: Bounds, event: &Arc<Event>) -> Option<&Message> {
        if self.waiting.len() >= bounds.messages || self.bytes + event.len() > bounds.bytes {
            self.overflown = true;
        }
        if self.overflown {
            return None;
        }
        self.last += 1;
        self.bytes += event.len();
        self.waiting.push_back(Message { seq: self.last, body: Body::Event(event.clone()) });
        self.waiting.back()
    }

    /// The last event, which goes out whether it fits or not.
    pub(super) fn last_word(&mut self, event: Event) -> Message {
        self.last += 1;
        Message { seq: self.last, body: Body::Event(Arc::new(event)) }
    }

    /// Events up to `seq` have been read.
    pub(super) fn acknowledge(&mut self, seq: u64) {
        while self.waiting.front().is_some_and(|message| message.seq <= seq) {
            self.bytes -= self.waiting.pop_front().map_or(0, |message| message.body.len());
        }
    }

    /// Can everything after `seen` be told again?
    pub(super) fn reaches_back_to(&self, seen: u64) -> bool {
        seen <= self.last && seen >= self.last - self.waiting.len() as u64
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Message> {
        self.waiting.iter()
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }
}
