//! TCP listeners of the web, the admin and the edge.

use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::exit::Failure;

/// Connections the kernel keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// Binds TCP listeners; what cannot be bound says so with its address.
pub(crate) fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        listeners.push(bind(*address).map_err(|e| Failure::os(format_args!("cannot listen on TCP {address}"), &e))?);
    }
    Ok(listeners)
}

/// `[::]` is IPv6 alone, as for the relay's listeners, so that `0.0.0.0` may stand beside it.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart must not wait for the last connections of the process before it to time out.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
