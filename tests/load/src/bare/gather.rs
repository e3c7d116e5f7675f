//! Datagrams on their way out: one message each, or one for a run of equal sizes (UDP_SEGMENT).

use std::net::SocketAddrV4;
use std::ops::Range;

use crate::kernel::Message;

/// The kernel cuts at most 64 segments (and 64 KiB) out of one send.
const SEGMENTS_MAX: usize = 64;
const BYTES_MAX: usize = 60_000;

/// A batch for `sendmmsg`.
pub(super) struct Gather {
    join: bool,
    pub(super) pieces: Vec<Range<usize>>,
    pub(super) messages: Vec<Message>,
    /// Of the last message: datagrams in it, and the size of the last one.
    segments: usize,
    last: usize,
}

impl Gather {
    pub(super) fn new(join: bool) -> Self {
        Self { join, pieces: Vec::new(), messages: Vec::new(), segments: 0, last: 0 }
    }

    /// Adds a datagram of one or two pieces.
    pub(super) fn add(&mut self, to: SocketAddrV4, pieces: impl IntoIterator<Item = Range<usize>>) {
        let start = self.pieces.len();
        self.pieces.extend(pieces);
        let len = self.pieces[start..].iter().map(ExactSizeIterator::len).sum();
        if !self.extend(to, len) {
            self.messages.push(Message { to, from: None, pieces: start..self.pieces.len(), segment: 0 });
            self.segments = 1;
        }
        self.last = len;
    }

    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.messages.clear();
        self.segments = 0;
    }

    /// Only the last segment may be shorter than the others.
    fn extend(&mut self, to: SocketAddrV4, len: usize) -> bool {
        let Some(message) = self.messages.last_mut().filter(|message| self.join && message.to == to) else {
            return false;
        };
        let segment = if self.segments == 1 { self.last } else { usize::from(message.segment) };
        let full = self.segments == SEGMENTS_MAX || (self.segments + 1) * segment > BYTES_MAX;
        if full || self.last != segment || len > segment {
            return false;
        }
        message.segment = segment as u16;
        message.pieces.end = self.pieces.len();
        self.segments += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_equal_sizes_and_one_shorter_datagram_are_one_message() {
        let (a, b) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
        let mut gather = Gather::new(true);
        for (to, len) in [(a, 9), (a, 9), (a, 5), (a, 5), (a, 6), (b, 6)] {
            gather.add(to, [0..4, 0..len - 4]);
        }
        let shapes: Vec<_> = gather.messages.iter().map(|m| (m.to, m.pieces.len() / 2, m.segment)).collect();
        assert_eq!(shapes, [(a, 3, 9), (a, 1, 0), (a, 1, 0), (b, 1, 0)]);
    }

    #[test]
    fn nothing_is_joined_unless_asked_for() {
        let to = "127.0.0.1:1".parse().unwrap();
        let mut gather = Gather::new(false);
        gather.add(to, std::iter::once(0..9));
        gather.add(to, std::iter::once(0..9));
        assert_eq!(gather.messages.len(), 2);
    }
}
