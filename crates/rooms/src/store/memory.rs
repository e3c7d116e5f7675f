//! The store of one machine: rooms in memory, in shards.

use std::{
    collections::{BTreeSet, HashMap},
    future::ready,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{Census, Pending, RoomStore, StoreError, Update};
use crate::{Room, RoomId, Timestamp};

/// More shards than cores ever contend for; each costs some hundred bytes.
const SHARDS: usize = 64;

/// Rooms in memory. A lock is held for the length of one pure update, never across an await or a write.
#[derive(Debug)]
pub struct MemoryStore {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    max_rooms: usize,
    rooms: AtomicUsize,
    members: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shard {
    rooms: HashMap<RoomId, Kept>,
    /// Ordered, so that what expires next is found without a search.
    deadlines: BTreeSet<(Timestamp, RoomId)>,
}

#[derive(Debug, Default)]
struct Kept {
    room: Room,
    deadline: Option<Timestamp>,
}

impl MemoryStore {
    /// An empty store for at most `max_rooms` rooms.
    #[must_use]
    pub fn new(max_rooms: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        let (rooms, members) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { shards, hasher: RandomState::new(), max_rooms, rooms, members }
    }

    fn change(&self, id: &RoomId, update: Update<'_>) -> Result<(), StoreError> {
        let at = usize::try_from(self.hasher.hash_one(id) % SHARDS as u64).unwrap_or_default();
        let mut shard = lock(&self.shards[at]);
        if let Some(kept) = shard.rooms.get_mut(id) {
            let before = (kept.room.occupancy(), kept.deadline);
            // Taken out meanwhile: an update that panics leaves an empty room, never half a change.
            let mut room = std::mem::take(&mut kept.room);
            kept.deadline = update(&mut room);
            kept.room = room;
            let after = (kept.room.occupancy(), kept.deadline);
            if kept.room.is_empty() {
                shard.rooms.remove(id);
                self.rooms.fetch_sub(1, Ordering::Relaxed);
            }
            self.account(&mut shard, id, before, after);
            return Ok(());
        }
        let mut room = Room::default();
        let deadline = update(&mut room);
        if room.is_empty() {
            return Ok(());
        }
        if self.rooms.fetch_add(1, Ordering::Relaxed) >= self.max_rooms {
            self.rooms.fetch_sub(1, Ordering::Relaxed);
            return Err(StoreError::TooManyRooms);
        }
        let after = (room.occupancy(), deadline);
        shard.rooms.insert(id.clone(), Kept { room, deadline });
        self.account(&mut shard, id, (0, None), after);
        Ok(())
    }

    /// Members and deadlines, brought up to date with one changed room.
    fn account(
        &self,
        shard: &mut Shard,
        id: &RoomId,
        before: (usize, Option<Timestamp>),
        after: (usize, Option<Timestamp>),
    ) {
        self.members.fetch_add(after.0, Ordering::Relaxed);
        self.members.fetch_sub(before.0, Ordering::Relaxed);
        if before.1 == after.1 {
            return;
        }
        if let Some(old) = before.1 {
            shard.deadlines.remove(&(old, id.clone()));
        }
        if let Some(new) = after.1 {
            shard.deadlines.insert((new, id.clone()));
        }
    }
}

impl RoomStore for MemoryStore {
    fn update<'a>(&'a self, room: &'a RoomId, update: Update<'a>) -> Pending<'a, Result<(), StoreError>> {
        Box::pin(ready(self.change(room, update)))
    }

    fn due(&self, now: Timestamp, most: usize) -> Pending<'_, Result<Vec<RoomId>, StoreError>> {
        let mut due: Vec<(Timestamp, RoomId)> = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            due.extend(shard.deadlines.iter().take_while(|(deadline, _)| *deadline <= now).take(most).cloned());
        }
        due.sort_unstable();
        due.truncate(most);
        Box::pin(ready(Ok(due.into_iter().map(|(_, room)| room).collect())))
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        let earliest = |shard| lock(shard).deadlines.first().map(|(deadline, _)| *deadline);
        self.shards.iter().filter_map(earliest).min()
    }

    fn census(&self) -> Census {
        Census { rooms: self.rooms.load(Ordering::Relaxed), members: self.members.load(Ordering::Relaxed) }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
