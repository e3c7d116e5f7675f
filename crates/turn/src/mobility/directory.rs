//! [`Directory`]: which server has a mobile allocation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::AllocationId;

/// Mobile allocations of all servers of a process, by number. Asked at an Allocate, at a move and at the end, never for a
/// packet.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    listings: BTreeMap<u32, Listing>,
    next: u32,
}

/// Where an allocation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) server: u8,
    /// `None` while it is on its way there.
    pub(crate) id: Option<AllocationId>,
}

/// An allocation's place in the directory, given up when dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    directory: Arc<Mutex<Directory>>,
    number: u32,
}

impl Directory {
    pub(crate) fn enter(directory: &Arc<Mutex<Self>>, listing: Listing) -> Entry {
        let mut inner = lock(directory);
        // Every allocation has a port of its own, so four thousand million numbers are never all taken.
        while inner.listings.contains_key(&inner.next) {
            inner.next = inner.next.wrapping_add(1);
        }
        let number = inner.next;
        inner.next = number.wrapping_add(1);
        inner.listings.insert(number, listing);
        Entry { directory: Arc::clone(directory), number }
    }

    pub(crate) fn find(directory: &Mutex<Self>, number: u32) -> Option<Listing> {
        lock(directory).listings.get(&number).copied()
    }
}

impl Entry {
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The allocation is somewhere else now.
    pub(crate) fn set(&self, listing: Listing) {
        lock(&self.directory).listings.insert(self.number, listing);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.directory).listings.remove(&self.number);
    }
}

/// A map is whole after every update, also when its thread panicked elsewhere.
fn lock(directory: &Mutex<Directory>) -> MutexGuard<'_, Directory> {
    directory.lock().unwrap_or_else(PoisonError::into_inner)
}
