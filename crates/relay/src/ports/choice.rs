//! The order in which ports are tried (RFC 6056 §3.3.1: random first, then a walk).

use super::Random;

/// Random tries before the walk: with nine ports of ten taken, four requests of five need no walk.
const RANDOM_TRIES: u32 = 16;

/// Offsets into a range of `len` slots: some at random, then all of them once from a random start.
pub(crate) fn offsets(len: u32, random: &mut Random) -> impl Iterator<Item = u32> {
    let start = random.below(len);
    let drawn = (0..RANDOM_TRIES).map(move |_| random.below(len));
    drawn.chain((0..len).map(move |i| (start + i) % len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_tried_at_least_once() {
        for len in [1, 2, 15, 16384] {
            let mut seen = vec![false; len as usize];
            for offset in offsets(len, &mut Random::new()) {
                seen[offset as usize] = true;
            }
            assert!(seen.iter().all(|s| *s));
        }
    }
}
