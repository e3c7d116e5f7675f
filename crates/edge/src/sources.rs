//! How many connections of one source have not said yet what they are, counted in memory of a fixed size.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// Cells of a row. Two times as many as connections that may arrive at once, so that most sources have a cell alone.
const CELLS: usize = 8192;

/// Two rows of counters. A source has one cell in each, drawn by a secret hash; it is at its limit when both say so, hence a
/// source that shares a cell with a busy one is not refused for that.
#[derive(Debug)]
pub(crate) struct Sources {
    rows: [Row; 2],
}

#[derive(Debug)]
struct Row {
    hasher: RandomState,
    cells: Box<[AtomicU16]>,
}

/// One connection, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    sources: Arc<Sources>,
    cells: [usize; 2],
}

impl Sources {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { rows: [Row::new(), Row::new()] })
    }

    /// Counts a connection from `source`; `None` when it has `most` already.
    pub(crate) fn count(self: &Arc<Self>, source: IpAddr, most: u16) -> Option<Counted> {
        let key = key(source);
        let cells = [0, 1].map(|row| self.rows[row].cell(key));
        let before = [0, 1].map(|row| self.rows[row].cells[cells[row]].fetch_add(1, Relaxed));
        // Dropped again at once when it is one too many.
        let counted = Counted { sources: Arc::clone(self), cells };
        before.into_iter().any(|count| count < most).then_some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        for (row, cell) in self.sources.rows.iter().zip(self.cells) {
            row.cells[cell].fetch_sub(1, Relaxed);
        }
    }
}

impl Row {
    fn new() -> Self {
        Self { hasher: RandomState::new(), cells: (0..CELLS).map(|_| AtomicU16::new(0)).collect() }
    }

    fn cell(&self, key: u64) -> usize {
        self.hasher.hash_one(key) as usize % CELLS
    }
}

/// An IPv4 address, or the /64 that an IPv6 host may choose its addresses from. The two never share a key: 0::/8 is reserved.
fn key(source: IpAddr) -> u64 {
    match source {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_as_many_as_it_may_and_no_more() {
        let sources = Sources::new();
        let source = IpAddr::from([192, 0, 2, 1]);
        let held: Vec<_> = (0..32).map(|_| sources.count(source, 32).expect("below the limit")).collect();
        assert!(sources.count(source, 32).is_none());
        drop(held);
        assert!(sources.count(source, 32).is_some());
    }

    #[test]
    fn a_refusal_counts_nothing() {
        let sources = Sources::new();
        let source = IpAddr::from([192, 0, 2, 1]);
        let held = sources.count(source, 1);
        assert!((0..100).all(|_| sources.count(source, 1).is_none()));
        drop(held);
        assert!(sources.rows.iter().all(|row| row.cells.iter().all(|cell| cell.load(Relaxed) == 0)));
    }

    #[test]
    fn addresses_of_one_ipv6_subnet_are_one_source() {
        let sources = Sources::new();
        let _held = sources.count("2001:db8::1".parse().unwrap(), 1);
        assert!(sources.count("2001:db8::ffff:1".parse().unwrap(), 1).is_none());
    }

    #[test]
    fn busy_sources_do_not_refuse_others() {
        let sources = Sources::new();
        let busy: Vec<_> = (0..128_u8)
            .flat_map(|n| (0..32).map(move |_| IpAddr::from([192, 0, 2, n])))
            .map(|source| sources.count(source, 32))
            .collect();
        // All 4,096 that may arrive are taken by 128 sources: the chance that a given other one shares both cells with
        // them is (128 / 8192)^2, so of a thousand others hardly any is refused.
        let refused = (0..1000_u16)
            .filter(|n| sources.count(IpAddr::from([198, 51, (n >> 8) as u8, *n as u8]), 32).is_none())
            .count();
        assert!(refused < 20, "{refused}");
        drop(busy);
    }
}
