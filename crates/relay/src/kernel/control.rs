//! Control messages (`cmsg(3)`): what the kernel tells beside a datagram, and what it is told.
//!
//! ```text
//! | length (usize) | level (i32) | type (i32) | value ... | padding to the next usize |
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const ALIGN: usize = size_of::<usize>();
const HEADER: usize = size_of::<libc::cmsghdr>();

/// Room for every control message that we ask for or send: an IPv6 packet info, a segment size, a drop count, an error.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Control {
    bytes: [u8; Self::CAPACITY],
    len: usize,
}

/// What came beside a datagram.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Size of the segments that the kernel joined (UDP_GRO); 0 when it joined none.
    pub(crate) segment: u16,
    /// The local address that it was sent to (IP_PKTINFO, IPV6_PKTINFO).
    pub(crate) local: Option<IpAddr>,
    /// Datagrams that this socket's full buffer has cost so far (SO_RXQ_OVFL).
    pub(crate) overflow: Option<u32>,
}

impl Control {
    pub(crate) const CAPACITY: usize = 128;

    pub(crate) const fn new() -> Self {
        Self { bytes: [0; Self::CAPACITY], len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// Cut this one datagram into segments of `size` bytes (UDP_SEGMENT).
    pub(crate) fn segment(&mut self, size: u16) {
        self.push(libc::SOL_UDP, libc::UDP_SEGMENT, &size.to_ne_bytes());
    }

    /// Send from this local address.
    pub(crate) fn from(&mut self, local: IpAddr) {
        match local {
            IpAddr::V4(ip) => {
                // in_pktinfo: interface index, source address, (destination, not used when sending).
                let mut value = [0; size_of::<libc::in_pktinfo>()];
                value[4..8].copy_from_slice(&ip.octets());
                self.push(libc::IPPROTO_IP, libc::IP_PKTINFO, &value);
            }
            IpAddr::V6(ip) => {
                // in6_pktinfo: address, interface index; the destination's scope chooses the interface.
                let mut value = [0; size_of::<libc::in6_pktinfo>()];
                value[..16].copy_from_slice(&ip.octets());
                self.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &value);
            }
        }
    }

    fn push(&mut self, level: i32, kind: i32, value: &[u8]) {
        let length = HEADER + value.len();
        let room = &mut self.bytes[self.len..][..length.next_multiple_of(ALIGN)];
        room.fill(0);
        room[..ALIGN].copy_from_slice(&length.to_ne_bytes());
        room[ALIGN..ALIGN + 4].copy_from_slice(&level.to_ne_bytes());
        room[ALIGN + 4..HEADER].copy_from_slice(&kind.to_ne_bytes());
        room[HEADER..length].copy_from_slice(value);
        self.len += room.len();
    }

    /// Reads the first `len` bytes as the kernel wrote them.
    pub(crate) fn read(&self, len: usize) -> Told {
        let mut told = Told::default();
        for (level, kind, value) in self.messages(len) {
            told.note(level, kind, value);
        }
        told
    }

    /// Level, type and value of each control message in the first `len` bytes.
    pub(crate) fn messages(&self, len: usize) -> impl Iterator<Item = (i32, i32, &[u8])> {
        let mut rest = &self.bytes[..len.min(Self::CAPACITY)];
        std::iter::from_fn(move || {
            let header = rest.get(..HEADER)?;
            let length = usize::from_ne_bytes(header[..ALIGN].try_into().unwrap_or_default());
            let value = rest.get(HEADER..length)?;
            rest = rest.get(length.next_multiple_of(ALIGN)..).unwrap_or_default();
            Some((int(&header[ALIGN..]), int(&header[ALIGN + 4..]), value))
        })
    }
}

impl Told {
    fn note(&mut self, level: i32, kind: i32, value: &[u8]) {
        match (level, kind) {
            (libc::SOL_UDP, libc::UDP_GRO) => self.segment = u16::try_from(int(value)).unwrap_or(0),
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => self.overflow = Some(int(value).cast_unsigned()),
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                // The second address is the local one that a reply should come from, even for a broadcast.
                let ip: Option<[u8; 4]> = value.get(4..8).and_then(|v| v.try_into().ok());
                self.local = ip.map(|ip| Ipv4Addr::from(ip).into());
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                let ip: Option<[u8; 16]> = value.get(..16).and_then(|v| v.try_into().ok());
                self.local = ip.map(|ip| Ipv6Addr::from(ip).into());
            }
            _ => {}
        }
    }
}

fn int(bytes: &[u8]) -> i32 {
    bytes.first_chunk().map_or(0, |b| i32::from_ne_bytes(*b))
}
