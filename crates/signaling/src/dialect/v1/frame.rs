//! What clients say: one JSON object a frame.

use std::sync::Arc;

use posthouse_rooms::{
    Digest,
    meeting::{Change, Request},
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::fault::{Code, Fault};
use crate::json;

/// Deepest nesting that is read.
const DEPTH: usize = 32;

/// A frame we understand.
#[derive(Clone, Debug)]
pub(super) enum Frame {
    Join(Box<Join>),
    Resume { token: String, seen: u64 },
    Ask { request: Request },
    Ack { seq: u64 },
    Ice,
    Ping,
}

/// Who wants in.
#[derive(Clone, Debug)]
pub(super) struct Join {
    pub(super) room: String,
    pub(super) name: Option<Arc<str>>,
    pub(super) data: Option<Arc<str>>,
    pub(super) passphrase: Option<Digest>,
    pub(super) secret: Option<Digest>,
    pub(super) token: Option<String>,
    pub(super) create: Create,
}

/// How a room is to be made.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Create {
    pub(super) room: Option<String>,
    capacity: Option<usize>,
    locked: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    passphrase: Option<Option<String>>,
    knock: Option<bool>,
    /// Seconds that it may be empty.
    pub(super) empty_for: Option<u64>,
}

/// All keys we read. One that comes twice is refused, so that nobody checks one value and uses the other.
#[derive(Deserialize)]
struct Fields<'a> {
    r#type: String,
    id: Option<u64>,
    room: Option<String>,
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    passphrase: Option<Option<String>>,
    token: Option<String>,
    owner: Option<String>,
    create: Option<Create>,
    #[serde(borrow, default, deserialize_with = "raw")]
    data: Option<&'a RawValue>,
    seen: Option<u64>,
    seq: Option<u64>,
    to: Option<String>,
    member: Option<String>,
    locked: Option<bool>,
    knock: Option<bool>,
    capacity: Option<usize>,
}

/// A key that is there, even if its value is `null`.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn raw<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// A frame that could be read: its id, and what it means or why it means nothing.
pub(super) struct Read {
    pub(super) id: Option<u64>,
    pub(super) frame: Result<Frame, Fault>,
}

/// Reads a frame; `None` if it is not one of this protocol at all.
pub(super) fn read(text: &str) -> Option<Read> {
    if json::deeper_than(DEPTH, text) {
        return None;
    }
    let fields: Fields<'_> = serde_json::from_str(text).ok()?;
    Some(Read { id: fields.id, frame: Frame::of(fields) })
}

impl Frame {
    fn of(fields: Fields<'_>) -> Result<Self, Fault> {
        let Fields { r#type, data, member, owner, to, seq, seen, token, .. } = &fields;
        let whom = || member.as_deref().map(Arc::from).ok_or(Fault::bad("expected the id of a member in `member`"));
        let request = match r#type.as_str() {
            "join" => return Join::of(fields).map(Box::new).map(Self::Join),
            "resume" => {
                let token = token.clone().ok_or(Fault::bad("expected the token of `joined` in `token`"))?;
                return Ok(Self::Resume { token, seen: seen.unwrap_or(0) });
            }
            "ack" => {
                return Ok(Self::Ack { seq: seq.ok_or(Fault::bad("expected the last event's number in `seq`"))? });
            }
            "ice" => return Ok(Self::Ice),
            "ping" => return Ok(Self::Ping),
            "send" => {
                let data = data.ok_or(Fault::bad("expected something to send in `data`"))?;
                Request::Send { to: to.as_deref().map(Arc::from), data: data.get().into() }
            }
            "presence" => Request::Presence(presence(*data)),
            "leave" => Request::Leave,
            "own" => {
                let secret = owner.as_deref().ok_or(Fault::bad("expected the owner's secret in `owner`"))?;
                Request::Own(Digest::of(secret))
            }
            "admit" => Request::Admit(whom()?),
            "deny" => Request::Deny(whom()?),
            "kick" => Request::Kick(whom()?),
            "set" => Request::Set(change(fields.capacity, fields.locked, fields.knock, fields.passphrase.as_ref())?),
            "close" => Request::Close,
            _ => return Err(Fault::bad("expected a `type` of this protocol, got another")),
        };
        Ok(Self::Ask { request })
    }
}

impl Join {
    fn of(fields: Fields<'_>) -> Result<Self, Fault> {
        let Fields { room, name, passphrase, token, owner, create, data, .. } = fields;
        let room = room.ok_or(Fault::bad("expected the name of a room in `room`"))?;
        if name.as_ref().is_some_and(|name| name.chars().any(char::is_control)) {
            return Err(Fault::bad("expected a name without control characters"));
        }
        Ok(Self {
            room,
            name: name.as_deref().filter(|name| !name.is_empty()).map(Arc::from),
            data: presence(data),
            passphrase: passphrase.flatten().as_deref().map(Digest::of),
            secret: owner.as_deref().map(Digest::of),
            token,
            create: create.unwrap_or_default(),
        })
    }
}

impl Create {
    /// Reads the body of `POST /v1/rooms`. An empty one asks for nothing special.
    pub(super) fn read(body: &str) -> Result<Self, Fault> {
        if body.trim().is_empty() {
            return Ok(Self::default());
        }
        let read = if json::deeper_than(DEPTH, body) { None } else { serde_json::from_str(body).ok() };
        read.ok_or(Fault::bad("expected a JSON object with the room's terms"))
    }

    /// What is to hold.
    pub(super) fn terms(&self) -> Result<Change, Fault> {
        change(self.capacity, self.locked, self.knock, self.passphrase.as_ref())
    }
}

/// `null` is as good as nothing.
fn presence(data: Option<&RawValue>) -> Option<Arc<str>> {
    data.map(RawValue::get).filter(|data| *data != "null").map(Into::into)
}

fn change(
    capacity: Option<usize>,
    locked: Option<bool>,
    knock: Option<bool>,
    passphrase: Option<&Option<String>>,
) -> Result<Change, Fault> {
    if capacity == Some(0) {
        return Err(Fault::new(Code::BadRequest, "expected a capacity of at least 1"));
    }
    // An empty passphrase is none.
    let digest = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(Digest::of);
    Ok(Change { capacity, locked, knock, passphrase: passphrase.map(digest) })
}
