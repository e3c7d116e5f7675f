//! What clients hear.

use posthouse_rooms::meeting::{Event, Gone, Knock, Over, Seen, State, Welcome};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{IceConfig, IceServer, json};

/// ICE servers as browsers take them, and how long they may be used.
#[derive(Serialize)]
pub(super) struct Ice<'a> {
    #[serde(rename = "iceServers")]
    ice_servers: &'a [IceServer],
    expires_in: u64,
}

impl<'a> Ice<'a> {
    pub(super) fn of(ice: &'a IceConfig) -> Self {
        Self { ice_servers: &ice.servers, expires_in: ice.lifetime }
    }
}

/// The answer to `join` and `resume`.
#[derive(Serialize)]
struct Arrival<'a> {
    r#type: &'static str,
    id: u64,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<u64>,
    room: &'a str,
    member: &'a str,
    resume: &'a str,
    resume_for: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    members: Vec<Entry<'a>>,
    /// For an owner that comes back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    knocks: Vec<Waiting<'a>>,
    state: Terms,
    ice: Ice<'a>,
}

/// One who waits at the door.
#[derive(Serialize)]
struct Waiting<'a> {
    member: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

/// A member as another one sees it.
#[derive(Serialize)]
struct Entry<'a> {
    member: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    polite: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    away: bool,
}

#[derive(Serialize)]
struct Terms {
    capacity: usize,
    locked: bool,
    passphrase: bool,
    knock: bool,
}

/// What an arrival is told beside what the room says.
pub(super) struct Arriving<'a> {
    pub(super) id: u64,
    pub(super) room: &'a str,
    /// The token with which it comes back.
    pub(super) resume: &'a str,
    /// Seconds for which its seat is kept.
    pub(super) resume_for: u64,
    /// The owner's secret, for whoever made the room.
    pub(super) owner: Option<&'a str>,
    pub(super) ice: &'a IceConfig,
    /// Has it been here before?
    pub(super) again: bool,
}

/// `joined` or `resumed`.
pub(super) fn arrival(arriving: &Arriving<'_>, welcome: &Welcome) -> String {
    let Arriving { id, room, resume, resume_for, owner, ice, again } = *arriving;
    json::plain(&Arrival {
        r#type: if again { "resumed" } else { "joined" },
        id,
        seq: welcome.seq,
        received: again.then_some(welcome.received),
        room,
        member: &welcome.member,
        resume,
        resume_for,
        owner: owner.filter(|_| welcome.made),
        members: welcome.members.iter().map(Entry::of).collect(),
        knocks: welcome.knocks.iter().map(Waiting::of).collect(),
        state: Terms::of(&welcome.state),
        ice: Ice::of(ice),
    })
}

impl<'a> Entry<'a> {
    fn of(seen: &'a Seen) -> Self {
        let Seen { id, name, data, polite, away } = seen;
        Self { member: id, name: name.as_deref(), data: data.as_deref().and_then(raw), polite: *polite, away: *away }
    }
}

impl<'a> Waiting<'a> {
    fn of(knock: &'a Knock) -> Self {
        Self { member: &knock.guest, name: knock.name.as_deref() }
    }
}

impl Terms {
    fn of(state: &State) -> Self {
        let State { capacity, locked, passphrase, knock } = *state;
        Self { capacity, locked, passphrase, knock }
    }
}

/// An event, as a frame. What members say is not ours to read: it passes as it came.
pub(super) fn event(seq: u64, event: &Event) -> String {
    let word = |r#type: &'static str| Word { r#type, seq, ..Word::default() };
    json::plain(&match event {
        Event::Said { from, all, data } => {
            let to = if *all { "all" } else { "you" };
            // Ids are ours, and what was said was read as JSON when it came: nothing is left to escape or to check.
            return format!(r#"{{"type":"message","seq":{seq},"from":"{from}","to":"{to}","data":{data}}}"#);
        }
        // Whoever comes later is polite, so those who were there are not.
        Event::Joined { member, name, data } => Word {
            member: Some(member),
            name: name.as_deref(),
            data: data.as_deref().and_then(raw),
            polite: Some(false),
            ..word("member-joined")
        },
        Event::Left { member, how } => Word { member: Some(member), reason: Some(gone(*how)), ..word("member-left") },
        Event::Away(member) => Word { member: Some(member), ..word("member-away") },
        Event::Back(member) => Word { member: Some(member), ..word("member-back") },
        Event::Changed { member, data } => {
            let data = data.as_deref().and_then(raw).or_else(|| raw("null"));
            Word { member: Some(member), data, ..word("member-changed") }
        }
        Event::Knock { guest, name } => Word { member: Some(guest), name: name.as_deref(), ..word("knock") },
        Event::KnockGone(guest) => Word { member: Some(guest), ..word("knock-gone") },
        Event::State(state) => Word { state: Some(Terms::of(state)), ..word("state") },
        Event::Private(ice) => Word { ice: raw(ice), ..word("ice") },
        Event::Closed(over) => Word { reason: Some(reason(*over)), ..word("closed") },
        Event::Admitted(_) | Event::Denied => word("waiting"),
    })
}

/// Every key of every event.
#[derive(Default, Serialize)]
struct Word<'a> {
    r#type: &'static str,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    polite: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ice: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Terms>,
}

fn gone(how: Gone) -> &'static str {
    match how {
        Gone::Left => "left",
        Gone::Lost => "lost",
        Gone::Kicked => "kicked",
    }
}

fn reason(over: Over) -> &'static str {
    match over {
        Over::Kicked => "kicked",
        Over::Closed => "closed",
        Over::Expired => "expired",
    }
}

/// What was read as JSON is JSON.
fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}
