//! [`Settings`]: what an operator decides, in the core's types.

use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ops::RangeInclusive;
use std::time::Duration;

use posthouse_stun::attribute::Family;

use crate::credentials::Credentials;
use crate::discovery::Discovery;
use crate::nonce::NonceKeys;
use crate::peer_policy::PeerPolicy;
use crate::ticket::TicketKey;

/// Everything configurable, immutable behind an `Arc`. A reload builds a new one and hands it to
/// [`crate::Server::handle_settings`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// The realm, the secrets and the static users.
    pub credentials: Credentials,
    /// What nonces are signed with.
    pub nonce_keys: NonceKeys,
    /// After how long a nonce is stale (RFC 8656 §5: at most one hour).
    pub nonce_lifetime: Duration,
    /// An allocation's lifetime when the client asks for none or for less (RFC 8656 §3.2: 10 minutes).
    pub default_lifetime: Duration,
    /// The longest lifetime granted (RFC 8656 §7.2 recommends one hour).
    pub max_lifetime: Duration,
    /// How old an allocation may be and still be refreshed with a credential that has expired since.
    pub max_session: Duration,
    /// Every allocation ends when its credential expires: no lifetime reaches beyond that.
    pub strict_expiry: bool,
    /// False while draining or short of memory: a new Allocate is refused with 508, all else goes on.
    pub accept_allocations: bool,
    /// The families for which there is a relay address.
    pub families: Families,
    /// The ports relayed sockets are bound to; no listener may lie inside.
    pub relay_ports: RangeInclusive<u16>,
    /// Addresses that are this machine: relay addresses, interface addresses, external addresses behind 1:1 NAT.
    /// Loopback belongs here only when it is a relay address.
    pub own_addresses: Vec<IpAddr>,
    /// Ports this process listens on, of whatever transport: no peer reaches them at an own address, whatever
    /// [`Self::peer_policy`] excepts.
    pub own_ports: Vec<u16>,
    /// Networks that are never relayed to.
    pub peer_policy: PeerPolicy,
    /// Permissions one allocation may hold.
    pub max_permissions: usize,
    /// Channels one allocation may hold.
    pub max_channels: usize,
    /// Relayed TCP connections (RFC 6062); off unless an operator wants them.
    pub tcp_allocations: bool,
    /// Peer data connections one TCP allocation may have, those under way included.
    pub max_connections: usize,
    /// How many allocations.
    pub quotas: Quotas,
    /// How fast packets may move.
    pub bandwidth: Bandwidth,
    /// How many answers to sources that have not proved themselves.
    pub rates: Rates,
    /// NAT behaviour discovery (RFC 5780), one entry for each family that has a second address; none: it is off.
    pub discovery: Vec<Discovery>,
    /// Another server that every Allocate is sent to (300), once it is authenticated.
    pub alternate: Option<Alternate>,
    /// What the tickets of mobile allocations are sealed with (RFC 8016); none: mobility is forbidden.
    pub mobility: Option<TicketKey>,
    /// SOFTWARE in every answer; absent unless somebody wants it, as it only makes answers longer.
    pub software: Option<String>,
}

impl Settings {
    /// The defaults, for users of `credentials`. No family is offered and no address is our own until they are set.
    #[must_use]
    pub fn new(credentials: Credentials, nonce_keys: NonceKeys) -> Self {
        Self {
            credentials,
            nonce_keys,
            nonce_lifetime: Duration::from_secs(600),
            default_lifetime: Duration::from_secs(600),
            max_lifetime: Duration::from_secs(3600),
            max_session: Duration::from_secs(12 * 3600),
            strict_expiry: false,
            accept_allocations: true,
            families: Families::default(),
            relay_ports: 49152..=65535,
            own_addresses: Vec::new(),
            own_ports: Vec::new(),
            peer_policy: PeerPolicy::default(),
            max_permissions: 1000,
            max_channels: 256,
            tcp_allocations: false,
            max_connections: 64,
            quotas: Quotas::default(),
            bandwidth: Bandwidth::default(),
            rates: Rates::default(),
            discovery: Vec::new(),
            alternate: None,
            mobility: None,
            software: None,
        }
    }
}

/// Address families of the relay addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Families {
    /// There is an IPv4 relay address.
    pub v4: bool,
    /// There is an IPv6 relay address.
    pub v6: bool,
}

impl Families {
    /// Whether a relayed transport address of `family` can be had.
    #[must_use]
    pub const fn offers(self, family: Family) -> bool {
        match family {
            Family::V4 => self.v4,
            Family::V6 => self.v6,
        }
    }
}

/// A server to ask instead (RFC 8489 §10). Clients of a family that has no address here are served as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternate {
    /// For clients over IPv4.
    pub v4: Option<SocketAddrV4>,
    /// For clients over IPv6.
    pub v6: Option<SocketAddrV6>,
    /// The name in that server's certificate, where it is not the name in ours; at most 255 bytes. Only clients over TLS
    /// are told.
    pub domain: Option<String>,
}

impl Alternate {
    /// The server for clients of a family.
    pub(crate) fn server(&self, family: Family) -> Option<SocketAddr> {
        match family {
            Family::V4 => self.v4.map(SocketAddr::V4),
            Family::V6 => self.v6.map(SocketAddr::V6),
        }
    }
}

/// Limits of allocations, over all servers that share a [`crate::Shared`]; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Per user id, the part of a time-limited name that is not the expiry.
    pub per_user: u32,
    /// Per source /24 or /56.
    pub per_prefix: u32,
    /// In all.
    pub total: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { per_user: 10, per_prefix: 100, total: 0 }
    }
}

/// Bytes per second, over all servers that share a [`crate::Shared`]; 0 is no limit.
///
/// A datagram counts with its payload and 28 bytes of IP and UDP headers, and both directions count together. One that
/// another allocation of this server receives counts for both. What is over the rate is dropped
/// ([`crate::Drops::over_bandwidth`]), never refused. One second's worth may pass in a burst, or 64 KiB if that is more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bandwidth {
    /// Of one allocation.
    pub per_allocation: u64,
    /// Of one user id, all his allocations together.
    pub per_user: u64,
    /// Of everyone. When it is scarce, an allocation within its share (this over the number of those that relay) loses
    /// nothing; who takes more is dropped first. Of a burst, one half is kept for those within their share.
    pub total: u64,
}

/// Answers per second over UDP to sources that have not proved their address; 0 is no limit.
///
/// A burst of twice the rate is let through, but of 400 at most to a source that showed a nonce. The counts are one
/// server's: with several workers, a source whose packets reach all of them has that many times the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Binding answers per address (IPv6: per /64).
    pub binding: u32,
    /// Error answers per address (IPv6: per /64).
    pub errors: u32,
    /// Error answers per /24 (IPv6: per /48).
    pub errors_per_prefix: u32,
    /// Error answers in all.
    pub errors_total: u32,
    /// Error answers per address once it showed a valid nonce within ten minutes.
    pub verified: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { binding: 200, errors: 10, errors_per_prefix: 50, errors_total: 20_000, verified: 1000 }
    }
}
