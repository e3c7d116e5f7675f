//! [`OutQueue`]: what the kernel did not take from us for a client that reads slowly.

use std::collections::VecDeque;

/// What a frame is, for the question whether it may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Relayed for the client: it may be lost as on any way.
    Media,
    /// An answer to the client's own request.
    Answer,
    /// The rest of a frame whose beginning is gone already.
    Begun,
}

/// Whether a frame may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may.
    Waits,
    /// There is no room for it, and it is no great loss.
    Dropped,
    /// There is no room even for an answer: this client will never read them.
    Overflow,
}

/// Bytes that wait, bounded. Memory only while there are some.
#[derive(Debug)]
pub(crate) struct OutQueue {
    bytes: VecDeque<u8>,
    limit: usize,
}

impl OutQueue {
    /// `limit` is in bytes; a quarter of it is kept for answers.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { bytes: VecDeque::new(), limit }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Judges a frame of which `len` bytes remain to be sent.
    pub(crate) fn admit(&self, kind: Kind, len: usize) -> Admission {
        let full = self.bytes.len() + len;
        match kind {
            Kind::Media if full > self.limit - self.limit / 4 => Admission::Dropped,
            Kind::Answer if full > self.limit => Admission::Overflow,
            _ => Admission::Waits,
        }
    }

    /// Appends a part of an admitted frame.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// What waits, in order.
    pub(crate) fn as_slices(&self) -> (&[u8], &[u8]) {
        self.bytes.as_slices()
    }

    /// `n` bytes are sent.
    pub(crate) fn consume(&mut self, n: usize) {
        self.bytes.drain(..n);
        if self.bytes.is_empty() {
            self.bytes = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_leaves_room_for_answers_and_answers_never_vanish() {
        let mut queue = OutQueue::new(1000);
        let mut waiting = 0;
        while queue.admit(Kind::Media, 100) == Admission::Waits {
            queue.append(&[7; 100]);
            waiting += 100;
        }
        assert_eq!((waiting, queue.admit(Kind::Media, 100)), (700, Admission::Dropped));
        assert_eq!(queue.admit(Kind::Answer, 300), Admission::Waits);
        assert_eq!(queue.admit(Kind::Answer, 301), Admission::Overflow);
        assert_eq!(queue.admit(Kind::Begun, 5000), Admission::Waits);
    }

    #[test]
    fn bytes_leave_in_order_and_memory_with_them() {
        let mut queue = OutQueue::new(1000);
        queue.append(b"abc");
        queue.append(b"def");
        queue.consume(2);
        queue.append(b"ghi");
        let (a, b) = queue.as_slices();
        assert_eq!([a, b].concat(), b"cdefghi");
        queue.consume(7);
        assert_eq!((queue.is_empty(), queue.bytes.capacity()), (true, 0));
    }
}
