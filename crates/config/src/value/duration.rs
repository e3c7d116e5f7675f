//! Durations: `"10s"`, `"10m"`, `"1h 30m"`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Parsed, quoted};
use crate::problem::Complaint;

/// A duration within `range`.
pub(crate) fn within(range: RangeInclusive<Duration>) -> impl Fn(&str) -> Parsed<Duration> {
    move |text| {
        let (low, high) = (shown(*range.start()), shown(*range.end()));
        let expected = format!("a duration from {low} to {high}");
        match humantime::parse_duration(text) {
            Ok(duration) if range.contains(&duration) => Ok(duration),
            Ok(duration) if duration > *range.end() => {
                Err(Complaint::wrong(expected, quoted(text), format!("write at most {high}")))
            }
            Ok(_) => Err(Complaint::wrong(expected, quoted(text), format!("write at least {low}"))),
            Err(_) => {
                Err(Complaint::wrong(expected, quoted(text), "write it with units, like \"90s\", \"10m\" or \"1h\""))
            }
        }
    }
}

/// The duration as it is written in the file, in quotes.
pub(crate) fn shown(duration: Duration) -> String {
    format!("\"{}\"", humantime::format_duration(duration))
}
