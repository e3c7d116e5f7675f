//! Cuts a TCP or TLS byte stream into STUN messages and ChannelData (RFC 8489 §6.2.2, RFC 8656 §12.5).

use crate::{ChannelData, HEADER_LEN, Kind, MAGIC_COOKIE};

/// What stands at the start of the bytes received so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// One whole frame.
    Complete {
        /// How it is framed.
        kind: Kind,
        /// Bytes of the message itself.
        len: usize,
        /// Bytes to take off the stream: ChannelData is padded to four bytes.
        advance: usize,
    },
    /// The frame goes on; at least this many bytes are needed in all to know more or to have it whole.
    Incomplete {
        /// Bytes needed from the start of the frame.
        needed: usize,
    },
    /// The stream is out of step or never was TURN: nothing after this can be trusted, close it.
    Broken,
}

/// Looks at the bytes received so far.
///
/// The two leading bits say how long a frame is, for reserved methods and channel numbers too: such a message is
/// dropped (RFC 8489 §6.3, RFC 8656 §12.6), the stream goes on.
#[must_use]
pub fn next_frame(bytes: &[u8]) -> Frame {
    let Some(&first) = bytes.first() else { return Frame::Incomplete { needed: ChannelData::HEADER_LEN } };
    let kind = match first >> 6 {
        0b00 => Kind::Stun,
        0b01 => Kind::ChannelData,
        _ => return Frame::Broken,
    };
    let Some(&[_, _, l0, l1]) = bytes.first_chunk() else {
        return Frame::Incomplete { needed: ChannelData::HEADER_LEN };
    };
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    let (len, advance) = match kind {
        Kind::Stun if length % 4 != 0 || !cookie_may_follow(bytes) => return Frame::Broken,
        Kind::Stun => (HEADER_LEN + length, HEADER_LEN + length),
        Kind::ChannelData => {
            let len = ChannelData::HEADER_LEN + length;
            (len, len.next_multiple_of(4))
        }
    };
    if bytes.len() < advance { Frame::Incomplete { needed: advance } } else { Frame::Complete { kind, len, advance } }
}

/// A stream whose "STUN" has no cookie is something else, and waiting for its claimed length would wait for ever.
fn cookie_may_follow(bytes: &[u8]) -> bool {
    let seen = &bytes[4..bytes.len().min(8)];
    MAGIC_COOKIE.to_be_bytes().starts_with(seen)
}
