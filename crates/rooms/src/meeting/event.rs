//! What members hear.

use std::sync::Arc;

/// One thing that happened, as one member is told it. A dialect turns it into its own frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A member said something.
    Said {
        /// Who.
        from: Arc<str>,
        /// To all others, or to this one alone?
        all: bool,
        /// What, untouched.
        data: Arc<str>,
    },
    /// A member came.
    Joined {
        /// Who.
        member: Arc<str>,
        /// What it calls itself.
        name: Option<Arc<str>>,
        /// Its presence.
        data: Option<Arc<str>>,
    },
    /// A member is gone for good.
    Left {
        /// Who.
        member: Arc<str>,
        /// How.
        how: Gone,
    },
    /// A member's socket was lost; its seat is kept.
    Away(Arc<str>),
    /// It is back.
    Back(Arc<str>),
    /// A member's presence changed.
    Changed {
        /// Who.
        member: Arc<str>,
        /// The new presence.
        data: Option<Arc<str>>,
    },
    /// Somebody waits at the door; owners alone are told.
    Knock {
        /// The id it would have as a member.
        guest: Arc<str>,
        /// What it calls itself.
        name: Option<Arc<str>>,
    },
    /// It waits no longer.
    KnockGone(Arc<str>),
    /// What holds for the room changed.
    State(State),
    /// News for this member alone, in the dialect's own words.
    Private(Arc<str>),
    /// The membership is over. The last event.
    Closed(Over),
    /// A guest's place is taken: it is a member now. Not counted in `seq`, for what it tells is where that begins.
    Admitted(Box<super::Welcome>),
    /// A guest was sent away. Not counted in `seq`.
    Denied,
}

/// How a member went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It said so.
    Left,
    /// It did not come back, or did not read.
    Lost,
    /// The owner ended it.
    Kicked,
}

/// Why a membership is over for the one whose it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The owner ended it.
    Kicked,
    /// The owner closed the room.
    Closed,
    /// The room was empty for too long while a guest waited.
    Expired,
}

/// What everybody in a room may know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Members at most.
    pub capacity: usize,
    /// Does nobody new come in?
    pub locked: bool,
    /// Must newcomers know a passphrase?
    pub passphrase: bool,
    /// Do newcomers wait to be admitted?
    pub knock: bool,
}

impl Event {
    /// Bytes that count against a mailbox's bound.
    #[must_use]
    pub fn len(&self) -> usize {
        let optional = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len());
        let payload = match self {
            Self::Said { data, .. } | Self::Private(data) => data.len(),
            Self::Joined { name, data, .. } => optional(name) + optional(data),
            Self::Changed { data, .. } => optional(data),
            Self::Knock { name, .. } => optional(name),
            _ => 0,
        };
        // What every event costs beside its payload, roughly.
        payload + 64
    }

    /// Does it count nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }
}
