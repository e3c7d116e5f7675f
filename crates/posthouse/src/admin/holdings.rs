//! Who holds what on the relay: every allocation by its user, of each user no more in detail than is shown.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use posthouse_relay::{Allocation, Relay};
use tokio::sync::Mutex;

/// Allocations of one user that are shown one by one.
const SHOWN: usize = 16;
/// Whoever asks again within this time gets the same answer: many watchers cost the workers no more than one.
const FRESH: Duration = Duration::from_millis(500);

/// What one user holds. A time-limited name's user is the part behind its expiry.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// How many allocations.
    pub(super) count: usize,
    /// Bytes of payload to peers, and to clients.
    pub(super) bytes: [u64; 2],
    /// Some of them.
    pub(super) shown: Vec<Allocation>,
}

/// All users who hold anything.
pub(super) type Holdings = HashMap<Box<str>, Held>;

/// Asks the workers, one watcher at a time.
#[derive(Default)]
pub(super) struct Books(Mutex<Option<(Instant, Arc<Holdings>)>>);

impl Books {
    /// As it was half a second ago, or is now.
    pub(super) async fn read(&self, relay: &Arc<Relay>) -> Arc<Holdings> {
        let mut last = self.0.lock().await;
        if let Some((_, holdings)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Arc::clone(holdings);
        }
        let relay = Arc::clone(relay);
        let read = tokio::task::spawn_blocking(move || gather(&relay)).await;
        let holdings = Arc::new(read.unwrap_or_default());
        *last = Some((Instant::now(), Arc::clone(&holdings)));
        holdings
    }

    /// Something was ended: the next answer is a new one.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

fn gather(relay: &Relay) -> Holdings {
    let mut holdings = Holdings::new();
    relay.each_allocation(|allocation| {
        let held = holdings.entry(allocation.user.clone()).or_default();
        held.count += 1;
        held.bytes[0] += allocation.forwarded.bytes;
        held.bytes[1] += allocation.wrapped.bytes;
        if held.shown.len() < SHOWN {
            held.shown.push(allocation);
        }
    });
    holdings
}
