//! Who makes rooms without a key or a token: how many, and how long they may be empty. A room that nobody is in costs its
//! maker nothing, and all rooms share one bound.

use std::{net::IpAddr, sync::Arc, time::Duration};

use super::fault::{Code, Fault};
use crate::Signaling;

/// Seconds that a room may be empty if nobody vouches for whoever made it.
const LONGEST_EMPTY: u64 = 60 * 60;

/// One who may make a room.
pub(super) struct Maker<'a> {
    pub(super) signaling: &'a Arc<Signaling>,
    pub(super) source: IpAddr,
    /// Did it bring an API key, or a token that grants `create`?
    pub(super) is_vouched_for: bool,
}

impl Maker<'_> {
    /// Might its network make one more room now? One is counted by [`Self::has_made`], once there is one.
    pub(super) fn may(&self) -> bool {
        let limits = &self.signaling.limits;
        self.is_vouched_for || limits.would_allow(&limits.make, self.source)
    }

    /// There is a room more.
    pub(super) fn has_made(&self) {
        let limits = &self.signaling.limits;
        if !self.is_vouched_for {
            limits.allow(&limits.make, self.source);
        }
    }

    /// How long its room may be empty, of the time it asked for.
    pub(super) fn keep(&self, seconds: u64) -> Duration {
        let longest = self.signaling.post.policy.load().meetings.longest_empty;
        let wanted = Duration::from_secs(if self.is_vouched_for { seconds } else { seconds.min(LONGEST_EMPTY) });
        wanted.min(longest)
    }

    /// What it hears if it [may](Self::may) not.
    pub(super) fn too_fast(&self) -> Fault {
        self.signaling.counters.refused_rate.add();
        Fault::new(Code::TooFast, "more new rooms than one network may make without an API key or a token")
    }
}
