//! `[signaling.hello]`: what the exchange of 2014 may do that ours would not.

use crate::keys::{Key, Table};
use crate::reading::Reading;

pub(crate) const TABLE: Table = Table {
    path: "signaling.hello",
    text: "HelloWebRTC's exchange of 2014: a WebSocket at /hello or /hello/ROOM.",
    keys: &[
        Key {
            name: "legacy",
            default: "false",
            example: "true",
            expects: "true or false",
            text: "Whether a name belongs to whoever used it last, as in the original, even when another client is there\n\
                   under it; that one is closed. False: whoever takes another's name is closed.",
        },
        Key {
            name: "leave",
            default: "false",
            example: "true",
            expects: "true or false",
            text: "Whether the others hear \"leave\" when a client is gone. False, because the original never said it.",
        },
    ],
};

/// `[signaling.hello]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// Whether a name belongs to whoever used it last.
    pub legacy: bool,
    /// Whether the others hear that a client is gone.
    pub leave: bool,
}

impl Hello {
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let default = Self::default();
        Self {
            legacy: reading.flag("signaling.hello.legacy").unwrap_or(default.legacy),
            leave: reading.flag("signaling.hello.leave").unwrap_or(default.leave),
        }
    }

    pub(crate) fn shown(&self) -> [(&'static str, String); 2] {
        let Self { legacy, leave } = self;
        [("signaling.hello.legacy", legacy.to_string()), ("signaling.hello.leave", leave.to_string())]
    }
}
