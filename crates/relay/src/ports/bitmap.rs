//! [`Bitmap`]: one bit per port, read and written by every worker without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// A set of port numbers.
///
/// Acquire and release pair the two ends of a bit: who sees it set sees the socket bound.
#[derive(Debug)]
pub(crate) struct Bitmap {
    first: u16,
    len: u32,
    words: Box<[AtomicU64]>,
}

impl Bitmap {
    pub(crate) fn new(first: u16, len: u32) -> Self {
        Self { first, len, words: (0..len.div_ceil(64)).map(|_| AtomicU64::new(0)).collect() }
    }

    pub(crate) fn contains(&self, port: u16) -> bool {
        self.at(port).is_some_and(|(word, bit)| word.load(Ordering::Acquire) & bit != 0)
    }

    /// True if it was not in the set.
    pub(crate) fn insert(&self, port: u16) -> bool {
        self.at(port).is_some_and(|(word, bit)| word.fetch_or(bit, Ordering::AcqRel) & bit == 0)
    }

    pub(crate) fn remove(&self, port: u16) {
        if let Some((word, bit)) = self.at(port) {
            word.fetch_and(!bit, Ordering::AcqRel);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|w| w.load(Ordering::Relaxed).count_ones() as usize).sum()
    }

    fn at(&self, port: u16) -> Option<(&AtomicU64, u64)> {
        let offset = u32::from(port.checked_sub(self.first)?);
        (offset < self.len).then(|| (&self.words[offset as usize / 64], 1 << (offset % 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_inserted_once_until_it_is_removed() {
        let map = Bitmap::new(65535 - 99, 100);
        for port in 65535 - 99..=65535 {
            assert!(map.insert(port));
            assert!(!map.insert(port));
            assert!(map.contains(port));
        }
        assert_eq!(map.count(), 100);
        map.remove(65535);
        assert!(!map.contains(65535));
        assert!(map.insert(65535));
    }

    #[test]
    fn ports_outside_are_never_in_it() {
        let map = Bitmap::new(50000, 16);
        assert!(!map.insert(49999));
        assert!(!map.insert(50016));
        assert!(!map.contains(0) && !map.contains(65535));
        assert_eq!(map.count(), 0);
    }
}
