//! `[signaling]`: how messages find a client.

use crate::keys::{Key, Table};
use crate::reading::Reading;
use crate::reference::{list, text};
use crate::value::size;

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
}

/// `[signaling.collider]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collider {
    /// Whether `register` needs a `/join` before it.
    pub require_join: bool,
}

impl Default for Signaling {
    fn default() -> Self {
        Self { max_message: 64 * 1024, disabled: Vec::new(), root: None, collider: Collider { require_join: true } }
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
        Self {
            max_message: largest.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(default.max_message),
            disabled: disabled.unwrap_or_default(),
            root,
            collider: Collider { require_join: require_join.unwrap_or(default.collider.require_join) },
        }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { max_message, disabled, root, collider: Collider { require_join } } = self;
        vec![
            ("signaling.max_message", size::shown(*max_message as u64)),
            ("signaling.disabled", list(disabled)),
            ("signaling.root", text(root.as_deref().unwrap_or_default())),
            ("signaling.collider.require_join", require_join.to_string()),
        ]
    }
}
