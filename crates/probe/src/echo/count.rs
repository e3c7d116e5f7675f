//! Payloads that can be told apart and checked, and their count.

use std::fmt;

use stun::agent::TransactionId;

/// Run (12 bytes, random) and sequence number (4 bytes, big endian) precede the filling.
const HEADER: usize = 16;

/// What one direction carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Payloads handed to the sending end.
    pub sent: u32,
    /// Different payloads that arrived unchanged.
    pub arrived: u32,
    /// Payloads of this run that arrived changed.
    pub damaged: u32,
    /// Payloads that arrived again.
    pub repeated: u32,
    /// Payloads that arrived from another address or in another wrapping than agreed, or that were never sent.
    pub strange: u32,
}

impl Count {
    /// Bytes of the shortest payload that can be told apart.
    pub const SMALLEST: usize = HEADER;

    /// Everything arrived, once, unchanged, and nothing else did.
    pub fn is_whole(&self) -> bool {
        self.arrived == self.sent && self.damaged == 0 && self.repeated == 0 && self.strange == 0
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.arrived, self.sent)?;
        for (number, word) in [(self.damaged, "damaged"), (self.repeated, "repeated"), (self.strange, "strange")] {
            if number > 0 {
                write!(f, ", {number} {word}")?;
            }
        }
        Ok(())
    }
}

/// One direction of one run: writes the payloads and recognises them.
pub(super) struct Tally {
    run: TransactionId,
    len: usize,
    seen: Vec<bool>,
    count: Count,
}

impl Tally {
    pub(super) fn new(payloads: u32, len: usize) -> Self {
        let seen = vec![false; payloads as usize];
        Self { run: TransactionId::new(), len: len.max(HEADER), seen, count: Count::default() }
    }

    pub(super) fn count(&self) -> Count {
        self.count
    }

    /// The next payload to send, `None` when all are sent.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        if self.count.sent as usize == self.seen.len() {
            return None;
        }
        let payload = self.payload(self.count.sent);
        self.count.sent += 1;
        Some(payload)
    }

    /// All are sent and all have arrived.
    pub(super) fn is_complete(&self) -> bool {
        self.count.arrived as usize == self.seen.len()
    }

    /// Notes one payload; `as_agreed` says that it came from the right address in the right wrapping.
    pub(super) fn note(&mut self, payload: &[u8], as_agreed: bool) {
        let sequence = payload.get(12..HEADER).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
        let Some(sequence) = sequence.filter(|_| payload.starts_with(&self.run.0)) else {
            self.count.strange += 1;
            return;
        };
        if sequence >= self.count.sent || !as_agreed {
            self.count.strange += 1;
        } else if payload != self.payload(sequence) {
            self.count.damaged += 1;
        } else if std::mem::replace(&mut self.seen[sequence as usize], true) {
            self.count.repeated += 1;
        } else {
            self.count.arrived += 1;
        }
    }

    /// ```text
    /// | run, 12 bytes | sequence, 4 bytes | filling: 31 * position + 17 * sequence |
    /// ```
    fn payload(&self, sequence: u32) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.len);
        payload.extend_from_slice(&self.run.0);
        payload.extend_from_slice(&sequence.to_be_bytes());
        payload.extend((HEADER..self.len).map(|at| (at as u32 * 31).wrapping_add(sequence.wrapping_mul(17)) as u8));
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(payloads: u32) -> (Tally, Vec<Vec<u8>>) {
        let mut tally = Tally::new(payloads, 64);
        let all = std::iter::from_fn(|| tally.next()).collect();
        (tally, all)
    }

    #[test]
    fn payloads_that_all_arrive_in_any_order_make_a_whole() {
        let (mut tally, all) = sent(5);
        all.iter().rev().for_each(|payload| tally.note(payload, true));
        assert!(tally.is_complete() && tally.count().is_whole(), "{}", tally.count());
    }

    #[test]
    fn a_lost_a_changed_a_repeated_and_a_strange_payload_are_told_apart() {
        let (mut tally, mut all) = sent(4);
        tally.note(&all[0], true);
        tally.note(&all[0], true);
        all[1][40] ^= 1;
        tally.note(&all[1], true);
        tally.note(&all[2], false);
        tally.note(b"hello", true);
        tally.note(&sent(4).1[0], true);
        let expected = Count { sent: 4, arrived: 1, damaged: 1, repeated: 1, strange: 3 };
        assert_eq!(tally.count(), expected);
        assert!(!expected.is_whole());
        assert_eq!(expected.to_string(), "1 of 4, 1 damaged, 1 repeated, 3 strange");
    }

    #[test]
    fn a_sequence_number_that_was_never_sent_does_not_count_as_arrived() {
        let mut tally = Tally::new(2, 64);
        let first = tally.next().unwrap();
        let unsent = tally.payload(1);
        tally.note(&first, true);
        tally.note(&unsent, true);
        assert_eq!(tally.count(), Count { sent: 1, arrived: 1, strange: 1, ..Count::default() });
    }
}
