//! Time as rooms know it: given from outside, the same on every node that shares a store.

use std::time::Duration;

/// Milliseconds since the Unix epoch, as the shell tells them. It must not run backwards on one node; nodes that share
/// a store may differ by less than the durations of [`Policy`](crate::Policy).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The moment `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long from this moment until `later`; zero if that is past.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }
}
