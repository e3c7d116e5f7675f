//! The first byte decides: STUN, ChannelData, or not ours (RFC 8656 §12, RFC 7983 §7).

/// What a datagram or frame claims to be by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// First byte 0 to 3: the two leading zero bits of every STUN message.
    Stun,
    /// First byte 64 to 79: a channel number 0x4000 to 0x4FFF.
    ChannelData,
}

/// Reads the kind from the first byte; `None` is traffic that a TURN server must drop without an answer.
#[must_use]
pub const fn kind(first_byte: u8) -> Option<Kind> {
    match first_byte {
        0..=3 => Some(Kind::Stun),
        64..=79 => Some(Kind::ChannelData),
        _ => None,
    }
}
