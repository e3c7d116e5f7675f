//! Attributes: types, raw view, and typed getters in one file per family.

mod address;
mod allocation;
mod credential;
mod discovery;
mod relaying;

use core::fmt;

pub use address::{Family, MappedAddress};
pub use allocation::EvenPort;

/// An attribute's 16-bit type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeType(pub u16);

impl AttributeType {
    /// Types below 0x8000 must be understood, or the message refused with 420 (RFC 8489 §14).
    #[must_use]
    pub const fn is_comprehension_required(self) -> bool {
        self.0 < 0x8000
    }
}

/// One table for constants, names and sources.
macro_rules! attribute_types {
    ($($name:ident = $value:literal, $text:literal, $source:literal;)*) => {
        impl AttributeType {
            $(#[doc = concat!($text, " (", $source, ").")] pub const $name: Self = Self($value);)*

            /// The name the RFC gives, if it is one we know.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some($text),)* _ => None }
            }
        }
    };
}

attribute_types! {
    MAPPED_ADDRESS = 0x0001, "MAPPED-ADDRESS", "RFC 8489 §14.1";
    RESPONSE_ADDRESS = 0x0002, "RESPONSE-ADDRESS", "RFC 3489, withdrawn";
    CHANGE_REQUEST = 0x0003, "CHANGE-REQUEST", "RFC 5780 §7.2";
    SOURCE_ADDRESS = 0x0004, "SOURCE-ADDRESS", "RFC 3489, withdrawn";
    CHANGED_ADDRESS = 0x0005, "CHANGED-ADDRESS", "RFC 3489, withdrawn";
    USERNAME = 0x0006, "USERNAME", "RFC 8489 §14.3";
    MESSAGE_INTEGRITY = 0x0008, "MESSAGE-INTEGRITY", "RFC 8489 §14.5";
    ERROR_CODE = 0x0009, "ERROR-CODE", "RFC 8489 §14.8";
    UNKNOWN_ATTRIBUTES = 0x000a, "UNKNOWN-ATTRIBUTES", "RFC 8489 §14.13";
    CHANNEL_NUMBER = 0x000c, "CHANNEL-NUMBER", "RFC 8656 §18.1";
    LIFETIME = 0x000d, "LIFETIME", "RFC 8656 §18.2";
    XOR_PEER_ADDRESS = 0x0012, "XOR-PEER-ADDRESS", "RFC 8656 §18.3";
    DATA = 0x0013, "DATA", "RFC 8656 §18.4";
    REALM = 0x0014, "REALM", "RFC 8489 §14.9";
    NONCE = 0x0015, "NONCE", "RFC 8489 §14.10";
    XOR_RELAYED_ADDRESS = 0x0016, "XOR-RELAYED-ADDRESS", "RFC 8656 §18.5";
    REQUESTED_ADDRESS_FAMILY = 0x0017, "REQUESTED-ADDRESS-FAMILY", "RFC 8656 §18.6";
    EVEN_PORT = 0x0018, "EVEN-PORT", "RFC 8656 §18.7";
    REQUESTED_TRANSPORT = 0x0019, "REQUESTED-TRANSPORT", "RFC 8656 §18.8";
    DONT_FRAGMENT = 0x001a, "DONT-FRAGMENT", "RFC 8656 §18.9";
    MESSAGE_INTEGRITY_SHA256 = 0x001c, "MESSAGE-INTEGRITY-SHA256", "RFC 8489 §14.6";
    PASSWORD_ALGORITHM = 0x001d, "PASSWORD-ALGORITHM", "RFC 8489 §14.12";
    USERHASH = 0x001e, "USERHASH", "RFC 8489 §14.4";
    XOR_MAPPED_ADDRESS = 0x0020, "XOR-MAPPED-ADDRESS", "RFC 8489 §14.2";
    RESERVATION_TOKEN = 0x0022, "RESERVATION-TOKEN", "RFC 8656 §18.10";
    PRIORITY = 0x0024, "PRIORITY", "RFC 8445 §7.1.1";
    USE_CANDIDATE = 0x0025, "USE-CANDIDATE", "RFC 8445 §7.1.2";
    PADDING = 0x0026, "PADDING", "RFC 5780 §7.6";
    RESPONSE_PORT = 0x0027, "RESPONSE-PORT", "RFC 5780 §7.5";
    CONNECTION_ID = 0x002a, "CONNECTION-ID", "RFC 6062 §6.2.1";
    ADDITIONAL_ADDRESS_FAMILY = 0x8000, "ADDITIONAL-ADDRESS-FAMILY", "RFC 8656 §18.11";
    ADDRESS_ERROR_CODE = 0x8001, "ADDRESS-ERROR-CODE", "RFC 8656 §18.12";
    PASSWORD_ALGORITHMS = 0x8002, "PASSWORD-ALGORITHMS", "RFC 8489 §14.11";
    ALTERNATE_DOMAIN = 0x8003, "ALTERNATE-DOMAIN", "RFC 8489 §14.16";
    ICMP = 0x8004, "ICMP", "RFC 8656 §18.13";
    SOFTWARE = 0x8022, "SOFTWARE", "RFC 8489 §14.14";
    ALTERNATE_SERVER = 0x8023, "ALTERNATE-SERVER", "RFC 8489 §14.15";
    FINGERPRINT = 0x8028, "FINGERPRINT", "RFC 8489 §14.7";
    RESPONSE_ORIGIN = 0x802b, "RESPONSE-ORIGIN", "RFC 5780 §7.3";
    OTHER_ADDRESS = 0x802c, "OTHER-ADDRESS", "RFC 5780 §7.4";
    MOBILITY_TICKET = 0x8030, "MOBILITY-TICKET", "RFC 8016 §4.1";
    DRAFT_ADDITIONAL_ADDRESS_FAMILY = 0x8032, "ADDITIONAL-ADDRESS-FAMILY", "drafts of RFC 8656; coturn's clients until 4.7";
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

/// An attribute as it lies in the message: type, value without padding, place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawAttribute<'a> {
    /// The type.
    pub kind: AttributeType,
    /// The value, without padding.
    pub value: &'a [u8],
    /// Offset of the attribute's type field from the start of the message.
    pub offset: usize,
}

impl<'a> RawAttribute<'a> {
    /// Reads the attribute at `offset` of a message whose lengths have been checked; `None` at the end.
    pub(crate) fn at(message: &'a [u8], offset: usize) -> Option<Self> {
        let header: &[u8; 4] = message.get(offset..)?.first_chunk()?;
        let kind = AttributeType(u16::from_be_bytes([header[0], header[1]]));
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let value = message.get(offset + 4..offset + 4 + length)?;
        Some(Self { kind, value, offset })
    }

    /// Offset of the next attribute.
    pub(crate) fn end(&self) -> usize {
        self.offset + 4 + self.value.len().next_multiple_of(4)
    }

    /// The value as an array of its only legal length.
    pub(crate) fn fixed<const N: usize>(&self) -> Result<&'a [u8; N], crate::AttributeError> {
        self.value.try_into().map_err(|_| crate::AttributeError::Length {
            kind: self.kind,
            expected: N,
            actual: self.value.len(),
        })
    }
}
