//! [`Now`]: both clocks, given from outside.

use std::time::{Duration, Instant};

/// The moment an input happened, on both clocks. The core never asks for the time itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Monotonic: every lifetime runs on it, so that a jump of the wall clock ends no call.
    pub instant: Instant,
    /// Wall clock, seconds since 1970: only the expiry of time-limited credentials is compared with it.
    pub unix: u64,
}

impl Now {
    /// The same pair of clocks, `by` later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self { instant: self.instant + by, unix: self.unix + by.as_secs() }
    }
}
