//! [`Ledger`]: every packet that arrived, judged.

use std::ops::AddAssign;

/// What arrived, by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sent.
    pub sent: u64,
    /// Arrived whole, at the right place, for the first time.
    pub delivered: u64,
    /// Check tail or length wrong.
    pub corrupt: u64,
    /// Whole, but at another flow's address, from another sender or on another channel.
    pub misdelivered: u64,
    /// Arrived before already.
    pub duplicate: u64,
    /// Delivered after a younger one of its flow (counted in `delivered` too).
    pub reordered: u64,
    /// Of an earlier measurement, or no payload of ours.
    pub stray: u64,
}

impl Counts {
    /// Sent and not delivered.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.delivered)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.corrupt += other.corrupt;
        self.misdelivered += other.misdelivered;
        self.duplicate += other.duplicate;
        self.reordered += other.reordered;
        self.stray += other.stray;
    }
}

/// Judges the sequence numbers of many flows.
#[derive(Debug)]
pub struct Ledger {
    flows: Vec<Seen>,
    /// The verdicts so far.
    pub counts: Counts,
}

/// The youngest sequence number and a bit for each of the 128 before and with it: as many as are ever in flight.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    next: u64,
    bits: u128,
}

impl Ledger {
    /// A ledger for so many flows, all at sequence number 0.
    #[must_use]
    pub fn new(flows: usize) -> Self {
        Self { flows: vec![Seen::default(); flows], counts: Counts::default() }
    }

    /// Judges a whole payload of `flow`; true when it counts as delivered.
    pub fn record(&mut self, flow: usize, sequence: u64) -> bool {
        let seen = &mut self.flows[flow];
        if sequence >= seen.next {
            let step = u32::try_from(sequence - seen.next + 1).unwrap_or(u32::MAX);
            seen.bits = seen.bits.checked_shl(step).unwrap_or(0) | 1;
            seen.next = sequence + 1;
        } else {
            let bit = u32::try_from(seen.next - 1 - sequence).ok().and_then(|age| 1u128.checked_shl(age));
            // Older than the window: cannot be told from a duplicate, and is not counted as delivered.
            let Some(bit) = bit.filter(|bit| seen.bits & bit == 0) else {
                self.counts.duplicate += 1;
                return false;
            };
            seen.bits |= bit;
            self.counts.reordered += 1;
        }
        self.counts.delivered += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_a_late_one_and_a_gap_are_told_apart() {
        let mut ledger = Ledger::new(2);
        let verdicts: Vec<bool> = [0, 1, 3, 2, 3, 0, 200, 199].map(|n| ledger.record(1, n)).into();
        assert_eq!(verdicts, [true, true, true, true, false, false, true, true]);
        ledger.counts.sent = 10;
        let Counts { delivered, duplicate, reordered, .. } = ledger.counts;
        assert_eq!((delivered, duplicate, reordered, ledger.counts.lost()), (6, 2, 2, 4));
    }

    #[test]
    fn older_than_the_window_is_never_delivered() {
        let mut ledger = Ledger::new(1);
        assert!(ledger.record(0, 500));
        assert!(!ledger.record(0, 500 - 128));
        assert!(ledger.record(0, 500 - 127));
    }
}
