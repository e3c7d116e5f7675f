//! `[rooms]`: who may be together, and for how long a lost seat is kept.

use std::time::Duration;

use crate::keys::{Key, Table};
use crate::reading::Reading;
use crate::value::duration;

pub(crate) const TABLE: Table = Table {
    path: "rooms",
    text: "Rooms appear when somebody joins and disappear with their last member.",
    keys: &[
        Key {
            name: "capacity",
            default: "2",
            example: "2",
            expects: "a whole number",
            text: "Members of a room, 2 to 64. Two, as in AppRTC: its clients call the one other member. With more,\n\
                   clients must be able to hold several connections.",
        },
        Key {
            name: "resume",
            default: "\"10s\"",
            example: "\"10s\"",
            expects: "a duration in quotes",
            text: "How long the seat of a member whose socket was lost is kept for its owner, 1s to 5m. Ten seconds\n\
                   outlast a change from Wi-Fi to mobile, and a newcomer does not wait longer for a dead seat.",
        },
    ],
};

/// `[rooms]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rooms {
    /// Members of a room, at least 2.
    pub capacity: usize,
    /// How long a lost socket's seat is kept.
    pub resume: Duration,
}

impl Default for Rooms {
    fn default() -> Self {
        Self { capacity: 2, resume: Duration::from_secs(10) }
    }
}

impl Rooms {
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let default = Self::default();
        let resume = duration::within(Duration::from_secs(1)..=Duration::from_secs(300));
        let capacity = reading.number("rooms.capacity", 2..=64).and_then(|capacity| usize::try_from(capacity).ok());
        Self {
            capacity: capacity.unwrap_or(default.capacity),
            resume: reading.text("rooms.resume", resume).unwrap_or(default.resume),
        }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { capacity, resume } = self;
        vec![("rooms.capacity", capacity.to_string()), ("rooms.resume", duration::shown(*resume))]
    }
}
