//! A STUN/TURN server as a state machine: datagrams and time in, decisions out.
//!
//! Speaks RFC 8489, RFC 8656, RFC 6062, RFC 5780 and RFC 8016. There is no socket, clock, task, lock on the packet
//! path or randomness in here.
//!
//! How to drive a [`Server`]: one `handle_*`, then [`Server::poll_output`] until `None`, then
//! [`Server::poll_timeout`]. A packet to relay is answered with a decision about the caller's own buffer
//! ([`Forward`], [`Wrap`]); everything slow goes through [`Output`].
#![forbid(unsafe_code)]

mod allocation;
mod auth;
mod bandwidth;
mod channel;
mod connection;
mod credentials;
mod deadlines;
mod discovery;
mod ending;
mod entropy;
mod farewells;
mod five_tuple;
mod icmp;
mod limiter;
mod mobility;
mod nonce;
mod now;
mod output;
mod peer_policy;
mod permission;
mod quota;
mod refusal;
mod relaying;
mod request;
mod reservation;
mod response;
mod revocation;
mod server;
mod session;
mod settings;
mod stats;
mod table;
mod tcp_allocation;
mod ticket;

pub use allocation::AllocationView;
pub use connection::{ConnectionId, Direction};
pub use credentials::{Credentials, Minted};
pub use discovery::Discovery;
pub use five_tuple::{FiveTuple, PeerTransportAddress, RelayedTransportAddress, Transport};
pub use icmp::Icmp;
pub use mobility::{Letter, Move};
pub use nonce::NonceKeys;
pub use now::Now;
pub use output::{
    AllocationId, BindError, BindRelayed, Binding, Bound, Forward, Output, PortRequest, Route, Wrap, WrapHeader,
};
pub use peer_policy::{Denied, Peer, PeerPolicy};
pub use quota::Shared;
pub use refusal::{BadRequest, Refusal};
pub use server::Server;
pub use settings::{Alternate, Bandwidth, Families, Quotas, Rates, Settings};
pub use stats::{Connections, DeniedPeers, Drops, Refusals, Requests, Stats, Traffic};
pub use ticket::TicketKey;
