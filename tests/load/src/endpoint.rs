//! [`Endpoint`]: one end of many flows, over UDP, TCP or TLS.

mod certificate;
mod datagrams;
mod streams;

use std::io;
use std::net::SocketAddrV4;

pub use certificate::Certificate;
pub use datagrams::{Datagrams, bind_free};
pub use streams::Streams;

/// How clients reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A connection per flow.
    Tcp,
    /// A TLS connection per flow.
    Tls,
}

/// One end of many flows.
// There are two of them in a measurement: their size does not matter, a pointer per packet would.
#[allow(clippy::large_enum_variant)]
pub enum Endpoint {
    /// Clients over UDP, and all peers.
    Datagrams(Datagrams),
    /// Clients over TCP or TLS.
    Streams(Streams),
}

impl Endpoint {
    /// UDP addresses in 127.`net`.0.0/16; `join` as in [`Datagrams::open`].
    ///
    /// # Errors
    /// As [`Datagrams::open`].
    pub fn open(net: u8, join: bool) -> io::Result<Self> {
        Datagrams::open(net, join).map(Self::Datagrams)
    }

    /// The local transport address of a flow.
    #[must_use]
    pub fn address(&self, flow: usize) -> SocketAddrV4 {
        match self {
            Self::Datagrams(datagrams) => datagrams.address(flow),
            Self::Streams(streams) => streams.address(flow),
        }
    }

    /// Sends a message of `flow`, at the next [`Self::flush`] at the latest; `write` appends its bytes.
    ///
    /// Over UDP `segment` cuts it in datagrams of this size (0: one), and `to` is where it goes. A stream takes it in
    /// one write, to its server.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn push(
        &mut self,
        flow: usize,
        to: SocketAddrV4,
        segment: u16,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        match self {
            Self::Datagrams(datagrams) => {
                datagrams.push(flow, to, segment, write);
                Ok(())
            }
            Self::Streams(streams) => streams.push(flow, write),
        }
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// The kernel refused, or a connection is gone.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Datagrams(datagrams) => datagrams.flush(),
            Self::Streams(streams) => streams.flush(),
        }
    }

    /// Takes what has arrived and never waits: `each(flow, sender, datagram or frame)`. Returns how many.
    ///
    /// # Errors
    /// What the kernel says; a connection is gone or out of step.
    pub fn receive(&mut self, each: impl FnMut(usize, SocketAddrV4, &[u8])) -> io::Result<usize> {
        match self {
            Self::Datagrams(datagrams) => datagrams.receive(each),
            Self::Streams(streams) => streams.receive(each),
        }
    }
}
