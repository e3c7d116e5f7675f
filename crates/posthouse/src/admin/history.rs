//! The last hour in samples, so that a page that is opened after something happened still shows it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// Between two samples.
pub(super) const EVERY: Duration = Duration::from_secs(5);
/// Samples of one hour.
const SAMPLES: usize = 720;

/// One moment: milliseconds since 1970; bytes of payload to peers and to clients since the start; allocations, rooms
/// and members then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Sample(
    pub(super) u64,
    pub(super) u64,
    pub(super) u64,
    pub(super) u64,
    pub(super) u64,
    pub(super) u64,
);

/// A ring of samples, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History(Mutex<VecDeque<Sample>>);

impl History {
    pub(super) fn push(&self, sample: Sample) {
        let mut samples = self.samples();
        if samples.len() == SAMPLES {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    pub(super) fn all(&self) -> Vec<Sample> {
        self.samples().iter().copied().collect()
    }

    fn samples(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_hour_in_order() {
        let history = History::default();
        for at in 0..SAMPLES as u64 + 10 {
            history.push(Sample(at, 0, 0, 0, 0, 0));
        }
        let all = history.all();
        assert_eq!(all.len(), SAMPLES);
        assert!(all.iter().zip(10..).all(|(sample, at)| sample.0 == at));
    }
}
