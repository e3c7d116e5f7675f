//! How long a credential carries an allocation: what its expiry ends, and what it leaves.
//!
//! ```text
//!                        credential expires
//! lax:     Allocate ─ Refresh ─ Refresh │ Refresh ─ Refresh ──── max_session │ 401, it ends with its last lifetime
//! strict:  Allocate ─ Refresh ─ Refresh │ it ends
//! ```

use std::time::Duration;

use crate::allocation::Allocation;
use crate::{Now, Settings};

impl Settings {
    /// Whether a name was good only until now.
    pub(crate) fn has_expired(&self, now: Now, username: &str) -> bool {
        self.credentials.expiry(username).is_some_and(|expiry| now.unix >= expiry)
    }

    /// Whether an allocation may be used and refreshed with a credential that has expired.
    pub(crate) fn may_go_on(&self, now: Now, allocation: &Allocation) -> bool {
        !self.strict_expiry && now.instant.duration_since(allocation.created) < self.max_session
    }

    /// The part of `lifetime` that a name's expiry leaves: all of it unless expiry is strict.
    pub(crate) fn within_expiry(&self, now: Now, username: &str, lifetime: Duration) -> Duration {
        let expiry = self.credentials.expiry(username).filter(|_| self.strict_expiry);
        let left = expiry.map(|expiry| Duration::from_secs(expiry.saturating_sub(now.unix)));
        left.map_or(lifetime, |left| left.min(lifetime))
    }
}
