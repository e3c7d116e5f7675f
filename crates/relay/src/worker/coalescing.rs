//! [`Coalescing`]: whether packets come so densely that a worker lets the next ones come together before it looks again.
//!
//! ```text
//! one by one:  look, 1 packet, sleep, look, 1 packet, sleep, look, 1 packet, sleep    a wake-up costs several packets
//! coalesced:   look, 1 packet, let the window pass ─────────► look, 3 packets
//! ```
//!
//! What network cards do with their interrupts. Packets that are too rare to meet another within the window wait for
//! nothing; a worker that is busy for longer than the window looks at once, and so does one whose packets come joined
//! (UDP_GRO): they are together already, and a sender of bursts waits for their answer.

use std::time::{Duration, Instant};

/// So many packets are expected within the window, or none is kept waiting.
const WORTH: u32 = 2;

/// A look counts for one part in so many of what is expected.
const WEIGHT: u32 = 8;

/// A sleep for less than this part of the window costs more than it saves.
const LEAST: u32 = 4;

/// What one worker expects.
#[derive(Debug)]
pub(super) struct Coalescing {
    /// How long a packet may be kept waiting; zero: never.
    window: Duration,
    /// Reads of one look, at most.
    batch: usize,
    /// From one read to the next, as of late.
    gap: Duration,
    looked: Instant,
    /// The last look had all that it had room for: more waits already.
    full: bool,
    /// The last look had datagrams that the kernel had joined.
    joined: bool,
}

impl Coalescing {
    pub(super) fn new(window: Duration, batch: usize, now: Instant) -> Self {
        Self { window, batch, gap: window, looked: now, full: false, joined: false }
    }

    /// A look that ended at `now` has brought so many reads, `joined`: one of them of several datagrams at once.
    pub(super) fn looked(&mut self, reads: usize, joined: bool, now: Instant) {
        let since = now.saturating_duration_since(self.looked);
        let each = since / u32::try_from(reads.max(1)).unwrap_or(u32::MAX);
        // One quiet time is enough to be expected again, and some twenty packets to be forgotten.
        self.gap = (self.gap * (WEIGHT - 1) + each.min(self.window * WEIGHT)) / WEIGHT;
        self.full = reads >= self.batch;
        self.joined = joined;
        self.looked = now;
    }

    /// How long to let pass from `now` on before the next look; `None`: look at once, and sleep there until a packet comes.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        if self.full || self.joined || self.gap * WORTH > self.window {
            return None;
        }
        let left = self.window.checked_sub(now.saturating_duration_since(self.looked))?;
        (!left.is_zero() && left >= self.window / LEAST).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn us(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    /// After so many looks in step, each with so many reads, and `busy` of work with the last of them.
    fn pause(window: Duration, looks: u32, (step, reads): (Duration, usize), busy: Duration) -> Option<Duration> {
        let start = Instant::now();
        let mut coalescing = Coalescing::new(window, 64, start);
        (1..=looks).for_each(|n| coalescing.looked(reads, false, start + step * n));
        coalescing.pause(start + step * looks + busy)
    }

    #[test]
    fn dense_packets_are_looked_at_once_a_window() {
        assert_eq!(pause(us(150), 50, (us(50), 1), us(10)), Some(us(140)));
        assert_eq!(pause(us(150), 50, (us(150), 3), us(10)), Some(us(140)));
        assert_eq!(pause(us(150), 50, (us(100), 40), us(10)), Some(us(140)));
    }

    #[test]
    fn rare_packets_wait_for_nothing() {
        for gap in [us(80), us(200), us(20_000)] {
            assert_eq!(pause(us(150), 50, (gap, 1), us(10)), None);
        }
    }

    #[test]
    fn the_first_packets_wait_for_nothing_nor_do_those_after_a_quiet_time() {
        assert_eq!(pause(us(150), 0, (us(10), 1), us(10)), None);
        let (start, mut coalescing) = (Instant::now(), Coalescing::new(us(150), 64, Instant::now()));
        (1..=50).for_each(|n| coalescing.looked(1, false, start + us(20) * n));
        let (quiet, dense) = (start + us(1_000_000), start + us(1000));
        assert!(coalescing.pause(dense).is_some());
        coalescing.looked(1, false, quiet);
        assert_eq!(coalescing.pause(quiet), None);
        (1..=50).for_each(|n| coalescing.looked(1, false, quiet + us(20) * n));
        assert!(coalescing.pause(quiet + us(1000)).is_some());
    }

    #[test]
    fn a_worker_that_was_busy_for_the_window_looks_at_once() {
        assert_eq!(pause(us(150), 50, (us(50), 1), us(120)), None);
        assert_eq!(pause(us(150), 50, (us(50), 1), us(400)), None);
    }

    #[test]
    fn where_more_waits_already_nothing_is_waited_for() {
        assert!(pause(us(150), 50, (us(150), 63), us(0)).is_some());
        assert_eq!(pause(us(150), 50, (us(150), 64), us(0)), None);
    }

    #[test]
    fn what_comes_joined_waits_for_nothing() {
        let (start, mut coalescing) = (Instant::now(), Coalescing::new(us(150), 64, Instant::now()));
        (1..=50).for_each(|n| coalescing.looked(1, false, start + us(20) * n));
        assert!(coalescing.pause(start + us(1000)).is_some());
        coalescing.looked(3, true, start + us(1020));
        assert_eq!(coalescing.pause(start + us(1020)), None);
        coalescing.looked(3, false, start + us(1040));
        assert!(coalescing.pause(start + us(1040)).is_some());
    }

    #[test]
    fn without_a_window_nothing_ever_waits() {
        for step in [us(0), us(1), us(100)] {
            assert_eq!(pause(us(0), 50, (step, 3), us(0)), None);
        }
    }
}
