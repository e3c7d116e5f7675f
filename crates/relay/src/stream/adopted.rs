//! [`Adopted`]: a connection that somebody else accepted and hands over.

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use posthouse_turn::{FiveTuple, Transport};
use rustls::ServerConnection;

/// A TURN client's connection, for [`crate::Relay::adopt`].
pub struct Adopted {
    /// The socket. Nobody else may have it, or closing it would not be noticed.
    pub stream: TcpStream,
    /// The state of TLS once the handshake is over. It may hold plaintext that nobody read yet.
    pub tls: Option<Box<ServerConnection>>,
    /// Bytes that were read already: of what the client says, so decrypted where there is TLS.
    pub early: Vec<u8>,
    /// Where the client is, as a trusted proxy says if there is one.
    pub client: SocketAddr,
    /// Where the client connected to.
    pub server: SocketAddr,
}

impl Adopted {
    pub(crate) fn five_tuple(&self) -> FiveTuple {
        let transport = if self.tls.is_some() { Transport::Tls } else { Transport::Tcp };
        FiveTuple { client: canonical(self.client), server: canonical(self.server), transport }
    }
}

impl fmt::Debug for Adopted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adopted").field("five_tuple", &self.five_tuple()).finish_non_exhaustive()
    }
}

/// An IPv4 address in IPv6 clothes becomes IPv4; a flow label is not kept.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_none() => {
            let mut v6 = v6;
            v6.set_flowinfo(0);
            v6.into()
        }
        address => SocketAddr::new(address.ip().to_canonical(), address.port()),
    }
}

/// One connection's part of a worker's load: given back whenever and wherever the connection ends.
#[derive(Debug)]
pub(crate) struct Seat(Arc<AtomicUsize>);

impl Seat {
    pub(crate) fn take(load: &Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(load))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection on its way to the worker that was chosen for it.
#[derive(Debug)]
pub(crate) struct Seated {
    pub(crate) adopted: Adopted,
    pub(crate) seat: Seat,
    /// A ConnectionBind that another worker could not answer, and what came behind it; else empty.
    pub(crate) request: Vec<u8>,
}
