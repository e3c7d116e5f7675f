//! How the words of the file are read: addresses, prefixes, durations, sizes, ports, origins.
//!
//! Every function takes the text of one value and answers with the value or with a complaint that says what to write.

pub(crate) mod address;
pub(crate) mod duration;
pub(crate) mod origin;
pub(crate) mod ports;
pub(crate) mod prefix;
pub(crate) mod size;
pub(crate) mod word;

use crate::problem::{Complaint, shortened};

/// What parsing one value gives.
pub(crate) type Parsed<T> = Result<T, Complaint>;

/// A text as a complaint repeats it: in quotes, on one line, not endless.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text))
}
