//! [`StartError`]: why the relay did not start, and what to do.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// Why the relay did not start. Nothing is left open.
#[derive(Debug)]
pub enum StartError {
    /// A listening address could not be bound.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// More listening addresses than a worker can name.
    TooManyListeners(usize),
    /// More relay addresses than a worker can name.
    TooManyRelayAddresses(usize),
    /// A relay address is not one of this machine's.
    RelayAddress {
        /// The address.
        address: IpAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// A relay address is `0.0.0.0` or `::`.
    Wildcard(IpAddr),
    /// A relay address and what peers see of it are of two families.
    Families {
        /// Where sockets are bound.
        local: IpAddr,
        /// What peers see.
        external: IpAddr,
    },
    /// The range of relayed ports is empty or contains 0.
    Ports(RangeInclusive<u16>),
    /// A listener lies in the range of relayed ports.
    ListenerInRange {
        /// The listener.
        address: SocketAddr,
        /// The range.
        ports: RangeInclusive<u16>,
    },
    /// A thread, an epoll set or random numbers were refused.
    Worker(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, source } => {
                write!(f, "cannot listen on {address} (UDP): {source}; {}", advice(source))
            }
            Self::TooManyListeners(n) => write!(f, "{n} listening addresses; at most 256 are possible"),
            Self::TooManyRelayAddresses(n) => write!(f, "{n} relay addresses; at most 256 are possible"),
            Self::RelayAddress { address, source } => {
                write!(f, "cannot bind relayed sockets to {address}: {source}; {}", advice(source))
            }
            Self::Wildcard(address) => {
                write!(f, "relay address {address} stands for every address; name one address of this machine")
            }
            Self::Families { local, external } => {
                write!(f, "relay address {local} is seen by peers as {external}; both must be IPv4 or both IPv6")
            }
            Self::Ports(ports) => write!(
                f,
                "relayed ports {}-{}: expected a range of ports above 0 such as 49152-65535",
                ports.start(),
                ports.end()
            ),
            Self::ListenerInRange { address, ports } => write!(
                f,
                "{address} listens inside the range of relayed ports {}-{}; move the port or the range",
                ports.start(),
                ports.end()
            ),
            Self::Worker(e) => write!(f, "cannot start a worker: {e}; look at the limits of threads and descriptors"),
        }
    }
}

fn advice(e: &io::Error) -> &'static str {
    match e.kind() {
        io::ErrorKind::AddrInUse => "another program uses it: stop that one (see `ss -lunp`) or choose another port",
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address: take one that `ip address` shows",
        io::ErrorKind::PermissionDenied => "ports below 1024 need the capability CAP_NET_BIND_SERVICE",
        _ => "look at the address and at the limits of this process",
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Listen { source, .. } | Self::RelayAddress { source, .. } | Self::Worker(source) => Some(source),
            _ => None,
        }
    }
}
