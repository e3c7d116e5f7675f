//! [`Deadlines`]: what happens next by time, in order; one entry for each allocation.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::AllocationId;

/// The next event of every allocation: its own end, or the end of one of its channels.
///
/// Permissions and channels are also judged by their own time whenever they are used, so this need not be asked
/// before a packet is relayed.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(BTreeSet<(Instant, AllocationId)>);

impl Deadlines {
    /// The earliest.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.first().map(|&(at, _)| at)
    }

    /// Takes one allocation whose time has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<AllocationId> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, id)| id)
    }

    pub(crate) fn insert(&mut self, at: Instant, id: AllocationId) {
        self.0.insert((at, id));
    }

    pub(crate) fn remove(&mut self, at: Instant, id: AllocationId) {
        self.0.remove(&(at, id));
    }
}
