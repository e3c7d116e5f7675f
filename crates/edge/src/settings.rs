//! What the operator decided, and figures that nobody needed to decide so far.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

/// Everything that [`Edge`](crate::Edge) can be told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Who may tell a client's address by a PROXY header; plain HTTP from there is served.
    pub trusted_proxies: Vec<IpNet>,
    /// Scheme and authority that plain HTTP is redirected to, `https://meet.example.org`. `None`: it is answered 400.
    pub origin: Option<String>,
    /// How many at once.
    pub limits: Limits,
    /// How long things may take.
    pub timing: Timing,
}

impl Settings {
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}

/// How many at once, on all listeners together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections of which it is not known yet what they are; further ones wait in the kernel's backlog.
    pub arriving: usize,
    /// The same for one source (IPv4 address, IPv6 /64); further ones are closed. Trusted proxies are exempt.
    pub arriving_per_source: u16,
    /// TLS handshakes; further ones wait among the arriving.
    pub handshakes: usize,
    /// Connections that carry HTTP; further ones are closed.
    pub http: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { arriving: 4096, arriving_per_source: 32, handshakes: 256, http: 50_000 }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// From accept until it is known what a connection is, its handshake included.
    pub arrival: Duration,
    /// A TLS handshake, from the first byte on, with the wait for its turn.
    pub handshake: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { arrival: Duration::from_secs(10), handshake: Duration::from_secs(5) }
    }
}
