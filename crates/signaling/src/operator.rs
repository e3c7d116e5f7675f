//! What an operator sees of rooms, and does to them: read from the store, done through the same door as everybody's
//! changes. Nothing that is shown would let anybody take a seat.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use posthouse_rooms::{
    Kept, Meeting, Member, Refusal, Role, Room, RoomId, Seat, StoreError,
    meeting::{self, Authority},
};

use crate::{Signaling, delivery::Trouble};

/// Which rooms are to be shown.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Those whose name contains this; empty: all.
    pub containing: String,
    /// Those behind this one: name and dialect of the last one seen.
    pub after: Option<(String, String)>,
    /// So many at most.
    pub most: usize,
    /// Labels of relay credentials of which it is to be found out who holds a seat.
    pub labels: HashSet<Box<str>>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// By name.
    pub rooms: Vec<RoomSeen>,
    /// Rooms in all.
    pub total: usize,
    /// Rooms whose name contains what was asked for.
    pub matching: usize,
    /// There are more behind the last one.
    pub more: bool,
    /// Those of the labels that hold a seat, in whatever room.
    pub seated: HashSet<Box<str>>,
}

/// A room as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSeen {
    /// Its name.
    pub room: Box<str>,
    /// `apprtc`, or `v1`.
    pub dialect: &'static str,
    /// Members at most.
    pub capacity: usize,
    /// Does nobody new come in?
    pub locked: bool,
    /// Do newcomers wait to be admitted?
    pub knock: bool,
    /// Must newcomers know a passphrase?
    pub passphrase: bool,
    /// Guests at the door.
    pub waiting: usize,
    /// In the order they came.
    pub members: Vec<MemberSeen>,
}

/// A member as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberSeen {
    /// By this name it can be kicked; it is not the secret of its seat.
    pub member: Option<Box<str>>,
    /// What its relay credentials are made out to.
    pub label: Option<Box<str>>,
    /// What it calls itself.
    pub name: Option<Arc<str>>,
    /// `initiator`, `joiner`, `owner`, or `member`.
    pub role: &'static str,
    /// `live`; `expected`: it has had no socket yet; `away`: its socket is lost and the seat kept; `echo`: the second
    /// half of a loopback pair.
    pub seat: &'static str,
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// There is no such room (any more).
    NoSuchRoom,
    /// There is no such member in this room (any more).
    NoSuchMember,
    /// The store did not answer.
    Unavailable,
}

impl Signaling {
    /// Looks at all rooms once, and shows some of them.
    ///
    /// # Errors
    /// As the store says.
    pub async fn rooms_seen(&self, asked: &Asked) -> Result<Found, StoreError> {
        let mut page = Page { asked, capacity: self.post.policy.load().capacity, rooms: BTreeMap::new(), behind: 0 };
        let mut found = Found::default();
        self.post.store.walk(&mut |kept| page.look(kept, &mut found)).await?;
        found.more = page.behind > page.rooms.len();
        found.rooms = page.rooms.into_values().collect();
        Ok(found)
    }

    /// Ends a membership: the seat is free, the socket closed, what it holds on the relay ended, its relay credentials are
    /// refused from now on, the others are told.
    ///
    /// # Errors
    /// When there is no such room or member.
    pub async fn kick(&self, dialect: &str, room: &str, member: &str) -> Result<(), Undone> {
        let room = RoomId::parse_any(room).map_err(|_| Undone::NoSuchRoom)?;
        let done = match dialect {
            APPRTC => self.post.change(&room, |room, policy, now| room.kick(policy, now, member)).await,
            V1 => self.command(&room, &meeting::Request::Kick(member.into())).await,
            _ => return Err(Undone::NoSuchRoom),
        };
        done.map_err(Undone::from)
    }

    /// Ends a room, and with it every membership as by [`Self::kick`].
    ///
    /// # Errors
    /// When there is no such room.
    pub async fn close_room(&self, dialect: &str, room: &str) -> Result<(), Undone> {
        let room = RoomId::parse_any(room).map_err(|_| Undone::NoSuchRoom)?;
        let done = match dialect {
            APPRTC => self.post.change(&room, Room::close).await,
            V1 => self.command(&room, &meeting::Request::Close).await,
            _ => return Err(Undone::NoSuchRoom),
        };
        done.map_err(Undone::from)
    }

    async fn command(&self, room: &RoomId, wish: &meeting::Request) -> Result<(), Trouble> {
        self.post.change_meeting(room, |one, rules, now| one.command(rules, now, Authority::House, wish)).await
    }
}

impl From<Trouble> for Undone {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(Refusal::UnknownRoom) => Self::NoSuchRoom,
            Trouble::Refused(_) => Self::NoSuchMember,
            Trouble::Store(_) => Self::Unavailable,
        }
    }
}

const APPRTC: &str = "apprtc";
const V1: &str = "v1";

/// The part of a walk that is shown: never more than was asked for, however many there are.
struct Page<'a> {
    asked: &'a Asked,
    capacity: usize,
    rooms: BTreeMap<(Box<str>, &'static str), RoomSeen>,
    /// Rooms that come behind the last one seen, shown or not.
    behind: usize,
}

impl Page<'_> {
    fn look(&mut self, kept: Kept<'_>, found: &mut Found) {
        match kept {
            Kept::Room(id, room) => {
                let labels = room.members().iter().filter_map(|member| Some(&*member.label.as_ref()?.0));
                self.seat(labels, found);
                let capacity = self.capacity;
                self.show(id, APPRTC, found, |id| RoomSeen::of_room(id, room, capacity));
            }
            Kept::Meeting(id, meeting) => {
                self.seat(meeting.members().iter().map(|member| &*member.id), found);
                self.show(id, V1, found, |id| RoomSeen::of_meeting(id, meeting));
            }
        }
    }

    fn seat<'m>(&self, members: impl Iterator<Item = &'m str>, found: &mut Found) {
        let asked = members.filter(|member| self.asked.labels.contains(*member));
        found.seated.extend(asked.map(Box::from));
    }

    fn show(&mut self, id: &RoomId, dialect: &'static str, found: &mut Found, see: impl FnOnce(&str) -> RoomSeen) {
        let Asked { containing, after, most, .. } = self.asked;
        found.total += 1;
        if !id.as_str().contains(containing.as_str()) {
            return;
        }
        found.matching += 1;
        let key = (id.as_str(), dialect);
        if after.as_ref().is_some_and(|(room, dialect)| key <= (room, dialect)) {
            return;
        }
        self.behind += 1;
        let is_full = self.rooms.len() >= *most;
        let last = self.rooms.last_key_value().map(|((room, dialect), _)| (&**room, *dialect));
        if is_full && last.is_none_or(|last| key > last) {
            return;
        }
        self.rooms.insert((id.as_str().into(), dialect), see(id.as_str()));
        if is_full {
            self.rooms.pop_last();
        }
    }
}

impl RoomSeen {
    fn of_room(id: &str, room: &Room, capacity: usize) -> Self {
        Self {
            room: id.into(),
            dialect: APPRTC,
            capacity,
            locked: false,
            knock: false,
            passphrase: false,
            waiting: 0,
            members: room.members().iter().map(MemberSeen::of_room).collect(),
        }
    }

    fn of_meeting(id: &str, meeting: &Meeting) -> Self {
        let meeting::State { capacity, locked, passphrase, knock } = meeting.state();
        Self {
            room: id.into(),
            dialect: V1,
            capacity,
            locked,
            knock,
            passphrase,
            waiting: meeting.guests().count(),
            members: meeting.members().iter().map(MemberSeen::of_meeting).collect(),
        }
    }
}

impl MemberSeen {
    fn of_room(member: &Member) -> Self {
        Self {
            member: member.public_name().map(Cow::into_owned).map(Box::from),
            label: member.label.as_ref().map(|label| (*label.0).into()),
            name: None,
            role: if member.role == Role::Initiator { "initiator" } else { "joiner" },
            seat: match member.seat {
                Seat::Waiting { .. } => "expected",
                Seat::Live(_) => "live",
                Seat::Held { .. } => "away",
                Seat::Loopback => "echo",
            },
        }
    }

    fn of_meeting(member: &meeting::Member) -> Self {
        Self {
            member: Some((*member.id).into()),
            label: Some((*member.id).into()),
            name: member.name.clone(),
            role: if member.owner { "owner" } else { "member" },
            seat: if member.socket().is_some() { "live" } else { "away" },
        }
    }
}
