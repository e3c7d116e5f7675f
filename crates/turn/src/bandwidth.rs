//! [`Limits`]: how fast packets may move; beyond that they are dropped, and who took most is dropped first.
//!
//! Three token buckets stand in a packet's way: the allocation's own, its user's and everyone's. The last two are shared
//! by all workers, as one atomic each. A bucket is one number: when it will be full again, in nanoseconds since the
//! servers began. A packet moves it ahead by what it costs; it may not lie further ahead than the bucket is deep.
//!
//! ```text
//!      everyone's bucket       full ───────────── half ───────────── empty
//!      a packet passes           if its other buckets   │  and its allocation
//!                                have room              │  is within its share
//! ```
//! The share of an allocation is the whole rate over the number of those that relay. All shares together fill the
//! lower half of the bucket and no more, so who stays within his share loses nothing, however loud the others are;
//! what he leaves unused brings the bucket back above one half, where anybody may take it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::allocation::Allocation;
use crate::settings::Bandwidth;

const SECOND: u64 = 1_000_000_000;

/// What IPv4 and UDP put around a payload: so that empty datagrams are not free.
const HEADERS: u64 = 20 + 8;

/// A bucket holds the longest datagram whatever the rate.
const LEAST_BURST: u64 = 65_536 + HEADERS;

/// The limits that are set, and everyone's bucket.
#[derive(Debug)]
pub(crate) struct Limits {
    per_allocation: Option<Rate>,
    per_user: Option<Rate>,
    total: Option<Rate>,
    everyone: Arc<Everyone>,
}

/// What an allocation has taken.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Taken {
    /// Its own bucket.
    own: u64,
    /// The bucket of its share of the whole.
    share: u64,
    /// The second in which it was last counted among those that relay.
    counted: u32,
}

impl Limits {
    /// `None` when there is no limit: that is all that a packet then asks.
    pub(crate) fn new(bandwidth: &Bandwidth, everyone: &Arc<Everyone>) -> Option<Self> {
        let Bandwidth { per_allocation, per_user, total } = *bandwidth;
        let [per_allocation, per_user, total] = [per_allocation, per_user, total].map(Rate::new);
        let limited = per_allocation.is_some() || per_user.is_some() || total.is_some();
        limited.then(|| Self { per_allocation, per_user, total, everyone: Arc::clone(everyone) })
    }

    /// Whether a datagram of `len` bytes may pass, in either direction; if so, it is charged.
    ///
    /// All buckets are looked at before one is charged. Workers that do this at the same moment may overdraw a common
    /// bucket by a packet each, which the next packets wait for.
    pub(crate) fn pass(&self, now: Instant, allocation: &mut Allocation, len: usize) -> bool {
        let (now, bytes) = (self.everyone.nanos(now), len as u64 + HEADERS);
        let (taken, user) = (&mut allocation.taken, allocation.grant.bucket());
        if let Some(rate) = self.per_allocation {
            taken.own = taken.own.min(rate.empty(now));
        }
        let fits = self.per_allocation.is_none_or(|rate| rate.fits(taken.own, now, bytes))
            && self.per_user.zip(user).is_none_or(|(rate, user)| rate.fits(user.level(rate, now), now, bytes))
            && self.total.is_none_or(|rate| self.everyone.pass(rate, taken, now, bytes));
        if !fits {
            return false;
        }
        if let Some(rate) = self.per_allocation {
            taken.own = rate.after(taken.own, now, bytes);
        }
        if let Some((rate, user)) = self.per_user.zip(user) {
            user.charge(rate, now, bytes);
        }
        true
    }
}

/// Bytes per second.
#[derive(Debug, Clone, Copy)]
struct Rate(u64);

impl Rate {
    fn new(bytes_per_second: u64) -> Option<Self> {
        (bytes_per_second != 0).then_some(Self(bytes_per_second))
    }

    /// How long the bucket needs to make up for so many bytes, in nanoseconds: at most 66,000 · 10⁹, which fits.
    fn cost(self, bytes: u64) -> u64 {
        (bytes * SECOND).div_ceil(self.0)
    }

    /// How deep the bucket is, in nanoseconds: one second's worth, but at least [`LEAST_BURST`].
    fn burst(self) -> u64 {
        self.cost(LEAST_BURST).max(SECOND)
    }

    /// The bucket after a packet.
    fn after(self, bucket: u64, now: u64, bytes: u64) -> u64 {
        bucket.max(now) + self.cost(bytes)
    }

    /// The bucket when it is empty. One that a slower rate left further ahead (reload) is moved back to here.
    fn empty(self, now: u64) -> u64 {
        now + self.burst()
    }

    fn fits(self, bucket: u64, now: u64, bytes: u64) -> bool {
        self.after(bucket, now, bytes) <= self.empty(now)
    }
}

/// A bucket that several workers take from.
#[derive(Debug, Default)]
pub(crate) struct SharedBucket(AtomicU64);

impl SharedBucket {
    fn level(&self, rate: Rate, now: u64) -> u64 {
        let (level, empty) = (self.0.load(Ordering::Relaxed), rate.empty(now));
        if level > empty {
            self.0.fetch_min(empty, Ordering::Relaxed);
        }
        level.min(empty)
    }

    fn charge(&self, rate: Rate, now: u64, bytes: u64) {
        let after = |bucket| Some(rate.after(bucket, now, bytes));
        // `after` always has a value, so this always succeeds.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
    }
}

/// Everyone's bucket, and how many take from it.
#[derive(Debug, Default)]
pub(crate) struct Everyone {
    /// The beginning of the time that buckets count in: when the first server was made.
    epoch: OnceLock<Instant>,
    bucket: SharedBucket,
    relaying: AtomicU64,
}

impl Everyone {
    /// The first server's beginning is everyone's.
    pub(crate) fn begin(&self, now: Instant) {
        self.epoch.get_or_init(|| now);
    }

    fn nanos(&self, now: Instant) -> u64 {
        self.epoch.get().map_or(0, |&epoch| now.saturating_duration_since(epoch).as_nanos() as u64)
    }

    /// Takes a packet out of the bucket, in its lower half only for an allocation that is within its share.
    fn pass(&self, rate: Rate, taken: &mut Taken, now: u64, bytes: u64) -> bool {
        let level = self.bucket.level(rate, now);
        let share = Rate((rate.0 / self.count(taken, now)).max(1));
        let scarce = level.saturating_sub(now) > rate.burst() / 2;
        // All shares fill half a bucket together, so each holds half of what it would as a bucket of its own.
        let room = now + rate.burst() / 2;
        let after = taken.share.max(now) + share.cost(bytes);
        // Whoever took nothing for a while may send one packet, however short its share is.
        let within = after <= room || taken.share <= now;
        if !rate.fits(level, now, bytes) || (scarce && !within) {
            return false;
        }
        // What was free for all is not held against anybody for longer than that.
        taken.share = if scarce { after } else { after.min(room) };
        self.bucket.charge(rate, now, bytes);
        true
    }

    /// How many allocations relay: those of this second or of the last one, whichever were more.
    ///
    /// ```text
    /// second (24 bits) | allocations in it (20 bits) | allocations in the one before (20 bits)
    /// ```
    fn count(&self, taken: &mut Taken, now: u64) -> u64 {
        // From one, so that an allocation that never relayed was not counted in the first.
        let second = (now / SECOND + 1) & SECONDS;
        let mut word = self.relaying.load(Ordering::Relaxed);
        loop {
            // A worker whose clock lags behind the others' does not turn the second back.
            let ahead = second.wrapping_sub(word >> 40) & SECONDS;
            let second = if ahead > SECONDS / 2 { word >> 40 } else { second };
            let is_new = u64::from(taken.counted) != second;
            if !is_new && word >> 40 == second {
                return (word >> 20 & COUNT).max(word & COUNT).max(1);
            }
            let next = counted(word, second, is_new);
            match self.relaying.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => (word, taken.counted) = (next, second as u32),
                Err(changed) => word = changed,
            }
        }
    }
}

const SECONDS: u64 = 0xff_ffff;
const COUNT: u64 = 0xf_ffff;

/// The word of [`Everyone::count`] in `second`, with one more if `is_new`.
fn counted(word: u64, second: u64, is_new: bool) -> u64 {
    let (current, before) = (word >> 20 & COUNT, word & COUNT);
    let (current, before) = match second.wrapping_sub(word >> 40) & SECONDS {
        0 => (current, before),
        1 => (0, current),
        _ => (0, 0),
    };
    let current = (current + u64::from(is_new)).min(COUNT);
    second << 40 | current << 20 | before
}
