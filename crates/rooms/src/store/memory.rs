//! The store of one machine: everything in memory.

use std::{collections::BTreeMap, future::ready};

use super::{Census, Due, Kept, Look, Pending, RoomStore, StoreError, Tally, Update, shelf::Shelf};
use crate::{Address, Identity, Meeting, Room, RoomId, Tenant, Timestamp, Topic, TopicId};

/// Rooms, meetings, identities and topics in memory.
#[derive(Debug)]
pub struct MemoryStore {
    rooms: Shelf<RoomId, Room>,
    identities: Shelf<Address, Identity>,
    topics: Shelf<TopicId, Topic>,
    meetings: Shelf<RoomId, Meeting>,
}

/// How much a store may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Rooms, and as many meetings.
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
        Self {
            rooms: Shelf::new(rooms),
            identities: Shelf::new(identities),
            topics: Shelf::new(topics),
            meetings: Shelf::new(rooms),
        }
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

    fn update_meeting<'a>(
        &'a self,
        meeting: &'a RoomId,
        update: Update<'a, Meeting>,
    ) -> Pending<'a, Result<(), StoreError>> {
        Box::pin(ready(self.meetings.change(meeting, update).map_err(|_| StoreError::TooManyRooms)))
    }

    fn due(&self, now: Timestamp, most: usize) -> Pending<'_, Result<Vec<Due>, StoreError>> {
        let rooms = self.rooms.due(now, most).into_iter().map(Due::Room);
        let identities = self.identities.due(now, most).into_iter().map(Due::Identity);
        let topics = self.topics.due(now, most).into_iter().map(Due::Topic);
        let meetings = self.meetings.due(now, most).into_iter().map(Due::Meeting);
        Box::pin(ready(Ok(rooms.chain(identities).chain(topics).chain(meetings).collect())))
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        let these = [self.rooms.poll_timeout(), self.meetings.poll_timeout()];
        let those = [self.identities.poll_timeout(), self.topics.poll_timeout()];
        these.into_iter().chain(those).flatten().min()
    }

    fn census(&self) -> Census {
        Census {
            rooms: self.rooms.len() + self.meetings.len(),
            meetings: self.meetings.len(),
            members: self.rooms.members() + self.meetings.members(),
            identities: self.identities.len(),
            topics: self.topics.len(),
        }
    }

    fn tallies(&self) -> BTreeMap<Box<str>, Tally> {
        let mut tallies = BTreeMap::new();
        self.identities.each(|address, one| {
            let tally = tally(&mut tallies, &address.tenant);
            tally.identities += 1;
            tally.waiting += one.waiting();
        });
        self.topics.each(|topic, _| tally(&mut tallies, &topic.tenant).topics += 1);
        tallies
    }

    fn walk<'a>(&'a self, look: Look<'a>) -> Pending<'a, Result<(), StoreError>> {
        self.rooms.each(|id, room| look(Kept::Room(id, room)));
        self.meetings.each(|id, meeting| look(Kept::Meeting(id, meeting)));
        Box::pin(ready(Ok(())))
    }
}

/// A dialect's own.
fn tally<'a>(tallies: &'a mut BTreeMap<Box<str>, Tally>, tenant: &Tenant) -> &'a mut Tally {
    tallies.entry(tenant.dialect().into()).or_default()
}
