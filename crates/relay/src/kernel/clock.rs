//! Time since boot, suspend included; processor time; being woken on time.

use std::time::Duration;

/// CLOCK_BOOTTIME: unlike the clock behind [`std::time::Instant`] it goes on while the machine sleeps.
pub(crate) fn since_boot() -> Duration {
    read(libc::CLOCK_BOOTTIME)
}

/// CLOCK_THREAD_CPUTIME_ID: what the calling thread has used, the kernel's work for it included.
pub(crate) fn used_by_this_thread() -> Duration {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut at = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `at` is a timespec that outlives the call. Both clocks exist since Linux 2.6.39, so the call cannot fail.
    unsafe { libc::clock_gettime(clock, &raw mut at) };
    Duration::new(at.tv_sec.unsigned_abs(), at.tv_nsec.unsigned_abs() as u32)
}

/// Ends this thread's sleeps when they are over, and not up to 50 us later so that others may end with them
/// (PR_SET_TIMERSLACK). Where a filter of system calls forbids it, they last that much longer.
pub(crate) fn wake_on_time() {
    let nanoseconds: libc::c_ulong = 1;
    // SAFETY: the option takes a number and no pointer; it concerns the calling thread alone.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, nanoseconds) };
}
