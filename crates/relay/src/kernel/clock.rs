//! Time since boot, suspend included.

use std::time::Duration;

/// CLOCK_BOOTTIME: unlike the clock behind [`std::time::Instant`] it goes on while the machine sleeps.
pub(crate) fn since_boot() -> Duration {
    let mut at = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `at` is a timespec that outlives the call. The clock exists since Linux 2.6.39, so the call cannot fail.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut at) };
    Duration::new(at.tv_sec.unsigned_abs(), at.tv_nsec.unsigned_abs() as u32)
}
