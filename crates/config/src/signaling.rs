//! `[signaling]`: how messages find a client.

mod hello;
mod v1;

use std::time::Duration;

pub use hello::Hello;

use crate::keys::{Key, Table};
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::reference::{list, text};
use crate::value::word::{one_of, word_of};
use crate::value::{duration, quoted, size};

pub(crate) use v1::TABLE as V1_TABLE;
pub use v1::V1;

pub(crate) const TABLE: Table = Table {
    path: "signaling",
    text: "Messages between the members of a room.",
    keys: &[
        Key {
            name: "max_message",
            default: "\"64 KiB\"",
            example: "\"64 KiB\"",
            expects: "a size in quotes",
            text: "Largest message of a client, 1 KiB to 1 MiB. An offer of a browser with many codecs has about 10 KiB;\n\
                   what is larger is refused before it is held in memory.",
        },
        Key {
            name: "disabled",
            default: "[]",
            example: "[\"matchbox\", \"yjs\"]",
            expects: "a list of dialects",
            text: "Dialects that are not spoken here: their paths are as if they did not exist. None by default, because\n\
                   one that nobody speaks costs nothing.",
        },
        Key {
            name: "root",
            default: "\"\"",
            example: "\"auto\"",
            expects: "a dialect in quotes",
            text: "The dialect of a WebSocket that asks for /, for clients that know a host and no path; \"auto\" tells it\n\
                   by the first message. Empty: there is none, and / is the landing page alone.",
        },
    ],
};

pub(crate) const HELLO: Table = hello::TABLE;

pub(crate) const COLLIDER: Table = Table {
    path: "signaling.collider",
    text: "Collider, AppRTC's WebSocket server: /ws and POST or DELETE on /ROOM/CLIENT.",
    keys: &[Key {
        name: "require_join",
        default: "true",
        example: "false",
        expects: "true or false",
        text: "Whether a client must have joined over HTTP before it registers. True, because otherwise anybody who\n\
               knows a room's name can listen in. False: register without /join, as the stand-alone Collider allowed.",
    }],
};

pub(crate) const PEERJS: Table = Table {
    path: "signaling.peerjs",
    text: "PeerJS: /peerjs, for clients with path \"/\" or \"/peerjs\".",
    keys: &[
        Key {
            name: "keys",
            default: "[]",
            example: "[\"peerjs\"]",
            expects: "a list of keys",
            text: "Keys that clients may name, each a name space of its own; \"peerjs\" is the one of clients that name none.\n\
                   Empty: every key, for an app may choose one without asking.",
        },
        Key {
            name: "join",
            default: "\"anyone\"",
            example: "\"token\"",
            expects: "\"anyone\" or \"token\"",
            text: "Who may be a peer: \"anyone\", or \"token\": whoever's `token` is a JWT that a key of [signaling.v1] proves.",
        },
        Key {
            name: "allow_discovery",
            default: "false",
            example: "true",
            expects: "true or false",
            text: "Whether everybody who knows a key may list its peers, the longest-standing thousand of them. False,\n\
                   because an id is all that one needs to call a peer.",
        },
        Key {
            name: "expire_timeout",
            default: "\"5s\"",
            example: "\"10s\"",
            expects: "a duration in quotes",
            text: "How long a message waits for a peer who is not there, 1s to 5m; then its sender is told.",
        },
    ],
};

/// Who may come in: must they prove it?
const JOIN: [(&str, bool); 2] = [("anyone", false), ("token", true)];

/// `[signaling]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signaling {
    /// Largest message of a client in bytes.
    pub max_message: usize,
    /// Dialects that are not spoken; whether they exist is asked by [`Loaded::check_dialects`](crate::Loaded::check_dialects).
    pub disabled: Vec<String>,
    /// The dialect of a WebSocket at `/`.
    pub root: Option<String>,
    /// `[signaling.collider]`
    pub collider: Collider,
    /// `[signaling.hello]`
    pub hello: Hello,
    /// `[signaling.peerjs]`
    pub peerjs: PeerJs,
    /// `[signaling.v1]`
    pub v1: V1,
}

/// `[signaling.collider]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collider {
    /// Whether `register` needs a `/join` before it.
    pub require_join: bool,
}

/// `[signaling.peerjs]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerJs {
    /// Keys that clients may name; none: every key.
    pub keys: Vec<String>,
    /// Must a peer bring a token that verifies?
    pub join_needs_token: bool,
    /// Whether peers are listed.
    pub allow_discovery: bool,
    /// How long a message waits for a peer.
    pub expire_timeout: Duration,
}

impl Default for Signaling {
    fn default() -> Self {
        let (collider, hello, peerjs) = (Collider { require_join: true }, Hello::default(), PeerJs::default());
        Self { max_message: 64 * 1024, disabled: Vec::new(), root: None, collider, hello, peerjs, v1: V1::default() }
    }
}

impl Default for PeerJs {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            join_needs_token: false,
            allow_discovery: false,
            expire_timeout: Duration::from_secs(5),
        }
    }
}

impl Signaling {
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let default = Self::default();
        let largest = reading.text("signaling.max_message", size::within(1 << 10..=1 << 20));
        let name = |text: &str| Ok(text.to_owned());
        let disabled = reading.list("signaling.disabled", name);
        let root = reading.text("signaling.root", name).filter(|root| !root.is_empty());
        let require_join = reading.flag("signaling.collider.require_join");
        let (peerjs, v1) = (PeerJs::read(reading), V1::read(reading));
        if peerjs.join_needs_token {
            v1.check_tokens(reading, "signaling.peerjs.join");
        }
        Self {
            max_message: largest.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(default.max_message),
            disabled: disabled.unwrap_or_default(),
            root,
            collider: Collider { require_join: require_join.unwrap_or(default.collider.require_join) },
            hello: Hello::read(reading),
            peerjs,
            v1,
        }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { max_message, disabled, root, collider: Collider { require_join }, hello, peerjs, v1 } = self;
        let mut shown = vec![
            ("signaling.max_message", size::shown(*max_message as u64)),
            ("signaling.disabled", list(disabled)),
            ("signaling.root", text(root.as_deref().unwrap_or_default())),
            ("signaling.collider.require_join", require_join.to_string()),
        ];
        shown.extend(hello.shown());
        shown.extend(peerjs.shown());
        shown.extend(v1.shown());
        shown
    }
}

impl PeerJs {
    fn read(reading: &mut Reading<'_>) -> Self {
        let default = Self::default();
        let key = |text: &str| match text.len() {
            1..=256 => Ok(text.to_owned()),
            _ => Err(Complaint::wrong("a key of 1 to 256 bytes".to_owned(), quoted(text), "write what clients name")),
        };
        let waits = duration::within(Duration::from_secs(1)..=Duration::from_secs(300));
        Self {
            keys: reading.list("signaling.peerjs.keys", key).unwrap_or_default(),
            join_needs_token: reading.text("signaling.peerjs.join", |word| one_of(&JOIN, word)).unwrap_or_default(),
            allow_discovery: reading.flag("signaling.peerjs.allow_discovery").unwrap_or(default.allow_discovery),
            expire_timeout: reading.text("signaling.peerjs.expire_timeout", waits).unwrap_or(default.expire_timeout),
        }
    }

    fn shown(&self) -> [(&'static str, String); 4] {
        let Self { keys, join_needs_token, allow_discovery, expire_timeout } = self;
        [
            ("signaling.peerjs.keys", list(keys)),
            ("signaling.peerjs.join", text(word_of(&JOIN, *join_needs_token))),
            ("signaling.peerjs.allow_discovery", allow_discovery.to_string()),
            ("signaling.peerjs.expire_timeout", duration::shown(*expire_timeout)),
        ]
    }
}
