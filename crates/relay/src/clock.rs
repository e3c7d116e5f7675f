//! [`now`]: one scale of time for every worker and for who configures them.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use posthouse_turn::Now;

use crate::kernel::clock::since_boot;

/// Both clocks, as the workers read them once a batch.
///
/// Lifetimes run on CLOCK_BOOTTIME, so that an allocation does not outlive a night of suspend. An [`Instant`] counts
/// CLOCK_MONOTONIC, hence the instants here are `origin + time since boot`: the same as [`Instant::now`] until the
/// machine is suspended for the first time. Compare them among themselves.
#[must_use]
pub fn now() -> Now {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    let since_boot = since_boot();
    let origin = ORIGIN.get_or_init(|| {
        let now = Instant::now();
        now.checked_sub(since_boot).unwrap_or(now)
    });
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Now { instant: *origin + since_boot, unix }
}
