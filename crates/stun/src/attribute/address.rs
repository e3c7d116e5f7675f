//! Addresses: MAPPED-ADDRESS and every XOR-…-ADDRESS (RFC 8489 §14.1-14.2, RFC 8656 §18).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0 0 0 0 0 0 0|    family     |  port, XORed with the cookie's |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+  upper half                   |
//! |  address: IPv4 XORed with the cookie,                         |
//! |  IPv6 with cookie and transaction ID                          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{AttributeType, RawAttribute};
use crate::{AttributeError, MAGIC_COOKIE, Message, TransactionId};

/// An address family as TURN writes it (RFC 8656 §18.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// 0x01
    V4,
    /// 0x02
    V6,
}

impl Family {
    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::V4 => 1,
            Self::V6 => 2,
        }
    }

    /// Reads the byte on the wire.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::V4),
            2 => Some(Self::V6),
            _ => None,
        }
    }
}

/// An address attribute ready to be written: at most 20 bytes.
#[derive(Debug, Clone, Copy)]
pub struct MappedAddress {
    bytes: [u8; 20],
    len: usize,
}

impl MappedAddress {
    /// As MAPPED-ADDRESS, OTHER-ADDRESS, RESPONSE-ORIGIN and ALTERNATE-SERVER carry it.
    #[must_use]
    pub fn plain(address: SocketAddr) -> Self {
        let mut bytes = [0; 20];
        bytes[1] = Family::of(address.ip()).to_byte();
        bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        let len = match address.ip() {
            IpAddr::V4(ip) => {
                bytes[4..8].copy_from_slice(&ip.octets());
                8
            }
            IpAddr::V6(ip) => {
                bytes[4..20].copy_from_slice(&ip.octets());
                20
            }
        };
        Self { bytes, len }
    }

    /// As the XOR-… attributes carry it.
    #[must_use]
    pub fn xored(address: SocketAddr, id: TransactionId) -> Self {
        let mut this = Self::plain(address);
        mask(&mut this.bytes, id);
        this
    }

    /// The attribute's value.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Message<'_> {
    /// XOR-PEER-ADDRESS, the first one.
    ///
    /// # Errors
    /// The value's length does not fit its family, or the family is unknown.
    pub fn xor_peer_address(&self) -> Result<Option<SocketAddr>, AttributeError> {
        self.xor_address(AttributeType::XOR_PEER_ADDRESS)
    }

    /// Every XOR-PEER-ADDRESS, as CreatePermission may carry several (RFC 8656 §10.1).
    pub fn xor_peer_addresses(&self) -> impl Iterator<Item = Result<SocketAddr, AttributeError>> {
        let id = self.transaction_id();
        self.attributes().filter(|a| a.kind == AttributeType::XOR_PEER_ADDRESS).map(move |a| read_xored(a, id))
    }

    /// Any attribute that has the XOR form.
    ///
    /// # Errors
    /// The value's length does not fit its family, or the family is unknown.
    pub fn xor_address(&self, kind: AttributeType) -> Result<Option<SocketAddr>, AttributeError> {
        self.find(kind).map(|a| read_xored(a, self.transaction_id())).transpose()
    }

    /// Any attribute that has the plain form.
    ///
    /// # Errors
    /// The value's length does not fit its family, or the family is unknown.
    pub fn plain_address(&self, kind: AttributeType) -> Result<Option<SocketAddr>, AttributeError> {
        self.find(kind).map(read_plain).transpose()
    }
}

fn read_xored(attribute: RawAttribute<'_>, id: TransactionId) -> Result<SocketAddr, AttributeError> {
    let len = checked_len(attribute)?;
    let mut bytes = [0; 20];
    bytes[..len].copy_from_slice(attribute.value);
    mask(&mut bytes, id);
    Ok(decode(&bytes, len))
}

fn read_plain(attribute: RawAttribute<'_>) -> Result<SocketAddr, AttributeError> {
    let len = checked_len(attribute)?;
    let mut bytes = [0; 20];
    bytes[..len].copy_from_slice(attribute.value);
    Ok(decode(&bytes, len))
}

/// The family byte and the length must agree before anything else is believed.
fn checked_len(attribute: RawAttribute<'_>) -> Result<usize, AttributeError> {
    let (kind, actual) = (attribute.kind, attribute.value.len());
    let Some(&family) = attribute.value.get(1) else {
        return Err(AttributeError::Length { kind, expected: 8, actual });
    };
    let expected = match Family::from_byte(family) {
        Some(Family::V4) => 8,
        Some(Family::V6) => 20,
        None => return Err(AttributeError::Family { kind, family }),
    };
    if actual != expected {
        return Err(AttributeError::Length { kind, expected, actual });
    }
    Ok(expected)
}

fn decode(bytes: &[u8; 20], len: usize) -> SocketAddr {
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    let ip = if len == 8 {
        Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7]).into()
    } else {
        let mut octets = [0; 16];
        octets.copy_from_slice(&bytes[4..20]);
        Ipv6Addr::from(octets).into()
    };
    SocketAddr::new(ip, port)
}

/// XOR with cookie and transaction ID; the mask beyond an IPv4 address falls on bytes that nobody reads.
fn mask(bytes: &mut [u8; 20], id: TransactionId) {
    let cookie = MAGIC_COOKIE.to_be_bytes();
    bytes[2] ^= cookie[0];
    bytes[3] ^= cookie[1];
    for (byte, key) in bytes[4..].iter_mut().zip(cookie.iter().chain(&id.0)) {
        *byte ^= key;
    }
}
