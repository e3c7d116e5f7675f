//! [`Limiter`]: how often a source that may be forged is answered, in tables that never grow.
//!
//! An answer to a forged source hits somebody else. So every address, network and the server as a whole have a rate;
//! beyond it there is silence. Two sources that fall into the same cell share its budget: nobody can choose that,
//! as the hash has a seed. An address that showed a nonce of ours is not forged and has a rate of its own.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::time::Instant;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;

use crate::settings::Rates;

const CELLS: usize = 16_384;
const SECOND: u64 = 1_000_000_000;
/// How long an address counts as not forged after it showed a nonce.
const VERIFIED: u64 = 600 * SECOND;

pub(crate) struct Limiter {
    start: Instant,
    state: SeedableRandomState,
    bindings: Box<[Bucket]>,
    errors: Box<[Bucket]>,
    errors_per_prefix: Box<[Bucket]>,
    errors_total: Bucket,
    verified: Box<[Verified]>,
}

impl Limiter {
    pub(crate) fn new(seed: u64, start: Instant) -> Self {
        let buckets = || vec![Bucket(0); CELLS].into_boxed_slice();
        Self {
            start,
            state: SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()),
            bindings: buckets(),
            errors: buckets(),
            errors_per_prefix: buckets(),
            errors_total: Bucket(0),
            verified: vec![Verified::default(); CELLS].into_boxed_slice(),
        }
    }

    /// Whether a Binding answer may go out.
    pub(crate) fn allows_binding(&mut self, now: Instant, source: IpAddr, rates: &Rates) -> bool {
        let now = self.nanos(now);
        let hash = self.hash(network(source, 32, 64));
        match self.verified_bucket(now, hash) {
            // Whatever the two rates are, a proof must not make things worse.
            Some(bucket) => bucket.take(now, rates.verified.max(rates.binding)) || rates.binding == 0,
            None => self.bindings[cell(hash)].take(now, rates.binding),
        }
    }

    /// Whether an error answer may go out to somebody unknown.
    pub(crate) fn allows_error(&mut self, now: Instant, source: IpAddr, rates: &Rates) -> bool {
        let now = self.nanos(now);
        let hash = self.hash(network(source, 32, 64));
        if let Some(bucket) = self.verified_bucket(now, hash) {
            return bucket.take(now, rates.verified);
        }
        let prefix = cell(self.hash(network(source, 24, 48)));
        self.errors[cell(hash)].take(now, rates.errors)
            && self.errors_per_prefix[prefix].take(now, rates.errors_per_prefix)
            && self.errors_total.take(now, rates.errors_total)
    }

    /// The source showed a nonce that was minted for it.
    pub(crate) fn mark_verified(&mut self, now: Instant, source: IpAddr) {
        let until = self.nanos(now) + VERIFIED;
        let hash = self.hash(network(source, 32, 64));
        let entry = &mut self.verified[cell(hash)];
        if entry.hash != hash {
            *entry = Verified { hash, ..Verified::default() };
        }
        entry.until = until;
    }

    fn verified_bucket(&mut self, now: u64, hash: u64) -> Option<&mut Bucket> {
        let entry = &mut self.verified[cell(hash)];
        (entry.hash == hash && now < entry.until).then_some(&mut entry.bucket)
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

#[derive(Debug, Clone, Copy, Default)]
struct Verified {
    hash: u64,
    until: u64,
    bucket: Bucket,
}

/// A token bucket in eight bytes: when it will be full again, in nanoseconds since the start.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket(u64);

impl Bucket {
    /// Takes one of `rate` tokens a second out of a bucket that holds two seconds' worth; a rate of 0 is no limit.
    fn take(&mut self, now: u64, rate: u32) -> bool {
        let Some(interval) = SECOND.checked_div(u64::from(rate)) else { return true };
        let full = self.0.max(now) + interval;
        let fits = full - now <= 2 * u64::from(rate) * interval;
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
