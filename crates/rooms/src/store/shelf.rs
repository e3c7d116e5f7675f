//! Values of one kind in memory, in shards.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::Update;
use crate::{Identity, Meeting, Room, Timestamp, Topic};

/// More shards than cores ever contend for; each costs some hundred bytes.
const SHARDS: usize = 64;

/// What a shelf holds.
pub(super) trait Value: Default {
    fn is_empty(&self) -> bool;
    /// How many hold a seat in it.
    fn members(&self) -> usize;
}

/// Values by key. A lock is held for the length of one pure update, never across an await or a write.
#[derive(Debug)]
pub(super) struct Shelf<K, V> {
    shards: Vec<Mutex<Shard<K, V>>>,
    hasher: RandomState,
    most: usize,
    values: AtomicUsize,
    members: AtomicUsize,
}

#[derive(Debug)]
struct Shard<K, V> {
    values: HashMap<K, Kept<V>>,
    /// Ordered, so that what expires next is found without a search.
    deadlines: BTreeSet<(Timestamp, K)>,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    deadline: Option<Timestamp>,
}

/// A new value would be one too many.
#[derive(Debug)]
pub(super) struct Filled;

impl<K: Clone + Ord + Hash, V: Value> Shelf<K, V> {
    pub(super) fn new(most: usize) -> Self {
        let shard = |_| Mutex::new(Shard { values: HashMap::new(), deadlines: BTreeSet::new() });
        let (values, members) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { shards: (0..SHARDS).map(shard).collect(), hasher: RandomState::new(), most, values, members }
    }

    pub(super) fn change(&self, key: &K, update: Update<'_, V>) -> Result<(), Filled> {
        let at = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or_default();
        let mut shard = lock(&self.shards[at]);
        if let Some(kept) = shard.values.get_mut(key) {
            let before = (kept.value.members(), kept.deadline);
            // Taken out meanwhile: an update that panics leaves an empty value, never half a change.
            let mut value = std::mem::take(&mut kept.value);
            kept.deadline = update(&mut value);
            kept.value = value;
            let after = (kept.value.members(), kept.deadline);
            if kept.value.is_empty() {
                shard.values.remove(key);
                self.values.fetch_sub(1, Ordering::Relaxed);
            }
            self.account(&mut shard, key, before, after);
            return Ok(());
        }
        let mut value = V::default();
        let deadline = update(&mut value);
        if value.is_empty() {
            return Ok(());
        }
        if self.values.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.values.fetch_sub(1, Ordering::Relaxed);
            return Err(Filled);
        }
        let after = (value.members(), deadline);
        shard.values.insert(key.clone(), Kept { value, deadline });
        self.account(&mut shard, key, (0, None), after);
        Ok(())
    }

    /// Members and deadlines, brought up to date with one changed value.
    fn account(
        &self,
        shard: &mut Shard<K, V>,
        key: &K,
        before: (usize, Option<Timestamp>),
        after: (usize, Option<Timestamp>),
    ) {
        self.members.fetch_add(after.0, Ordering::Relaxed);
        self.members.fetch_sub(before.0, Ordering::Relaxed);
        if before.1 == after.1 {
            return;
        }
        if let Some(old) = before.1 {
            shard.deadlines.remove(&(old, key.clone()));
        }
        if let Some(new) = after.1 {
            shard.deadlines.insert((new, key.clone()));
        }
    }

    pub(super) fn due(&self, now: Timestamp, most: usize) -> Vec<K> {
        let mut due: Vec<(Timestamp, K)> = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            due.extend(shard.deadlines.iter().take_while(|(deadline, _)| *deadline <= now).take(most).cloned());
        }
        due.sort_unstable();
        due.truncate(most);
        due.into_iter().map(|(_, key)| key).collect()
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        let earliest = |shard: &Mutex<Shard<K, V>>| lock(shard).deadlines.first().map(|(deadline, _)| *deadline);
        self.shards.iter().filter_map(earliest).min()
    }

    /// Looks at all of them; a shard at a time is locked.
    pub(super) fn each(&self, mut look: impl FnMut(&K, &V)) {
        for shard in &self.shards {
            lock(shard).values.iter().for_each(|(key, kept)| look(key, &kept.value));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.values.load(Ordering::Relaxed)
    }

    pub(super) fn members(&self) -> usize {
        self.members.load(Ordering::Relaxed)
    }
}

impl Value for Room {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn members(&self) -> usize {
        self.occupancy()
    }
}

impl Value for Identity {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn members(&self) -> usize {
        0
    }
}

impl Value for Topic {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn members(&self) -> usize {
        self.occupancy()
    }
}

impl Value for Meeting {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn members(&self) -> usize {
        self.members().len()
    }
}

fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
