//! Socket addresses as the kernel writes them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Room for an IPv4 or an IPv6 socket address: 28 bytes where `sockaddr_storage` has 128.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) union RawAddress {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl RawAddress {
    /// How many bytes the kernel may write.
    pub(crate) const CAPACITY: libc::socklen_t = size_of::<Self>() as libc::socklen_t;

    /// Empty.
    pub(crate) fn unspecified() -> Self {
        // SAFETY: both variants are plain numbers, for which zero bytes are a value.
        unsafe { std::mem::zeroed() }
    }

    /// The address in the kernel's form, and its length.
    pub(crate) fn new(address: SocketAddr) -> (Self, libc::socklen_t) {
        let mut raw = Self::unspecified();
        let len = match address {
            SocketAddr::V4(a) => {
                raw.v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: a.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from(*a.ip()).to_be() },
                    sin_zero: [0; 8],
                };
                size_of::<libc::sockaddr_in>()
            }
            SocketAddr::V6(a) => {
                raw.v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: a.port().to_be(),
                    sin6_flowinfo: 0,
                    sin6_addr: libc::in6_addr { s6_addr: a.ip().octets() },
                    sin6_scope_id: a.scope_id(),
                };
                size_of::<libc::sockaddr_in6>()
            }
        };
        (raw, len as libc::socklen_t)
    }

    /// What the kernel wrote, canonical: an IPv4 address in IPv6 clothes becomes IPv4, a flow label is not kept.
    pub(crate) fn get(&self) -> Option<SocketAddr> {
        // SAFETY: both variants begin with the family, and all 28 bytes are initialised (`unspecified`).
        match i32::from(unsafe { self.v4.sin_family }) {
            libc::AF_INET => {
                // SAFETY: the family says that the kernel wrote this variant; any bytes are valid numbers anyway.
                let a = unsafe { self.v4 };
                let ip = Ipv4Addr::from(u32::from_be(a.sin_addr.s_addr));
                Some(SocketAddrV4::new(ip, u16::from_be(a.sin_port)).into())
            }
            libc::AF_INET6 => {
                // SAFETY: as above.
                let a = unsafe { self.v6 };
                let (ip, port) = (Ipv6Addr::from(a.sin6_addr.s6_addr), u16::from_be(a.sin6_port));
                Some(match ip.to_canonical() {
                    IpAddr::V4(ip) => SocketAddrV4::new(ip, port).into(),
                    IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, a.sin6_scope_id).into(),
                })
            }
            _ => None,
        }
    }
}
