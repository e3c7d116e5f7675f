//! ChannelData: four bytes and a payload (RFC 8656 §12.4).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |    channel number 0x4000-0x4FFF |   length (without padding)  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  application data; over TCP and TLS padded to four bytes      |
//! ```

use core::ops::Range;

use crate::ParseError;

/// A channel number in the range that RFC 8656 §12 leaves: 0x4000 to 0x4FFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelNumber(u16);

impl ChannelNumber {
    /// The lowest.
    pub const MIN: u16 = 0x4000;
    /// The highest.
    pub const MAX: u16 = 0x4fff;

    /// Accepts a number in range.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number >= Self::MIN && number <= Self::MAX { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// A ChannelData message's header, checked against the bytes that carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelData {
    /// The channel.
    pub number: ChannelNumber,
    /// Bytes of application data.
    pub len: usize,
}

impl ChannelData {
    /// Bytes before the application data.
    pub const HEADER_LEN: usize = 4;

    /// Reads the header of a datagram or of one whole frame. Bytes behind the application data are padding.
    ///
    /// # Errors
    /// The number is out of range, or fewer bytes are present than the length field says: drop it
    /// (RFC 8656 §12.6).
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let Some(&[n0, n1, l0, l1]) = bytes.first_chunk() else {
            return Err(ParseError::Truncated { expected: Self::HEADER_LEN, actual: bytes.len() });
        };
        let number = u16::from_be_bytes([n0, n1]);
        let Some(number) = ChannelNumber::new(number) else { return Err(ParseError::ReservedChannel { number }) };
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let expected = Self::HEADER_LEN + len;
        if bytes.len() < expected {
            return Err(ParseError::Truncated { expected, actual: bytes.len() });
        }
        Ok(Self { number, len })
    }

    /// The header for a payload; `None` when the payload is longer than the length field can say.
    #[must_use]
    pub fn header(number: ChannelNumber, payload_len: usize) -> Option<[u8; Self::HEADER_LEN]> {
        let [n0, n1] = number.0.to_be_bytes();
        let [l0, l1] = u16::try_from(payload_len).ok()?.to_be_bytes();
        Some([n0, n1, l0, l1])
    }

    /// Where the application data lies in the bytes that were parsed.
    #[must_use]
    pub const fn payload(&self) -> Range<usize> {
        Self::HEADER_LEN..Self::HEADER_LEN + self.len
    }
}
