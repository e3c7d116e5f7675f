//! [`Message`]: a checked view of one STUN message.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0|     message type          |         length (without header)|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         magic cookie                          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  transaction ID (96 bits)                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::attribute::{AttributeType, RawAttribute};
use crate::{Class, MessageType, Method, ParseError};

/// Bytes before the first attribute.
pub const HEADER_LEN: usize = 20;

/// Bytes 4 to 8 of every message since RFC 5389.
pub const MAGIC_COOKIE: u32 = 0x2112_a442;

/// 96 random bits that tie an answer to its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// A STUN message whose header and attribute lengths have been checked; borrows the caller's bytes.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Checks `bytes` as exactly one message of RFC 8489.
    ///
    /// # Errors
    /// [`ParseError`] tells which length, bit or cookie is wrong. Such bytes are dropped, never answered
    /// (RFC 8489 §6.3).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let message = Self::parse_any_cookie(bytes)?;
        match message.cookie() {
            MAGIC_COOKIE => Ok(message),
            found => Err(ParseError::NoCookie { found }),
        }
    }

    /// Like [`Self::parse`], but also accepts the 128-bit transaction ID of RFC 3489, which has no cookie.
    ///
    /// # Errors
    /// As [`Self::parse`], without [`ParseError::NoCookie`].
    pub fn parse_any_cookie(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let Some(header) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(ParseError::Truncated { expected: HEADER_LEN, actual: bytes.len() });
        };
        if header[0] & 0xc0 != 0 {
            return Err(ParseError::NotStun { first_byte: header[0] });
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let expected = HEADER_LEN + length;
        if length % 4 != 0 {
            return Err(ParseError::UnalignedLength { length });
        }
        if bytes.len() < expected {
            return Err(ParseError::Truncated { expected, actual: bytes.len() });
        }
        if bytes.len() > expected {
            return Err(ParseError::Trailing { expected, actual: bytes.len() });
        }
        check_attributes(&bytes[HEADER_LEN..])?;
        Ok(Self { bytes })
    }

    /// Method and class.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        MessageType::from_bits(u16::from_be_bytes([self.bytes[0], self.bytes[1]]))
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.message_type().method
    }

    /// The class.
    #[must_use]
    pub fn class(&self) -> Class {
        self.message_type().class
    }

    /// Bytes 4 to 8: [`MAGIC_COOKIE`] unless an RFC 3489 client speaks.
    #[must_use]
    pub fn cookie(&self) -> u32 {
        let b = self.bytes;
        u32::from_be_bytes([b[4], b[5], b[6], b[7]])
    }

    /// The 96-bit transaction ID.
    #[must_use]
    pub fn transaction_id(&self) -> TransactionId {
        let mut id = [0; 12];
        id.copy_from_slice(&self.bytes[8..HEADER_LEN]);
        TransactionId(id)
    }

    /// The whole message as received.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The attributes that count, in their order on the wire.
    ///
    /// What stands behind MESSAGE-INTEGRITY is ignored, but for MESSAGE-INTEGRITY-SHA256 and FINGERPRINT; behind
    /// MESSAGE-INTEGRITY-SHA256 only FINGERPRINT counts; behind FINGERPRINT nothing does (RFC 8489 §14.5-14.7).
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes { bytes: self.bytes, offset: HEADER_LEN, seen: Seen::Nothing }
    }

    /// The first attribute of a type; later ones of the same type are ignored (RFC 8489 §14).
    #[must_use]
    pub fn attribute(&self, kind: AttributeType) -> Option<&'a [u8]> {
        self.find(kind).map(|a| a.value)
    }

    /// As [`Self::attribute`], with the attribute's place in the message.
    #[must_use]
    pub fn find(&self, kind: AttributeType) -> Option<RawAttribute<'a>> {
        self.attributes().find(|a| a.kind == kind)
    }

    /// Comprehension-required attributes for which `known` says no: the list of a 420 answer (RFC 8489 §6.3.1).
    pub fn unknown_attributes(&self, known: fn(AttributeType) -> bool) -> impl Iterator<Item = AttributeType> + 'a {
        self.attributes().map(|a| a.kind).filter(move |&k| k.is_comprehension_required() && !known(k))
    }
}

/// Which of the closing attributes has been passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Nothing,
    Integrity,
    IntegritySha256,
    Fingerprint,
}

/// Iterator of [`Message::attributes`].
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    bytes: &'a [u8],
    offset: usize,
    seen: Seen,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = RawAttribute<'a>;

    fn next(&mut self) -> Option<RawAttribute<'a>> {
        loop {
            let attribute = RawAttribute::at(self.bytes, self.offset)?;
            self.offset = attribute.end();
            let now = match attribute.kind {
                AttributeType::MESSAGE_INTEGRITY => Seen::Integrity,
                AttributeType::MESSAGE_INTEGRITY_SHA256 => Seen::IntegritySha256,
                AttributeType::FINGERPRINT => Seen::Fingerprint,
                _ => Seen::Nothing,
            };
            // An ordinary attribute counts before any closing one; a closing one must come later in their order.
            if now > self.seen || self.seen == Seen::Nothing {
                self.seen = self.seen.max(now);
                return Some(attribute);
            }
        }
    }
}

/// Proves that every attribute's value and padding lie inside `attributes`.
fn check_attributes(mut attributes: &[u8]) -> Result<(), ParseError> {
    while !attributes.is_empty() {
        // The total is a multiple of four and so is every step, hence at least four bytes are left here.
        let kind = AttributeType(u16::from_be_bytes([attributes[0], attributes[1]]));
        let length = usize::from(u16::from_be_bytes([attributes[2], attributes[3]]));
        let left = attributes.len() - 4;
        let padded = length.next_multiple_of(4);
        if padded > left {
            return Err(ParseError::AttributeOverrun { kind, length, left });
        }
        attributes = &attributes[4 + padded..];
    }
    Ok(())
}
