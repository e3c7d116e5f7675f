//! Connections with peers, made and accepted.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

/// Bytes that nobody acknowledges for so long end a data connection. Longer than for control connections: whoever reads
/// slowly is waited for.
pub(crate) const UNACKNOWLEDGED: Duration = Duration::from_secs(300);

/// Begins a connection from a relayed transport address, which listens (RFC 6062 §5.2).
pub(crate) fn connect(from: SocketAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(from), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if from.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Beside the listener and the other connections of the allocation, and those that the last one left in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&from.into())?;
    match socket.connect(&to.into()) {
        Err(e) if e.raw_os_error() != Some(libc::EINPROGRESS) => Err(e),
        _ => Ok(prepared(socket)),
    }
}

/// A peer that has connected to a relayed transport address, and where it is.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, from) = SockRef::from(&listener).accept()?;
    socket.set_nonblocking(true)?;
    let from = from.as_socket().ok_or_else(|| io::Error::other("neither IPv4 nor IPv6"))?;
    Ok((prepared(socket), SocketAddr::new(from.ip().to_canonical(), from.port())))
}

fn prepared(socket: Socket) -> TcpStream {
    // Each of these only makes things better.
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    let probes = TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10));
    let _ = socket.set_tcp_keepalive(&probes);
    socket.into()
}
