//! The store of one machine: everything in memory.

use std::future::ready;

use super::{Census, Due, Pending, RoomStore, StoreError, Update, shelf::Shelf};
use crate::{Address, Identity, Room, RoomId, Timestamp, Topic, TopicId};

/// Rooms, identities and topics in memory.
#[derive(Debug)]
pub struct MemoryStore {
    rooms: Shelf<RoomId, Room>,
    identities: Shelf<Address, Identity>,
    topics: Shelf<TopicId, Topic>,
}

/// How much a store may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Rooms.
    pub rooms: usize,
    /// Identities.
    pub identities: usize,
    /// Topics.
    pub topics: usize,
}

impl MemoryStore {
    /// An empty store for at most `most` rooms, as many topics, and four times as many identities.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self::of(Capacity { rooms: most, identities: most.saturating_mul(4), topics: most })
    }

    /// An empty store.
    #[must_use]
    pub fn of(capacity: Capacity) -> Self {
        let Capacity { rooms, identities, topics } = capacity;
        Self { rooms: Shelf::new(rooms), identities: Shelf::new(identities), topics: Shelf::new(topics) }
    }
}

impl RoomStore for MemoryStore {
    fn update<'a>(&'a self, room: &'a RoomId, update: Update<'a>) -> Pending<'a, Result<(), StoreError>> {
        Box::pin(ready(self.rooms.change(room, update).map_err(|_| StoreError::TooManyRooms)))
    }

    fn update_identity<'a>(
        &'a self,
        address: &'a Address,
        update: Update<'a, Identity>,
    ) -> Pending<'a, Result<(), StoreError>> {
        Box::pin(ready(self.identities.change(address, update).map_err(|_| StoreError::TooManyIdentities)))
    }

    fn update_topic<'a>(
        &'a self,
        topic: &'a TopicId,
        update: Update<'a, Topic>,
    ) -> Pending<'a, Result<(), StoreError>> {
        Box::pin(ready(self.topics.change(topic, update).map_err(|_| StoreError::TooManyTopics)))
    }

    fn due(&self, now: Timestamp, most: usize) -> Pending<'_, Result<Vec<Due>, StoreError>> {
        let rooms = self.rooms.due(now, most).into_iter().map(Due::Room);
        let identities = self.identities.due(now, most).into_iter().map(Due::Identity);
        let topics = self.topics.due(now, most).into_iter().map(Due::Topic);
        Box::pin(ready(Ok(rooms.chain(identities).chain(topics).collect())))
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        let all = [self.rooms.poll_timeout(), self.identities.poll_timeout(), self.topics.poll_timeout()];
        all.into_iter().flatten().min()
    }

    fn census(&self) -> Census {
        Census {
            rooms: self.rooms.len(),
            members: self.rooms.members(),
            identities: self.identities.len(),
            topics: self.topics.len(),
        }
    }
}
