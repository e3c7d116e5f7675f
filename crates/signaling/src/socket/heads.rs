//! What the heads of a client's frames are held to beyond what tungstenite checks (RFC 6455 §5.2, §5.4): pure, bounded,
//! without a copy of anything but the head.
//!
//! ```text
//! |FIN RSV opcode|MASK length 7|[length 16 or 64]| masking key 32 | payload ...
//! ```

use std::fmt;

/// Reads heads as they pass, however they are cut.
#[derive(Debug)]
pub(crate) struct Heads {
    /// The head that is being read: two bytes and the longer length.
    head: [u8; 10],
    have: usize,
    /// Masking key and payload that are still to pass.
    skip: u64,
    /// Frames of the message so far.
    fragments: usize,
    most: usize,
}

/// What a head may do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A length of more bytes than it needs, or one with its top bit set.
    Length,
    /// One message in more pieces than a client has a reason for; empty ones would cost us and nothing else.
    Fragments,
}

impl Heads {
    /// A message may come in so many frames.
    pub(crate) fn new(most: usize) -> Self {
        Self { head: [0; 10], have: 0, skip: 0, fragments: 0, most }
    }

    /// Looks at bytes that pass. A fault answers how many of them may still be read: all before the head that is wrong.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Result<(), (usize, Fault)> {
        let (mut at, mut good) = (0, 0);
        while at < bytes.len() {
            if self.skip > 0 {
                let rest = (bytes.len() - at) as u64;
                let passed = self.skip.min(rest);
                self.skip -= passed;
                at += usize::try_from(passed).unwrap_or(bytes.len());
                good = at;
                continue;
            }
            self.head[self.have] = bytes[at];
            self.have += 1;
            at += 1;
            if self.have == self.needed() {
                self.skip = self.judge().map_err(|fault| (good, fault))?;
                self.have = 0;
                good = at;
            }
        }
        Ok(())
    }

    /// How long this head is, as far as it is known.
    fn needed(&self) -> usize {
        match self.head[1] & 0x7f {
            126 if self.have >= 2 => 4,
            127 if self.have >= 2 => 10,
            _ => 2,
        }
    }

    /// What follows a head: masking key and payload.
    fn judge(&mut self) -> Result<u64, Fault> {
        let [first, second, ..] = self.head;
        let long = |from: &[u8]| from.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
        let (length, least) = match second & 0x7f {
            126 => (long(&self.head[2..4]), 126),
            127 => (long(&self.head[2..10]), 65_536),
            short => (u64::from(short), 0),
        };
        if length < least || length >> 63 != 0 {
            return Err(Fault::Length);
        }
        // Control frames may stand between the pieces of a message (§5.5).
        if first & 0x08 == 0 {
            self.fragments += 1;
            if self.fragments > self.most {
                return Err(Fault::Fragments);
            }
            if first & 0x80 != 0 {
                self.fragments = 0;
            }
        }
        Ok(length + if second & 0x80 == 0 { 0 } else { 4 })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "expected a length in as few bytes as it needs",
            Self::Fragments => "expected a message in fewer pieces",
        })
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole, and byte by byte.
    fn judged(frames: &[&[u8]]) -> Result<(), (usize, Fault)> {
        let bytes = frames.concat();
        let whole = Heads::new(64).pass(&bytes);
        let mut heads = Heads::new(64);
        let single = bytes.iter().try_for_each(|byte| heads.pass(&[*byte]).map_err(|(_, fault)| fault));
        assert_eq!(whole.map_err(|(_, fault)| fault), single);
        whole
    }

    #[test]
    fn lengths_are_written_as_short_as_they_can_be() {
        let text = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
        assert_eq!(judged(&[&text, &text]), Ok(()));
        let not_short = [0x81, 0xfe, 0, 125];
        assert_eq!(judged(&[&text, &not_short]), Err((8, Fault::Length)));
        assert_eq!(judged(&[&[0x81, 0xfe, 0, 126]]), Ok(()));
        let eight = |length: u64| [&[0x82, 0xff][..], &length.to_be_bytes()].concat();
        assert_eq!(judged(&[&eight(65_535)]), Err((0, Fault::Length)));
        assert_eq!(judged(&[&eight(65_536)]), Ok(()));
        assert_eq!(judged(&[&eight(u64::MAX >> 1)]), Ok(()), "too large, but well written");
        assert_eq!(judged(&[&eight(1 << 63)]), Err((0, Fault::Length)));
    }

    #[test]
    fn the_65th_piece_of_a_message_is_one_too_many_and_pings_do_not_count() {
        let (first, more, last, ping) = ([0x01, 0x80], [0x00, 0x80], [0x80, 0x80], [0x89, 0x80]);
        let masked = |head: [u8; 2]| [&head[..], &[0; 4]].concat();
        let mut frames = vec![masked(first)];
        frames.extend((0..62).flat_map(|_| [masked(ping), masked(more)]));
        let enough: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let end = masked(last);
        let again: Vec<&[u8]> = [&enough[..], &[&end], &enough[..], &[&end]].concat();
        assert_eq!(judged(&again), Ok(()), "64, and 64 again");
        let more = masked(more);
        let too_many: Vec<&[u8]> = [&enough[..], &[&more, &more]].concat();
        assert_eq!(judged(&too_many).map_err(|(_, fault)| fault), Err(Fault::Fragments));
    }
}
