//! [`FiveTuple`] and the transport addresses by their role (RFC 8656 §2).

use std::fmt;
use std::net::SocketAddr;

/// How the client reaches the server. The relayed side is a matter of its own (REQUESTED-TRANSPORT).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream of frames.
    Tcp,
    /// A stream of frames inside TLS.
    Tls,
}

impl Transport {
    /// ChannelData is padded to four bytes on streams (RFC 8656 §12.5).
    #[must_use]
    pub const fn is_stream(self) -> bool {
        !matches!(self, Self::Udp)
    }
}

/// The client's and the server's transport address and the protocol between them: what identifies an allocation.
///
/// Addresses are canonical: an IPv4 client on a dual-stack socket is written as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FiveTuple {
    /// Where the client's packets come from, as the server sees it.
    pub client: SocketAddr,
    /// Where they arrived, and where answers must come from.
    pub server: SocketAddr,
    /// The protocol between them.
    pub transport: Transport,
}

macro_rules! role {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub SocketAddr);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

role! {
    /// The transport address of a peer: a host the client talks to through the relay.
    PeerTransportAddress
}
role! {
    /// The transport address on the server that peers send to, as peers see it (behind 1:1 NAT: the public one).
    RelayedTransportAddress
}
