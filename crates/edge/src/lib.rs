//! Where streams arrive: accepts TCP, ends TLS, tells TURN from HTTP, hands on.
//!
//! ```text
//!  accept ─► PROXY header, from a trusted proxy ─► first byte ─┬─ 0x16     TLS ─► ALPN, or the first decrypted byte
//!  (listener.rs)  (proxy.rs)                     (protocol.rs) ├─ 0 to 63  STUN ─► Turn::adopt
//!                                                              └─ others   HTTP ─► Http::serve, or a redirect
//! ```
//!
//! On a listener for TURN alone 64 to 127 are ChannelData, and what is left is closed.
//!
//! [`Edge`] knows no rule of TURN and no room: connections go to two [`Ports`]. Until it is decided what a connection is, no
//! byte of it is consumed (it is peeked at), so that sockets and TLS states change their owner whole.
#![forbid(unsafe_code)]

mod arrival;
mod certificates;
mod descriptors;
mod drain;
mod edge;
mod handshake;
mod listener;
mod ports;
mod protocol;
mod proxy;
mod redirect;
mod refusal;
mod replay;
mod settings;
mod sources;
mod stats;

pub use certificates::{Certificates, Expiry, Pair, PairFault, PairFile};
pub use edge::Edge;
pub use listener::Carries;
pub use ports::{Adopted, Http, HttpConnection, Ports, Stream, Turn};
pub use settings::{Limits, Settings, Timing};
pub use stats::Stats;
