//! Where rooms are kept: one atomic update of one room.

mod memory;

use std::{future::Future, pin::Pin};

pub use memory::MemoryStore;

use crate::{Room, RoomId, Timestamp};

/// An answer that may take a while: at once in memory, a round trip on an engine shared by several nodes.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps rooms. An engine implements the three doors; callers use [`RoomStore::apply`](trait.RoomStore.html#method.apply).
///
/// Contract, checked by [`contract`](crate::contract): updates of one room happen one after the other, each on what the
/// last one left; an update that answers an error changed nothing; the room nobody is in is not kept; a room whose
/// deadline has come is listed by [`RoomStore::due`].
pub trait RoomStore: Send + Sync {
    /// Changes one room atomically. `update` gets the room as it is ([`Room::default`] if nobody is in it) and answers
    /// the next moment at which time itself changes the room. It is pure and may run twice: only the last run counts.
    ///
    /// A caller that drops the answer before it is there does not know whether the change was kept.
    fn update<'a>(&'a self, room: &'a RoomId, update: Update<'a>) -> Pending<'a, Result<(), StoreError>>;

    /// Rooms whose deadline has come, at most `most` of them, earliest first.
    fn due(&self, now: Timestamp, most: usize) -> Pending<'_, Result<Vec<RoomId>, StoreError>>;

    /// The earliest deadline, as far as this node knows.
    fn poll_timeout(&self) -> Option<Timestamp>;

    /// How much is kept, as far as this node knows.
    fn census(&self) -> Census;
}

/// One change of one room; answers the room's next deadline.
pub type Update<'a> = &'a mut (dyn FnMut(&mut Room) -> Option<Timestamp> + Send);

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
        let mut update = |room: &mut Room| {
            let (answer, deadline) = change(room);
            last = Some(answer);
            deadline
        };
        self.update(room, &mut update).await?;
        last.ok_or(StoreError::Unavailable)
    }
}

/// How much a store keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Rooms.
    pub rooms: usize,
    /// Members in them.
    pub members: usize,
}

/// Why an update was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A new room would be one too many.
    #[error("the store has as many rooms as it may")]
    TooManyRooms,
    /// The engine did not answer.
    #[error("the store did not answer")]
    Unavailable,
}
