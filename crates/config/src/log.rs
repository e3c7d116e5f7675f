//! `[log]`: what the operator reads.

use crate::keys::{Key, Table};
use crate::reading::Reading;
use crate::reference::text;
use crate::value::word::{one_of, word_of};

pub(crate) const TABLE: Table = Table {
    path: "log",
    text: "The log goes to standard error, which systemd keeps in its journal.",
    keys: &[
        Key {
            name: "level",
            default: "\"info\"",
            example: "\"info\"",
            expects: "one of \"error\", \"warn\", \"info\", \"debug\", \"trace\"",
            text: "\"error\", \"warn\", \"info\", \"debug\" or \"trace\". Addresses of clients appear at debug and below,\n\
                   single packets at trace, so info may be kept for long.",
        },
        Key {
            name: "format",
            default: "\"text\"",
            example: "\"json\"",
            expects: "\"text\" or \"json\"",
            text: "\"text\" for people, \"json\" for machines.",
        },
    ],
};

/// `[log]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// From which level on lines are written.
    pub level: Level,
    /// Their shape.
    pub format: Format,
}

/// From which level on lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the words of the file")]
pub enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// The shape of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the words of the file")]
pub enum Format {
    #[default]
    Text,
    Json,
}

const LEVELS: [(&str, Level); 5] = [
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("info", Level::Info),
    ("debug", Level::Debug),
    ("trace", Level::Trace),
];

const FORMATS: [(&str, Format); 2] = [("text", Format::Text), ("json", Format::Json)];

impl Level {
    /// The word of the file, which is also the word of `tracing`.
    pub fn as_str(self) -> &'static str {
        word_of(&LEVELS, self)
    }
}

impl Format {
    /// The word of the file.
    pub fn as_str(self) -> &'static str {
        word_of(&FORMATS, self)
    }
}

impl Log {
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        Self {
            level: reading.text("log.level", |text| one_of(&LEVELS, text)).unwrap_or_default(),
            format: reading.text("log.format", |text| one_of(&FORMATS, text)).unwrap_or_default(),
        }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        vec![("log.level", text(self.level.as_str())), ("log.format", text(self.format.as_str()))]
    }
}
