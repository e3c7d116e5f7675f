//! Sizes in bytes: `"64 KiB"`, `"1 MiB"`, `"2 MB"`, `"0"`.

use std::ops::RangeInclusive;

use super::{Parsed, quoted};
use crate::problem::Complaint;

/// Units with their bytes; the binary ones come first, from the largest, because [`shown`] takes the first that divides.
const UNITS: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

/// A number of bytes within `range`.
pub(crate) fn within(range: RangeInclusive<u64>) -> impl Fn(&str) -> Parsed<u64> {
    move |text| {
        let (low, high) = (shown(*range.start()), shown(*range.end()));
        let expected = format!("a size from {low} to {high}");
        match parse(text) {
            Some(bytes) if range.contains(&bytes) => Ok(bytes),
            Some(bytes) if bytes > *range.end() => {
                Err(Complaint::wrong(expected, quoted(text), format!("write at most {high}")))
            }
            Some(_) => Err(Complaint::wrong(expected, quoted(text), format!("write at least {low}"))),
            None => {
                Err(Complaint::wrong(expected, quoted(text), "write a number and KiB, MiB or GiB, like \"64 KiB\""))
            }
        }
    }
}

/// The size as it is written in the file, in quotes.
pub(crate) fn shown(bytes: u64) -> String {
    let unit = UNITS[..3].iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    match unit {
        Some((name, unit)) => format!("\"{} {name}\"", bytes / unit),
        None if bytes == 0 => "\"0\"".to_owned(),
        None => format!("\"{bytes} B\""),
    }
}

fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim_start();
    if unit.is_empty() {
        return Some(number);
    }
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_as_it_is_shown() {
        for bytes in [0, 1, 999, 1024, 65_536, 1_000_000, 3 << 20, 5 << 30, u64::MAX] {
            let shown = shown(bytes);
            assert_eq!(parse(shown.trim_matches('"')), Some(bytes), "{shown}");
        }
    }

    #[test]
    fn a_size_that_overflows_is_none() {
        assert_eq!(parse("18446744073709551615 KiB"), None);
        assert_eq!(parse("64 KIB"), None);
        assert_eq!(parse("-1"), None);
    }
}
