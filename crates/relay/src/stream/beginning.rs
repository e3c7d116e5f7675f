//! [`Beginning`]: what has come of a frame whose rest has not.

use posthouse_stun::stream::{Frame, next_frame};

/// Enough to know a frame by: type, length and, for STUN, the magic cookie.
const KNOWN: usize = 8;

/// The bytes at the end of a read that make no whole frame. Memory only while there are some; each byte is copied in
/// once and out once, however small the pieces are in which a frame comes.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    bytes: Vec<u8>,
}

impl Beginning {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// `n` bytes came to `room[self.len()..]`. Puts the beginning in front of them once they complete it. Returns how
    /// many bytes of `room` are to be cut into frames now.
    pub(crate) fn join(&mut self, room: &mut [u8], n: usize) -> usize {
        let held = self.bytes.len();
        if held == 0 {
            return n;
        }
        if held >= KNOWN
            && let Frame::Incomplete { needed } = next_frame(&self.bytes)
            && held + n < needed
        {
            self.bytes.extend_from_slice(&room[held..held + n]);
            return 0;
        }
        room[..held].copy_from_slice(&self.bytes);
        self.bytes = Vec::new();
        held + n
    }

    /// Keeps what was left after cutting.
    pub(crate) fn keep(&mut self, rest: &[u8]) {
        if !rest.is_empty() {
            self.bytes = rest.to_vec();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDING: [u8; 24] = [0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0];

    /// Feeds pieces as reads do; returns what was cut, read by read.
    fn fed(pieces: &[&[u8]]) -> (Beginning, Vec<Vec<u8>>) {
        let (mut beginning, mut cut) = (Beginning::default(), Vec::new());
        for piece in pieces {
            let mut room = [0; 256];
            let held = beginning.len();
            room[held..held + piece.len()].copy_from_slice(piece);
            let len = beginning.join(&mut room, piece.len());
            let mut at = 0;
            while let Frame::Complete { len, advance, .. } = next_frame(&room[at..len]) {
                cut.push(room[at..at + len].to_vec());
                at += advance;
            }
            beginning.keep(&room[at..len]);
        }
        (beginning, cut)
    }

    #[test]
    fn a_frame_in_two_parts_is_whole_wherever_it_was_split() {
        for at in 0..=BINDING.len() {
            let (rest, cut) = fed(&[&BINDING[..at], &BINDING[at..]]);
            assert_eq!(cut, [BINDING.to_vec()], "split at {at}");
            assert_eq!((rest.len(), rest.bytes.capacity()), (0, 0), "nothing stays");
        }
    }

    #[test]
    fn a_frame_byte_by_byte_is_whole_in_the_end() {
        let twice = [BINDING, BINDING].concat();
        let pieces: Vec<_> = twice.chunks(1).collect();
        let (rest, cut) = fed(&pieces);
        assert_eq!(cut, [BINDING.to_vec(), BINDING.to_vec()]);
        assert_eq!(rest.len(), 0);
    }

    #[test]
    fn what_follows_a_completed_frame_is_cut_with_it() {
        let (rest, cut) = fed(&[&BINDING[..10], &[&BINDING[10..], &BINDING, &BINDING[..5]].concat()]);
        assert_eq!(cut, [BINDING.to_vec(), BINDING.to_vec()]);
        assert_eq!(rest.len(), 5);
    }
}
