//! Where rooms, identities and topics are kept: one atomic update of one value.

mod memory;
mod shelf;

use std::{collections::BTreeMap, future::Future, pin::Pin};

pub use memory::{Capacity, MemoryStore};

use crate::{Address, Identity, Meeting, Room, RoomId, Timestamp, Topic, TopicId};

/// An answer that may take a while: at once in memory, a round trip on an engine shared by several nodes.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps values. An engine implements these doors; callers use
/// [`RoomStore::apply`](trait.RoomStore.html#method.apply) and its siblings.
///
/// Contract, checked by [`contract`](crate::contract): updates of one value happen one after the other, each on what the
/// last one left; an update that answers an error changed nothing; a value that is empty is not kept; a value whose
/// deadline has come is listed by [`RoomStore::due`].
pub trait RoomStore: Send + Sync {
    /// Changes one room atomically. `update` gets the room as it is ([`Room::default`] if nobody is in it) and answers
    /// the next moment at which time itself changes the room. It is pure and may run twice: only the last run counts.
    ///
    /// A caller that drops the answer before it is there does not know whether the change was kept.
    fn update<'a>(&'a self, room: &'a RoomId, update: Update<'a>) -> Pending<'a, Result<(), StoreError>>;

    /// [`RoomStore::update`] for an identity.
    fn update_identity<'a>(
        &'a self,
        address: &'a Address,
        update: Update<'a, Identity>,
    ) -> Pending<'a, Result<(), StoreError>>;

    /// [`RoomStore::update`] for a topic.
    fn update_topic<'a>(&'a self, topic: &'a TopicId, update: Update<'a, Topic>)
    -> Pending<'a, Result<(), StoreError>>;

    /// [`RoomStore::update`] for a meeting.
    fn update_meeting<'a>(
        &'a self,
        meeting: &'a RoomId,
        update: Update<'a, Meeting>,
    ) -> Pending<'a, Result<(), StoreError>>;

    /// Values whose deadline has come, at most `most` of each kind, earliest first.
    fn due(&self, now: Timestamp, most: usize) -> Pending<'_, Result<Vec<Due>, StoreError>>;

    /// The earliest deadline, as far as this node knows.
    fn poll_timeout(&self) -> Option<Timestamp>;

    /// How much is kept, as far as this node knows.
    fn census(&self) -> Census;

    /// What is kept of identities and topics, by dialect, as far as this node knows. Each of them is looked at: for whoever
    /// asks now and then.
    fn tallies(&self) -> BTreeMap<Box<str>, Tally>;

    /// Shows every room and every meeting, as far as this node knows: each once, as it is at that moment, in no order. What
    /// comes or goes meanwhile may be missed. `look` must not wait, for whoever changes a value waits for it.
    fn walk<'a>(&'a self, look: Look<'a>) -> Pending<'a, Result<(), StoreError>>;
}

/// Somebody who looks at all rooms.
pub type Look<'a> = &'a mut (dyn FnMut(Kept<'_>) + Send);

/// A room that is kept, of either kind.
#[derive(Clone, Copy, Debug)]
pub enum Kept<'a> {
    /// A room.
    Room(&'a RoomId, &'a Room),
    /// A meeting.
    Meeting(&'a RoomId, &'a Meeting),
}

/// One change of one value; answers the value's next deadline.
pub type Update<'a, V = Room> = &'a mut (dyn FnMut(&mut V) -> Option<Timestamp> + Send);

/// Something whose deadline has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// A room.
    Room(RoomId),
    /// An identity.
    Identity(Address),
    /// A topic.
    Topic(TopicId),
    /// A meeting.
    Meeting(RoomId),
}

impl dyn RoomStore + '_ {
    /// [`RoomStore::update`] for a change that answers something.
    ///
    /// # Errors
    /// As the store says.
    pub async fn apply<T: Send>(
        &self,
        room: &RoomId,
        mut change: impl FnMut(&mut Room) -> (T, Option<Timestamp>) + Send,
    ) -> Result<T, StoreError> {
        let mut last = None;
        self.update(room, &mut |room| remember(&mut last, change(room))).await?;
        last.ok_or(StoreError::Unavailable)
    }

    /// [`RoomStore::update_identity`] for a change that answers something.
    ///
    /// # Errors
    /// As the store says.
    pub async fn apply_identity<T: Send>(
        &self,
        address: &Address,
        mut change: impl FnMut(&mut Identity) -> T + Send,
    ) -> Result<T, StoreError> {
        let mut last = None;
        self.update_identity(address, &mut |identity| {
            let answer = change(identity);
            remember(&mut last, (answer, identity.poll_timeout()))
        })
        .await?;
        last.ok_or(StoreError::Unavailable)
    }

    /// [`RoomStore::update_topic`] for a change that answers something.
    ///
    /// # Errors
    /// As the store says.
    pub async fn apply_topic<T: Send>(
        &self,
        topic: &TopicId,
        mut change: impl FnMut(&mut Topic) -> T + Send,
    ) -> Result<T, StoreError> {
        let mut last = None;
        self.update_topic(topic, &mut |topic| {
            let answer = change(topic);
            remember(&mut last, (answer, topic.poll_timeout()))
        })
        .await?;
        last.ok_or(StoreError::Unavailable)
    }

    /// [`RoomStore::update_meeting`] for a change that answers something.
    ///
    /// # Errors
    /// As the store says.
    pub async fn apply_meeting<T: Send>(
        &self,
        meeting: &RoomId,
        mut change: impl FnMut(&mut Meeting) -> T + Send,
    ) -> Result<T, StoreError> {
        let mut last = None;
        self.update_meeting(meeting, &mut |meeting| {
            let answer = change(meeting);
            remember(&mut last, (answer, meeting.poll_timeout()))
        })
        .await?;
        last.ok_or(StoreError::Unavailable)
    }
}

fn remember<T>(last: &mut Option<T>, (answer, deadline): (T, Option<Timestamp>)) -> Option<Timestamp> {
    *last = Some(answer);
    deadline
}

/// How much a store keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Rooms, meetings among them.
    pub rooms: usize,
    /// Meetings.
    pub meetings: usize,
    /// Members in them.
    pub members: usize,
    /// Identities: owned names, and names for which something waits.
    pub identities: usize,
    /// Topics.
    pub topics: usize,
}

/// What a store keeps of one dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Identities.
    pub identities: usize,
    /// Bytes that wait in their mailboxes.
    pub waiting: usize,
    /// Topics.
    pub topics: usize,
}

/// Why an update was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A new room would be one too many.
    #[error("the store has as many rooms as it may")]
    TooManyRooms,
    /// A new identity would be one too many.
    #[error("the store has as many identities as it may")]
    TooManyIdentities,
    /// A new topic would be one too many.
    #[error("the store has as many topics as it may")]
    TooManyTopics,
    /// The engine did not answer.
    #[error("the store did not answer")]
    Unavailable,
}
