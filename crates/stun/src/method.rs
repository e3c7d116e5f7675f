//! Method and class, and their interleaved bits (RFC 8489 §5).
//!
//! ```text
//!   0                 1
//!   2  3  4 5 6 7 8 9 0 1 2 3 4 5
//!  +--+--+-+-+-+-+-+-+-+-+-+-+-+-+
//!  |M |M |M|M|M|C|M|M|M|C|M|M|M|M|
//!  |11|10|9|8|7|1|6|5|4|0|3|2|1|0|
//!  +--+--+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

/// What a message is about: Binding, Allocate, ... (12 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Method(pub u16);

impl Method {
    /// Binding (RFC 8489 §3).
    pub const BINDING: Self = Self(0x001);
    /// Allocate (RFC 8656 §7).
    pub const ALLOCATE: Self = Self(0x003);
    /// Refresh (RFC 8656 §8).
    pub const REFRESH: Self = Self(0x004);
    /// Send, an indication (RFC 8656 §11).
    pub const SEND: Self = Self(0x006);
    /// Data, an indication (RFC 8656 §11).
    pub const DATA: Self = Self(0x007);
    /// CreatePermission (RFC 8656 §10).
    pub const CREATE_PERMISSION: Self = Self(0x008);
    /// ChannelBind (RFC 8656 §12).
    pub const CHANNEL_BIND: Self = Self(0x009);
    /// Connect (RFC 6062 §4.3).
    pub const CONNECT: Self = Self(0x00a);
    /// ConnectionBind (RFC 6062 §4.4).
    pub const CONNECTION_BIND: Self = Self(0x00b);
    /// ConnectionAttempt, an indication (RFC 6062 §5.3).
    pub const CONNECTION_ATTEMPT: Self = Self(0x00c);
}

/// Who speaks: request, indication, success response, error response (2 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Wants an answer.
    Request,
    /// Wants none and gets none.
    Indication,
    /// The answer yes.
    Success,
    /// The answer no.
    Error,
}

/// Method and class as the header's first 16 bits carry them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageType {
    /// The method.
    pub method: Method,
    /// The class.
    pub class: Class,
}

impl MessageType {
    /// Joins a method and a class.
    #[must_use]
    pub const fn new(method: Method, class: Class) -> Self {
        Self { method, class }
    }

    /// Reads the header's first 16 bits; the two leading bits are not looked at.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        let class = match (bits >> 7 & 0b10) | (bits >> 4 & 0b01) {
            0b00 => Class::Request,
            0b01 => Class::Indication,
            0b10 => Class::Success,
            _ => Class::Error,
        };
        let method = (bits & 0x000f) | (bits >> 1 & 0x0070) | (bits >> 2 & 0x0f80);
        Self { method: Method(method), class }
    }

    /// The header's first 16 bits.
    #[must_use]
    pub const fn to_bits(self) -> u16 {
        let class: u16 = match self.class {
            Class::Request => 0x0000,
            Class::Indication => 0x0010,
            Class::Success => 0x0100,
            Class::Error => 0x0110,
        };
        let Method(m) = self.method;
        (m & 0x000f) | (m & 0x0070) << 1 | (m & 0x0f80) << 2 | class
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_survives_its_bits() {
        for bits in 0..0x4000u16 {
            assert_eq!(MessageType::from_bits(bits).to_bits(), bits);
        }
    }

    #[test]
    fn the_types_of_the_rfc_have_their_numbers() {
        assert_eq!(MessageType::new(Method::BINDING, Class::Request).to_bits(), 0x0001);
        assert_eq!(MessageType::new(Method::BINDING, Class::Success).to_bits(), 0x0101);
        assert_eq!(MessageType::new(Method::ALLOCATE, Class::Error).to_bits(), 0x0113);
        assert_eq!(MessageType::new(Method::SEND, Class::Indication).to_bits(), 0x0016);
        assert_eq!(MessageType::new(Method::CONNECTION_ATTEMPT, Class::Indication).to_bits(), 0x001c);
    }
}
