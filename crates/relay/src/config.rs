//! [`Config`]: what the binary decides for the relay, in engineers' types.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Where to listen, where to relay, with how much of the machine.
#[derive(Debug, Clone)]
pub struct Config {
    /// UDP addresses that clients send to. `0.0.0.0` and `[::]` answer from the address a packet came to; `[::]`
    /// is IPv6 alone. Port 0 takes any port (see [`crate::Relay::listening`]).
    pub listen: Vec<SocketAddr>,
    /// Where relayed sockets are bound. Without any, the relay is a STUN server.
    pub relay_addresses: Vec<RelayAddress>,
    /// The ports of relayed sockets. No listener may lie inside.
    pub ports: RangeInclusive<u16>,
    /// Threads, each with its own sockets and allocations; 0: one per core.
    pub workers: usize,
    /// How much memory packets may take.
    pub buffers: Buffers,
    /// What clients on TCP and TLS may take of time and memory.
    pub streams: StreamLimits,
    /// How the kernel is asked.
    pub engine: EngineChoice,
    /// How long a packet may be kept waiting so that others come together with it, which spares wake-ups, where packets
    /// come so densely that they do; zero: never.
    pub coalesce: Duration,
}

/// How the workers ask the kernel to receive and to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// io_uring where the kernel allows it, otherwise as [`Self::Mmsg`].
    #[default]
    Auto,
    /// epoll, `recvmmsg` and `sendmmsg`: one call for many datagrams of one socket.
    Mmsg,
    /// The same, and io_uring for one call over many sockets: Linux 6.1. Where it is refused, a warning and
    /// [`Self::Mmsg`].
    IoUring,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            relay_addresses: Vec::new(),
            ports: 49152..=65535,
            workers: 0,
            buffers: Buffers::default(),
            streams: StreamLimits::default(),
            engine: EngineChoice::default(),
            coalesce: Duration::from_micros(150),
        }
    }
}

/// One address for relayed sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayAddress {
    /// Where they are bound: an address of this machine, not a wildcard.
    pub local: IpAddr,
    /// What peers see; the same unless the machine stands behind 1:1 NAT.
    pub external: IpAddr,
}

impl From<IpAddr> for RelayAddress {
    fn from(address: IpAddr) -> Self {
        Self { local: address, external: address }
    }
}

/// Sizes of buffers, in bytes unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffers {
    /// Kernel's receive buffer of each listening socket: the default of 208 KiB holds about 90 packets of a video.
    pub listener_receive: usize,
    /// Kernel's send buffer of each listening socket.
    pub listener_send: usize,
    /// Kernel's receive buffer of each relayed socket; 0 leaves the system's default.
    pub relayed_receive: usize,
    /// Reads in one batch of a worker, each with room for 64 KiB of which only what is used becomes memory.
    pub batch: usize,
}

impl Default for Buffers {
    fn default() -> Self {
        Self { listener_receive: 8 << 20, listener_send: 4 << 20, relayed_receive: 256 << 10, batch: 64 }
    }
}

/// Patience with a client on TCP or TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    /// Until its first complete message.
    pub first_message: Duration,
    /// Between two messages of a client without an allocation.
    pub idle: Duration,
    /// Without any progress while something waits to be sent to it.
    pub stalled: Duration,
    /// Bytes that may wait for it; a quarter of them is kept for answers.
    pub queue: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            first_message: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            stalled: Duration::from_secs(30),
            queue: 256 << 10,
        }
    }
}
