//! What a change of a room means to somebody who watches from outside: pure, from who was in it before and after.

use std::sync::Arc;

use crate::{Departure, Ended, Meeting, Room};

/// Something that happened to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomEvent {
    /// It was not there before.
    RoomOpened,
    /// Somebody took a seat.
    MemberJoined {
        /// Its public name: the label of its relay credentials.
        member: Arc<str>,
        /// Seats taken after the change.
        members: usize,
    },
    /// A membership is over for good; a socket that is lost is none, as long as the seat is kept.
    MemberLeft {
        /// Its public name.
        member: Arc<str>,
        /// How it ended.
        why: Option<Departure>,
        /// Seats taken after the change.
        members: usize,
    },
    /// It is as if it had never been.
    RoomClosed,
}

/// Who is in a room at one moment. Members without a public name (Collider's, where nobody need join) are not told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    open: bool,
    members: Vec<Arc<str>>,
}

impl From<&Room> for Roll {
    fn from(room: &Room) -> Self {
        let labels = room.members().iter().filter_map(|member| Some(member.label.as_ref()?.0.clone()));
        Self { open: room.occupancy() > 0, members: labels.collect() }
    }
}

impl From<&Meeting> for Roll {
    fn from(meeting: &Meeting) -> Self {
        let ids = meeting.members().iter().map(|member| member.id.clone());
        Self { open: !meeting.is_empty(), members: ids.collect() }
    }
}

impl Roll {
    /// What happened from here to `after`, in an order in which it may have: a seat is empty before it is taken.
    #[must_use]
    pub fn events(&self, after: &Self, ended: &[Ended]) -> Vec<RoomEvent> {
        if self == after {
            return Vec::new();
        }
        let members = after.members.len();
        let why = |member: &Arc<str>| {
            let is_it = |ended: &&Ended| ended.label.as_ref().is_some_and(|label| *label.0 == **member);
            ended.iter().find(is_it).map(|ended| ended.why)
        };
        let gone = self.members.iter().filter(|member| !after.members.contains(member));
        let left = gone.map(|member| RoomEvent::MemberLeft { member: member.clone(), why: why(member), members });
        let new = after.members.iter().filter(|member| !self.members.contains(member));
        let joined = new.map(|member| RoomEvent::MemberJoined { member: member.clone(), members });
        let opened = (after.open && !self.open).then_some(RoomEvent::RoomOpened);
        let closed = (self.open && !after.open).then_some(RoomEvent::RoomClosed);
        opened.into_iter().chain(left).chain(joined).chain(closed).collect()
    }
}
