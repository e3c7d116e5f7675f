//! What members say to each other: opaque to a room, apart from the goodbye.

use std::sync::Arc;

use crate::meeting::Event;

/// A message on its way to one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its place among all messages to this member; later ones are greater, and none is used twice.
    pub seq: u64,
    /// What is said.
    pub body: Body,
}

/// What is said. A dialect turns it into its own frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// What a member sent, untouched. It may be a goodbye in the member's own words.
    Text(Arc<str>),
    /// A member is gone and did not say so itself: the dialect says its goodbye (AppRTC: `{"type":"bye"}`).
    Bye,
    /// Something that happened in a [`Meeting`](crate::Meeting).
    Event(Arc<Event>),
}

impl Body {
    /// Bytes that count against a queue's bound.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bye => 0,
            Self::Event(event) => event.len(),
        }
    }

    /// Does it count nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
