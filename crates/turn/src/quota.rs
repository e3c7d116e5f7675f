//! [`Shared`]: how much one user, one network and everyone may take, over all workers.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bandwidth::{Everyone, SharedBucket};
use crate::limiter::Proofs;
use crate::mobility::{Directory, Entry, Listing};
use crate::reservation::Reservations;
use crate::revocation::Revocations;
use crate::settings::Quotas;
use crate::{AllocationId, Refusal};

/// What several servers in one process share: the count of allocations, their bandwidth, the ports held in reserve,
/// where mobile allocations are, whose credentials were taken back, and which addresses proved that they are not forged.
///
/// Cheap to clone. Its locks are taken for requests and at the end of an allocation, never for a packet: bandwidth
/// and proofs are kept in atomics.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    ledger: Arc<Mutex<Ledger>>,
    reservations: Arc<Mutex<Reservations>>,
    everyone: Arc<Everyone>,
    directory: Arc<Mutex<Directory>>,
    proofs: Arc<Proofs>,
    revocations: Arc<Revocations>,
}

impl Shared {
    /// Nothing is taken yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allocations and reserved ports that exist now, in all.
    #[must_use]
    pub fn allocations(&self) -> u32 {
        lock(&self.ledger).total
    }

    /// Takes one allocation from the quotas. `user` is a user id; an empty one has no quota of its own.
    pub(crate) fn grant(&self, user: &str, source: IpAddr, quotas: &Quotas) -> Result<Grant, Refusal> {
        let prefix = prefix(source);
        let mut ledger = lock(&self.ledger);
        let full = |taken: Option<&u32>, limit: u32| limit != 0 && taken.is_some_and(|&n| n >= limit);
        if full(Some(&ledger.total), quotas.total) {
            return Err(Refusal::InsufficientCapacity);
        }
        let of_user = ledger.users.get(user).map(|account| &account.allocations);
        if full(of_user, quotas.per_user) || full(ledger.prefixes.get(&prefix), quotas.per_prefix) {
            return Err(Refusal::AllocationQuotaReached);
        }
        let (user, bucket) = ledger.count_user(user).unzip();
        *ledger.prefixes.entry(prefix).or_insert(0) += 1;
        ledger.total += 1;
        Ok(Grant { ledger: Arc::clone(&self.ledger), user, bucket, prefix })
    }

    /// Which addresses are not forged.
    pub(crate) fn proofs(&self) -> Arc<Proofs> {
        Arc::clone(&self.proofs)
    }

    pub(crate) fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    pub(crate) fn everyone(&self) -> &Arc<Everyone> {
        &self.everyone
    }

    pub(crate) fn directory(&self) -> &Mutex<Directory> {
        &self.directory
    }

    /// A place for a mobile allocation among those of all servers.
    pub(crate) fn enter(&self, server: u8, id: AllocationId) -> Entry {
        Directory::enter(&self.directory, Listing { server, id: Some(id) })
    }

    pub(crate) fn reservations(&self) -> MutexGuard<'_, Reservations> {
        lock(&self.reservations)
    }
}

#[derive(Debug, Default)]
struct Ledger {
    total: u32,
    users: BTreeMap<Arc<str>, Account>,
    prefixes: BTreeMap<u64, u32>,
}

/// What one user has. It goes with his last allocation.
#[derive(Debug, Default)]
struct Account {
    allocations: u32,
    bucket: Arc<SharedBucket>,
}

impl Ledger {
    fn count_user(&mut self, user: &str) -> Option<(Arc<str>, Arc<SharedBucket>)> {
        if user.is_empty() {
            return None;
        }
        let user = self.users.get_key_value(user).map_or_else(|| user.into(), |(known, _)| Arc::clone(known));
        let account = self.users.entry(Arc::clone(&user)).or_default();
        account.allocations += 1;
        Some((user, Arc::clone(&account.bucket)))
    }

    fn give_back(&mut self, grant: &Grant) {
        self.total -= 1;
        give_back_one(&mut self.prefixes, &grant.prefix, |count| count);
        if let Some(user) = &grant.user {
            give_back_one(&mut self.users, user, |account| &mut account.allocations);
        }
    }
}

/// One allocation's worth of every quota, given back when dropped.
#[derive(Debug)]
pub(crate) struct Grant {
    ledger: Arc<Mutex<Ledger>>,
    user: Option<Arc<str>>,
    bucket: Option<Arc<SharedBucket>>,
    prefix: u64,
}

impl Grant {
    /// The user id it was taken for, empty when he has none.
    pub(crate) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("")
    }

    /// The bandwidth that all his allocations share; a nameless user has none.
    pub(crate) fn bucket(&self) -> Option<&SharedBucket> {
        self.bucket.as_deref()
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        lock(&self.ledger).give_back(self);
    }
}

fn give_back_one<K: Ord, V>(counts: &mut BTreeMap<K, V>, key: &K, count: fn(&mut V) -> &mut u32) {
    if let Some(count) = counts.get_mut(key).map(count) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// The upper 24 bits of an IPv4 address, the upper 56 of an IPv6 address: what one customer usually has.
fn prefix(source: IpAddr) -> u64 {
    match source {
        // Inside ::/56, where no IPv6 client comes from.
        IpAddr::V4(ip) => u64::from(ip.to_bits() >> 8) << 8 | 1,
        IpAddr::V6(ip) => upper_half(ip) & !0xff,
    }
}

fn upper_half(ip: Ipv6Addr) -> u64 {
    (ip.to_bits() >> 64) as u64
}

/// A thread that panicked elsewhere does not take the ledger with it: every update is whole before it can panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
