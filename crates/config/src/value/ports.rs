//! A range of ports: `"49152-65535"`.

use std::ops::RangeInclusive;

use super::{Parsed, quoted};
use crate::problem::Complaint;

/// Lowest port of a relay: those below belong to services that other software trusts (RFC 8656 §7.2 wants 49152 and up).
const LOWEST: u16 = 1024;

/// A range of ports from 1024 to 65535, both ends included.
pub(crate) fn range(text: &str) -> Parsed<RangeInclusive<u16>> {
    let expected = "a range of ports like \"49152-65535\"";
    let wrong = |found: String, write: String| Err(Complaint::wrong(expected, found, write));
    let ends = text.split_once('-').map(|(low, high)| (low.trim().parse::<u16>(), high.trim().parse::<u16>()));
    let Some((Ok(low), Ok(high))) = ends else {
        return wrong(quoted(text), "write the first and the last port, from 1024 to 65535".to_owned());
    };
    if low > high {
        return wrong(format!("{}, which ends before it begins", quoted(text)), format!("write \"{high}-{low}\""));
    }
    if low < LOWEST {
        let found = format!("{}, which begins among the system ports", quoted(text));
        return wrong(found, format!("begin at {LOWEST} or above"));
    }
    Ok(low..=high)
}
