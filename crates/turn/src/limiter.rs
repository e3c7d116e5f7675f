//! [`Limiter`]: how often a source that may be forged is answered, in tables that never grow.
//!
//! An answer to a forged source hits somebody else. So every address, network and the server as a whole have a rate;
//! beyond it there is silence. Two sources that fall into the same cell share its budget: nobody can choose that,
//! as the hash has a seed. An address that showed a nonce of ours is not forged and has a rate of its own.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;

use crate::settings::Rates;

const CELLS: usize = 16_384;
const SECOND: u64 = 1_000_000_000;
/// How long an address counts as not forged after it showed a nonce, in seconds.
const VERIFIED: u32 = 600;
/// Answers at once to such an address: its proof is minutes old, and its next packet may be forged.
const VERIFIED_BURST: u64 = 400;

pub(crate) struct Limiter {
    start: Instant,
    state: SeedableRandomState,
    proofs: Arc<Proofs>,
    bindings: Box<[Bucket]>,
    errors: Box<[Bucket]>,
    errors_per_prefix: Box<[Bucket]>,
    errors_total: Bucket,
    verified: Box<[Bucket]>,
}

impl Limiter {
    pub(crate) fn new(seed: u64, start: Instant, proofs: Arc<Proofs>) -> Self {
        let buckets = || vec![Bucket(0); CELLS].into_boxed_slice();
        let &(seed, start) = proofs.common.get_or_init(|| (seed, start));
        Self {
            start,
            state: SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()),
            proofs,
            bindings: buckets(),
            errors: buckets(),
            errors_per_prefix: buckets(),
            errors_total: Bucket(0),
            verified: buckets(),
        }
    }

    /// Whether a Binding answer may go out.
    pub(crate) fn allows_binding(&mut self, now: Instant, source: IpAddr, rates: &Rates) -> bool {
        let now = self.nanos(now);
        let hash = self.hash(network(source, 32, 64));
        match self.verified_bucket(now, hash) {
            // Whatever the two rates are, a proof must not make things worse.
            Some(bucket) => bucket.take_verified(now, rates.verified.max(rates.binding)) || rates.binding == 0,
            None => self.bindings[cell(hash)].take(now, rates.binding),
        }
    }

    /// Whether an error answer may go out to somebody unknown.
    pub(crate) fn allows_error(&mut self, now: Instant, source: IpAddr, rates: &Rates) -> bool {
        let now = self.nanos(now);
        let hash = self.hash(network(source, 32, 64));
        if let Some(bucket) = self.verified_bucket(now, hash) {
            return bucket.take_verified(now, rates.verified);
        }
        let prefix = cell(self.hash(network(source, 24, 48)));
        self.errors[cell(hash)].take(now, rates.errors)
            && self.errors_per_prefix[prefix].take(now, rates.errors_per_prefix)
            && self.errors_total.take(now, rates.errors_total)
    }

    /// The source showed a nonce that was minted for it.
    pub(crate) fn mark_verified(&mut self, now: Instant, source: IpAddr) {
        let hash = self.hash(network(source, 32, 64));
        self.proofs.remember(self.nanos(now), hash);
    }

    fn verified_bucket(&mut self, now: u64, hash: u64) -> Option<&mut Bucket> {
        self.proofs.know(now, hash).then(|| &mut self.verified[cell(hash)])
    }

    fn nanos(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_nanos() as u64
    }

    fn hash(&self, network: u128) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_u128(network);
        hasher.finish()
    }
}

/// Which addresses showed a nonce, over all servers that share it: a client's next socket may reach another worker.
#[derive(Debug)]
pub(crate) struct Proofs {
    /// The seed of the hash and the beginning of time, by the first server.
    common: OnceLock<(u64, Instant)>,
    /// The upper half of the address's hash, then the second until which it counts.
    cells: Box<[AtomicU64]>,
}

impl Default for Proofs {
    fn default() -> Self {
        Self { common: OnceLock::new(), cells: (0..CELLS).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Proofs {
    fn remember(&self, now: u64, hash: u64) {
        let until = (now / SECOND) as u32 + VERIFIED;
        let (entry, at) = (hash >> 32 << 32 | u64::from(until), &self.cells[cell(hash)]);
        // Most often it is there already, and a write would take the line from every other core.
        if at.load(Ordering::Relaxed) != entry {
            at.store(entry, Ordering::Relaxed);
        }
    }

    fn know(&self, now: u64, hash: u64) -> bool {
        let entry = self.cells[cell(hash)].load(Ordering::Relaxed);
        entry >> 32 == hash >> 32 && now / SECOND < u64::from(entry as u32)
    }
}

/// A token bucket in eight bytes: when it will be full again, in nanoseconds since the start.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket(u64);

impl Bucket {
    /// Takes one of `rate` tokens a second out of a bucket that holds two seconds' worth; a rate of 0 is no limit.
    fn take(&mut self, now: u64, rate: u32) -> bool {
        self.take_of(now, rate, 2 * u64::from(rate))
    }

    /// The same for a source that proved itself: an office needs many answers a second, but never all at once.
    fn take_verified(&mut self, now: u64, rate: u32) -> bool {
        self.take_of(now, rate, VERIFIED_BURST.min(2 * u64::from(rate)))
    }

    fn take_of(&mut self, now: u64, rate: u32, burst: u64) -> bool {
        let Some(interval) = SECOND.checked_div(u64::from(rate)) else { return true };
        let full = self.0.max(now) + interval;
        let fits = full - now <= burst * interval;
        if fits {
            self.0 = full;
        }
        fits
    }
}

fn cell(hash: u64) -> usize {
    hash as usize % CELLS
}

/// The upper bits of an address, and its family.
fn network(source: IpAddr, bits_v4: u32, bits_v6: u32) -> u128 {
    match source {
        // Inside 0000::/8, where no IPv6 client comes from.
        IpAddr::V4(ip) => u128::from(ip.to_bits() >> (32 - bits_v4)) << 32 | u128::from(bits_v4),
        IpAddr::V6(ip) => ip.to_bits() >> (128 - bits_v6) << 64 | u128::from(bits_v6),
    }
}
