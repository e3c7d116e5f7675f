//! What one peer has waiting for others who are not there. A mailbox has its bound, but anybody may write to any number
//! of names that nobody has; so a sender has a bound too, the same as a mailbox.

use std::collections::VecDeque;

use posthouse_rooms::{Bounds, Timestamp};

#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Until when each message may wait, and its bytes.
    letters: VecDeque<(Timestamp, usize)>,
    bytes: usize,
}

impl Waiting {
    /// May so many bytes more wait?
    pub(super) fn allows(&mut self, bounds: Bounds, now: Timestamp, bytes: usize) -> bool {
        while let Some((_, gone)) = self.letters.pop_front_if(|(until, _)| *until <= now) {
            self.bytes -= gone;
        }
        self.letters.len() < bounds.messages && self.bytes + bytes <= bounds.bytes
    }

    /// They do.
    pub(super) fn add(&mut self, until: Timestamp, bytes: usize) {
        self.letters.push_back((until, bytes));
        self.bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_waited_its_time_makes_room_for_more() {
        let bounds = Bounds { messages: 2, bytes: 100 };
        let mut waiting = Waiting::default();
        assert!(!waiting.allows(bounds, Timestamp(0), 101));
        for until in [5, 6] {
            assert!(waiting.allows(bounds, Timestamp(0), 40));
            waiting.add(Timestamp(until), 40);
        }
        assert!(!waiting.allows(bounds, Timestamp(4), 0), "two messages are all");
        assert!(!waiting.allows(bounds, Timestamp(5), 61), "of 100 bytes 40 still wait");
        assert!(waiting.allows(bounds, Timestamp(5), 60));
        assert!(waiting.allows(bounds, Timestamp(6), 100));
    }
}
