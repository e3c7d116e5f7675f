//! How often one source may ask: tables of a fixed size. Sources that share a slot share its budget, and nothing an
//! outsider does makes a table grow.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use crate::config::{Rate, Rates};

/// 128 KiB a table.
const SLOTS: usize = 16_384;

/// All limits that depend on the source.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) join: Table,
    pub(crate) message: Table,
    pub(crate) ice: Table,
    pub(crate) guess: Table,
    pub(crate) make: Table,
    pub(crate) upgrade: Table,
    sockets: Arc<[AtomicU32]>,
    sockets_per_source: u32,
    exempt_loopback: bool,
    hasher: RandomState,
    start: Instant,
}

impl Limits {
    pub(crate) fn new(rates: &Rates, sockets_per_source: u32) -> Self {
        Self {
            join: Table::new(rates.join),
            message: Table::new(rates.message),
            ice: Table::new(rates.ice),
            guess: Table::new(rates.guess),
            make: Table::new(rates.make),
            upgrade: Table::new(rates.upgrade),
            sockets: (0..SLOTS).map(|_| AtomicU32::new(0)).collect(),
            sockets_per_source,
            exempt_loopback: rates.exempt_loopback,
            hasher: RandomState::new(),
            start: Instant::now(),
        }
    }

    /// May this source ask once more?
    pub(crate) fn allow(&self, table: &Table, source: IpAddr) -> bool {
        self.budget(table, source).is_none_or(|budget| budget.take(table.rate, self.now()))
    }

    /// Might it? Nothing is taken: what counts is how it ends.
    pub(crate) fn would_allow(&self, table: &Table, source: IpAddr) -> bool {
        self.budget(table, source).is_none_or(|budget| budget.has(table.rate, self.now()))
    }

    fn budget<'t>(&self, table: &'t Table, source: IpAddr) -> Option<&'t Budget> {
        let source = source.to_canonical();
        let exempt = self.exempt_loopback && source.is_loopback();
        (!exempt).then(|| &table.budgets[self.slot(prefix(source))])
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// May this source open one more WebSocket? The answer counts it until it is dropped.
    pub(crate) fn socket(&self, source: IpAddr) -> Option<SocketSeat> {
        let source = source.to_canonical();
        if self.sockets_per_source == 0 || (self.exempt_loopback && source.is_loopback()) {
            return Some(SocketSeat(None));
        }
        let slot = self.slot(source);
        if self.sockets[slot].fetch_add(1, Relaxed) >= self.sockets_per_source {
            self.sockets[slot].fetch_sub(1, Relaxed);
            return None;
        }
        Some(SocketSeat(Some((self.sockets.clone(), slot))))
    }

    fn slot(&self, source: IpAddr) -> usize {
        usize::try_from(self.hasher.hash_one(source) % SLOTS as u64).unwrap_or_default()
    }
}

/// One WebSocket, counted against its source.
#[derive(Debug)]
pub(crate) struct SocketSeat(Option<(Arc<[AtomicU32]>, usize)>);

impl Drop for SocketSeat {
    fn drop(&mut self) {
        if let Some((sockets, slot)) = &self.0 {
            sockets[*slot].fetch_sub(1, Relaxed);
        }
    }
}

/// The budgets of all sources for one kind of request.
#[derive(Debug)]
pub(crate) struct Table {
    rate: Rate,
    budgets: Box<[Budget]>,
}

impl Table {
    fn new(rate: Rate) -> Self {
        Self { rate, budgets: (0..SLOTS).map(|_| Budget::default()).collect() }
    }
}

/// One budget (generic cell rate algorithm): the moment, in nanoseconds, at which all that was taken is paid back.
#[derive(Debug, Default)]
pub(crate) struct Budget(AtomicU64);

impl Budget {
    pub(crate) fn take(&self, rate: Rate, now: u64) -> bool {
        rate.per_second == 0 || self.0.fetch_update(Relaxed, Relaxed, |paid| after_one_more(rate, paid, now)).is_ok()
    }

    fn has(&self, rate: Rate, now: u64) -> bool {
        rate.per_second == 0 || after_one_more(rate, self.0.load(Relaxed), now).is_some()
    }
}

/// When all is paid back once one more is taken, if it may be.
fn after_one_more(rate: Rate, paid: u64, now: u64) -> Option<u64> {
    let cost = 1_000_000_000 / u64::from(rate.per_second);
    let credit = cost * u64::from(rate.burst.max(1));
    Some(paid.max(now) + cost).filter(|paid| *paid <= now + credit)
}

/// IPv4 /24, IPv6 /56: what one subscriber or small network holds.
fn prefix(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(v4) => IpAddr::from((u32::from(v4) & 0xffff_ff00).to_be_bytes()),
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) & (u128::MAX << 72)).to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_gives_its_burst_and_then_its_rate() {
        let (budget, rate) = (Budget::default(), Rate { per_second: 10, burst: 50 });
        let taken = |now, tries: usize| (0..tries).filter(|_| budget.take(rate, now)).count();
        assert_eq!(taken(1, 100), 50);
        assert_eq!(taken(1_000_000_001, 100), 10);
        assert!(!budget.has(rate, 1_000_000_001));
        assert_eq!(taken(60_000_000_000, 49), 49);
        assert!(budget.has(rate, 60_000_000_000) && budget.has(rate, 60_000_000_000), "a look takes nothing");
        assert_eq!(taken(60_000_000_000, 100), 1);
    }

    #[test]
    fn neighbours_share_a_budget_and_strangers_do_not() {
        let limits = Limits::new(&Rates { join: Rate { per_second: 1, burst: 1 }, ..Rates::default() }, 64);
        let ask = |source: &str| limits.allow(&limits.join, source.parse().unwrap());
        assert!(ask("192.0.2.1"));
        assert!(!ask("192.0.2.254"));
        assert!(!ask("::ffff:192.0.2.3"));
        assert!((0..9).any(|n| ask(&format!("198.51.{n}.1"))));
    }

    #[test]
    fn a_source_has_so_many_sockets_and_gets_them_back() {
        let limits = Limits::new(&Rates::default(), 2);
        let source = "192.0.2.1".parse().unwrap();
        let seats: Vec<_> = (0..2).map(|_| limits.socket(source).unwrap()).collect();
        assert!(limits.socket(source).is_none());
        drop(seats);
        assert!(limits.socket(source).is_some());
    }
}
