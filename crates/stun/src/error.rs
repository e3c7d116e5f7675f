//! What can be wrong with bytes: expected and got.

use core::fmt;

use crate::AttributeType;

/// Why bytes are not a STUN message or not a ChannelData message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseError {
    /// Fewer bytes than the header or the length field asks for.
    Truncated {
        /// Bytes needed.
        expected: usize,
        /// Bytes present.
        actual: usize,
    },
    /// More bytes than the length field accounts for (a datagram holds exactly one message).
    Trailing {
        /// Bytes accounted for.
        expected: usize,
        /// Bytes present.
        actual: usize,
    },
    /// The first two bits are not zero.
    NotStun {
        /// The first byte.
        first_byte: u8,
    },
    /// The magic cookie of RFC 8489 §5 is absent.
    NoCookie {
        /// What stands in its place.
        found: u32,
    },
    /// The length field is not a multiple of four.
    UnalignedLength {
        /// The length field.
        length: usize,
    },
    /// An attribute's length runs past the end of the message.
    AttributeOverrun {
        /// The attribute.
        kind: AttributeType,
        /// Its claimed length.
        length: usize,
        /// Bytes left for its value.
        left: usize,
    },
    /// A channel number outside 0x4000 to 0x4FFF.
    ReservedChannel {
        /// The number.
        number: u16,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { expected, actual } => write!(f, "truncated: expected {expected} bytes, got {actual}"),
            Self::Trailing { expected, actual } => write!(f, "trailing bytes: expected {expected}, got {actual}"),
            Self::NotStun { first_byte } => {
                write!(f, "not STUN: expected two leading zero bits, got first byte {first_byte:#04x}")
            }
            Self::NoCookie { found } => write!(f, "expected magic cookie 0x2112a442, got {found:#010x}"),
            Self::UnalignedLength { length } => write!(f, "expected a length divisible by 4, got {length}"),
            Self::AttributeOverrun { kind, length, left } => {
                write!(f, "attribute {kind} claims {length} bytes, {left} are left")
            }
            Self::ReservedChannel { number } => {
                write!(f, "expected a channel number 0x4000 to 0x4fff, got {number:#06x}")
            }
        }
    }
}

impl core::error::Error for ParseError {}

/// Why an attribute's value does not mean what its type says. A server answers 400 (Bad Request).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeError {
    /// The value's length does not fit the attribute.
    Length {
        /// The attribute.
        kind: AttributeType,
        /// Bytes its definition asks for.
        expected: usize,
        /// Bytes present.
        actual: usize,
    },
    /// An address family other than 0x01 (IPv4) and 0x02 (IPv6).
    Family {
        /// The attribute.
        kind: AttributeType,
        /// The family byte.
        family: u8,
    },
    /// A value that the definition forbids.
    Value {
        /// The attribute.
        kind: AttributeType,
    },
}

impl fmt::Display for AttributeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Length { kind, expected, actual } => write!(f, "{kind}: expected {expected} bytes, got {actual}"),
            Self::Family { kind, family } => write!(f, "{kind}: expected address family 1 or 2, got {family}"),
            Self::Value { kind } => write!(f, "{kind}: value not allowed"),
        }
    }
}

impl core::error::Error for AttributeError {}

/// The caller's buffer was too small for the message, or the message longer than its length field can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteError {
    /// Bytes the message would have needed so far.
    pub needed: usize,
    /// Bytes the buffer has.
    pub capacity: usize,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message needs at least {} bytes, the buffer has {}", self.needed, self.capacity)
    }
}

impl core::error::Error for WriteError {}
