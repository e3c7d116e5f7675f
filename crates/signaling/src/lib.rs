//! The HTTP endpoints and WebSockets that clients speak, one dialect a file, around rooms.
//!
//! [`Signaling`] is built from a [`Config`] and the [`Ports`] to the rest of the house, and serves listeners
//! ([`Signaling::serve`]) or single accepted streams ([`Signaling::serve_stream`], for TLS and shared ports).
//!
//! The way of a request: `listener` → `connection` (limits of HTTP) → `routes` (one match) → an endpoint in `apprtc` or
//! `collider` → `delivery` (the room is changed, the effects carried out) → the answer. The way of a frame: `socket`
//! (limits of WebSocket) → a dialect → `delivery` → the peer's `outgoing` queue → the peer's own task.
#![forbid(unsafe_code)]
// A refusal is an answer like any other, and as large; it travels up two or three calls.
#![allow(clippy::result_large_err)]

mod access;
mod apprtc;
mod clock;
mod collider;
mod config;
mod connection;
mod current;
mod delivery;
mod dialect;
mod drain;
mod expiry;
mod ice;
mod json;
mod listener;
mod operator;
mod outgoing;
mod peer;
mod ports;
mod query;
mod random;
mod rates;
mod respond;
mod routes;
mod sessions;
mod signaling;
mod socket;
mod stats;
mod upgrade;
mod visit;

pub use access::Access;
pub use config::{Config, Hello, PeerJs, Rate, Rates, Timing};
pub use dialect::dialects;
pub use operator::{Asked, Found, MemberSeen, RoomSeen, Undone};
pub use ports::{
    IceConfig, IceServer, IceServers, NoEvents, Page, PageRequest, Pages, Ports, RelayControl, RequestContext,
    RoomEvents,
};
pub use signaling::Signaling;
pub use stats::Stats;
