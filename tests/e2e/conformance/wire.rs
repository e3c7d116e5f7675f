//! STUN as an outsider writes and reads it: raw bytes, so that they can also be wrong. No code of the server's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

pub(crate) const BINDING: u16 = 0x0001;
pub(crate) const ALLOCATE: u16 = 0x0003;
pub(crate) const REFRESH: u16 = 0x0004;
pub(crate) const CREATE_PERMISSION: u16 = 0x0008;
pub(crate) const CHANNEL_BIND: u16 = 0x0009;
pub(crate) const SEND: u16 = 0x0016;
pub(crate) const DATA_INDICATION: u16 = 0x0017;

pub(crate) const MAPPED_ADDRESS: u16 = 0x0001;
pub(crate) const USERNAME: u16 = 0x0006;
pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
pub(crate) const ERROR_CODE: u16 = 0x0009;
pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
pub(crate) const CHANNEL_NUMBER: u16 = 0x000c;
pub(crate) const LIFETIME: u16 = 0x000d;
pub(crate) const XOR_PEER_ADDRESS: u16 = 0x0012;
pub(crate) const DATA: u16 = 0x0013;
pub(crate) const REALM: u16 = 0x0014;
pub(crate) const NONCE: u16 = 0x0015;
pub(crate) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
pub(crate) const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
pub(crate) const EVEN_PORT: u16 = 0x0018;
pub(crate) const REQUESTED_TRANSPORT: u16 = 0x0019;
pub(crate) const DONT_FRAGMENT: u16 = 0x001a;
pub(crate) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
pub(crate) const PASSWORD_ALGORITHM: u16 = 0x001d;
pub(crate) const USERHASH: u16 = 0x001e;
pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
pub(crate) const RESERVATION_TOKEN: u16 = 0x0022;
pub(crate) const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
pub(crate) const ADDRESS_ERROR_CODE: u16 = 0x8001;
pub(crate) const PASSWORD_ALGORITHMS: u16 = 0x8002;
pub(crate) const SOFTWARE: u16 = 0x8022;
pub(crate) const FINGERPRINT: u16 = 0x8028;

pub(crate) const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY.
pub(crate) const IPV4: [u8; 4] = [1, 0, 0, 0];
pub(crate) const IPV6: [u8; 4] = [2, 0, 0, 0];

/// PASSWORD-ALGORITHM.
pub(crate) const MD5: [u8; 4] = [0, 1, 0, 0];
pub(crate) const SHA256: [u8; 4] = [0, 2, 0, 0];

/// A message in the making: attributes go where they are put, in whatever order.
#[derive(Debug, Clone)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// With the magic cookie and a random transaction ID.
    pub(crate) fn new(kind: u16) -> Self {
        let mut bytes = kind.to_be_bytes().to_vec();
        bytes.extend([0, 0]);
        bytes.extend(COOKIE);
        bytes.extend(rand::random::<[u8; 12]>());
        Self(bytes)
    }

    pub(crate) fn id(&self) -> [u8; 12] {
        self.0[8..20].try_into().expect("12 bytes")
    }

    pub(crate) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        self.put(kind, value);
        let length = (self.0.len() - 20) as u16;
        self.0[2..4].copy_from_slice(&length.to_be_bytes());
        self
    }

    /// REQUESTED-TRANSPORT UDP.
    pub(crate) fn udp(self) -> Self {
        self.with(REQUESTED_TRANSPORT, &[17, 0, 0, 0])
    }

    pub(crate) fn lifetime(self, seconds: u32) -> Self {
        self.with(LIFETIME, &seconds.to_be_bytes())
    }

    pub(crate) fn peer(self, peer: SocketAddr) -> Self {
        let value = xored(peer, self.id());
        self.with(XOR_PEER_ADDRESS, &value)
    }

    pub(crate) fn channel(self, number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        self.with(CHANNEL_NUMBER, &[high, low, 0, 0])
    }

    pub(crate) fn integrity(self, key: &[u8]) -> Self {
        let mac = mac::<Hmac<Sha1>>(key, &self.covered(24));
        self.with(MESSAGE_INTEGRITY, &mac)
    }

    pub(crate) fn integrity_sha256(self, key: &[u8]) -> Self {
        let mac = mac::<Hmac<Sha256>>(key, &self.covered(36));
        self.with(MESSAGE_INTEGRITY_SHA256, &mac)
    }

    pub(crate) fn fingerprint(self) -> Self {
        let crc = crc32fast::hash(&self.covered(8)) ^ 0x5354_554e;
        self.with(FINGERPRINT, &crc.to_be_bytes())
    }

    /// The bytes, to be sent or to be spoiled first.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn put(&mut self, kind: u16, value: &[u8]) {
        self.0.extend(kind.to_be_bytes());
        self.0.extend((value.len() as u16).to_be_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// What a closing attribute of `len` bytes in all is computed over.
    fn covered(&self, len: usize) -> Vec<u8> {
        covered(&self.0, len)
    }
}

fn covered(before: &[u8], len: usize) -> Vec<u8> {
    let mut bytes = before.to_vec();
    let length = (bytes.len() + len - 20) as u16;
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

fn mac<M: Mac + KeyInit>(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

/// The long-term keys.
pub(crate) fn md5_key(username: &str, realm: &str, password: &str) -> Vec<u8> {
    Md5::digest(format!("{username}:{realm}:{password}")).to_vec()
}

pub(crate) fn sha256_key(username: &str, realm: &str, password: &str) -> Vec<u8> {
    Sha256::digest(format!("{username}:{realm}:{password}")).to_vec()
}

pub(crate) fn userhash(username: &str, realm: &str) -> Vec<u8> {
    Sha256::digest(format!("{username}:{realm}")).to_vec()
}

/// A value of the XOR-…-ADDRESS attributes.
pub(crate) fn xored(address: SocketAddr, id: [u8; 12]) -> Vec<u8> {
    let (family, octets) = match address.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let port = address.port() ^ 0x2112;
    let mask = COOKIE.iter().chain(&id);
    let masked = octets.iter().zip(mask).map(|(octet, mask)| octet ^ mask);
    [0, family].into_iter().chain(port.to_be_bytes()).chain(masked).collect()
}

/// A ChannelData message, without the padding of streams.
pub(crate) fn channel_data(number: u16, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u16;
    [&number.to_be_bytes()[..], &length.to_be_bytes(), payload].concat()
}

/// A message of the server's, taken apart. Whatever is not well formed panics.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) kind: u16,
    /// Type, value, place of the attribute in the message.
    attributes: Vec<(u16, Vec<u8>, usize)>,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 20 && bytes.len().is_multiple_of(4), "no STUN message: {bytes:02x?}");
        let number = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        assert_eq!(number(2), bytes.len() - 20, "the length field: {bytes:02x?}");
        let (mut at, mut attributes) = (20, Vec::new());
        while at < bytes.len() {
            let (kind, len) = (number(at) as u16, number(at + 2));
            let end = at + 4 + len;
            assert!(bytes[end..end.next_multiple_of(4)].iter().all(|&b| b == 0), "padding shows memory: {bytes:02x?}");
            attributes.push((kind, bytes[at + 4..end].to_vec(), at));
            at = end.next_multiple_of(4);
        }
        Self { bytes: bytes.to_vec(), kind: number(0) as u16, attributes }
    }

    pub(crate) fn id(&self) -> [u8; 12] {
        self.bytes[8..20].try_into().expect("12 bytes")
    }

    pub(crate) fn get(&self, kind: u16) -> Option<&[u8]> {
        self.attributes.iter().find(|a| a.0 == kind).map(|a| &a.1[..])
    }

    pub(crate) fn all(&self, kind: u16) -> Vec<&[u8]> {
        self.attributes.iter().filter(|a| a.0 == kind).map(|a| &a.1[..]).collect()
    }

    pub(crate) fn kinds(&self) -> Vec<u16> {
        self.attributes.iter().map(|a| a.0).collect()
    }

    pub(crate) fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(kind)?.try_into().expect("4 bytes")))
    }

    /// The code of an error response; `None` for a success.
    pub(crate) fn code(&self) -> Option<u16> {
        let value = self.get(ERROR_CODE)?;
        assert_eq!(value[..2], [0, 0], "the reserved bits of ERROR-CODE");
        Some(u16::from(value[2]) * 100 + u16::from(value[3]))
    }

    /// An address in its XOR form.
    pub(crate) fn address(&self, kind: u16) -> Option<SocketAddr> {
        self.get(kind).map(|value| unxored(value, self.id()))
    }

    pub(crate) fn addresses(&self, kind: u16) -> Vec<SocketAddr> {
        self.all(kind).into_iter().map(|value| unxored(value, self.id())).collect()
    }

    /// Which integrity attribute it carries, after the MAC was found right.
    pub(crate) fn signed_by(&self, key: &[u8]) -> Option<u16> {
        let of = |kind: u16| self.attributes.iter().find(|a| a.0 == kind);
        let check = |kind: u16, expected: fn(&[u8], &[u8]) -> Vec<u8>| {
            let (kind, value, at) = of(kind)?;
            assert_eq!(*value, expected(key, &covered(&self.bytes[..*at], 4 + value.len())), "the answer's MAC");
            Some(*kind)
        };
        let sha256 = check(MESSAGE_INTEGRITY_SHA256, mac::<Hmac<Sha256>>);
        let sha1 = check(MESSAGE_INTEGRITY, mac::<Hmac<Sha1>>);
        sha256.or(sha1)
    }

    /// Whether it ends with a FINGERPRINT, whose CRC must be right.
    pub(crate) fn has_fingerprint(&self) -> bool {
        let Some((kind, value, at)) = self.attributes.last() else { return false };
        if *kind != FINGERPRINT {
            return false;
        }
        let crc = crc32fast::hash(&self.bytes[..*at]) ^ 0x5354_554e;
        assert_eq!(*value, crc.to_be_bytes(), "the answer's CRC");
        true
    }
}

fn unxored(value: &[u8], id: [u8; 12]) -> SocketAddr {
    let port = u16::from_be_bytes([value[2], value[3]]) ^ 0x2112;
    let octets: Vec<u8> = value[4..].iter().zip(COOKIE.iter().chain(&id)).map(|(byte, mask)| byte ^ mask).collect();
    let ip = match value[1] {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(octets).expect("4 bytes")).into(),
        2 => Ipv6Addr::from(<[u8; 16]>::try_from(octets).expect("16 bytes")).into(),
        family => panic!("address family {family}"),
    };
    SocketAddr::new(ip, port)
}
