//! [`Listener`]: a UDP socket that clients send to, one per worker and address.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use socket2::{Domain, Socket, Type};

use crate::config::Buffers;
use crate::kernel::sockopt;
use crate::sockets::Traits;

/// One worker's share of a listening address. The socket outlives a worker that panics: the kernel spreads clients over
/// the sockets of an address by a hash, and one socket less would send other workers' clients astray.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) socket: Arc<UdpSocket>,
    pub(crate) local: SocketAddr,
    /// Bound to no address: each packet says where it arrived, each answer where it comes from.
    pub(crate) wildcard: bool,
    pub(crate) traits: Traits,
}

impl Listener {
    pub(crate) fn new(socket: Arc<UdpSocket>, local: SocketAddr) -> Self {
        Self { socket, local, wildcard: local.ip().is_unspecified(), traits: Traits::new() }
    }

    /// The same socket for a worker's next life.
    pub(crate) fn again(&self) -> Self {
        Self::new(Arc::clone(&self.socket), self.local)
    }

    /// Whether clients can reach `server` here.
    pub(crate) fn has(&self, server: SocketAddr) -> bool {
        let ip = self.local.ip();
        self.local.port() == server.port()
            && if self.wildcard { ip.is_ipv4() == server.is_ipv4() } else { ip == server.ip() }
    }

    /// The server transport address of a packet: where it arrived.
    pub(crate) fn server(&self, arrived: Option<IpAddr>) -> SocketAddr {
        match arrived {
            Some(ip) if self.wildcard => SocketAddr::new(ip, self.local.port()),
            _ => self.local,
        }
    }

    /// What a send must name as its source.
    pub(crate) fn source(&self, server: SocketAddr) -> Option<IpAddr> {
        self.wildcard.then_some(server.ip())
    }
}

/// Binds `address` once for each of `workers`. Returns the sockets and the address they have.
pub(crate) fn bind(address: SocketAddr, workers: usize, buffers: &Buffers) -> io::Result<(Vec<UdpSocket>, SocketAddr)> {
    let mut address = refuse_company(address)?;
    let mut sockets = Vec::with_capacity(workers);
    for _ in 0..workers {
        let socket = shared_socket(address, buffers)?;
        address = socket.local_addr()?;
        sockets.push(socket);
    }
    Ok((sockets, address))
}

/// SO_REUSEPORT would let a second server of the same user listen too and take half of the clients: look first
/// whether the address is free for one socket alone. Also settles what port 0 becomes.
fn refuse_company(address: SocketAddr) -> io::Result<SocketAddr> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    UdpSocket::from(socket).local_addr()
}

fn shared_socket(address: SocketAddr, buffers: &Buffers) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(true)?;
    sockopt::receive_buffer(&socket, buffers.listener_receive)?;
    sockopt::send_buffer(&socket, buffers.listener_send)?;
    sockopt::count_overflow(&socket)?;
    // Answers and media alike may be fragmented on their way: nobody here could shorten them.
    sockopt::dont_fragment(&socket, address.ip(), false)?;
    if address.ip().is_unspecified() {
        sockopt::tell_local_address(&socket, address.ip())?;
    }
    // Absent before Linux 5.0, where the relay works as well, one read a datagram.
    let _ = sockopt::join_datagrams(&socket);
    socket.bind(&address.into())?;
    Ok(socket.into())
}
