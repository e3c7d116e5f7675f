//! Socket options that neither `std` nor `socket2` has.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};

/// Let the kernel join datagrams of one flow into one read (UDP_GRO, Linux 5.0).
pub(crate) fn join_datagrams(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Tell with each datagram how many a full buffer has cost (SO_RXQ_OVFL).
pub(crate) fn count_overflow(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)
}

/// Tell with each datagram which local address it was sent to.
pub(crate) fn tell_local_address(socket: &impl AsFd, of: IpAddr) -> io::Result<()> {
    match of {
        IpAddr::V4(_) => set(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1),
        IpAddr::V6(_) => set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1),
    }
}

/// Keep ICMP errors about what this socket sent, for [`super::error_queue::take`] (IP_RECVERR).
pub(crate) fn queue_errors(socket: &impl AsFd, of: IpAddr) -> io::Result<()> {
    match of {
        IpAddr::V4(_) => set(socket, libc::IPPROTO_IP, libc::IP_RECVERR, 1),
        IpAddr::V6(_) => set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1),
    }
}

/// Asks for a receive buffer of `bytes`, beyond the system's maximum when this process may.
pub(crate) fn receive_buffer(socket: &impl AsFd, bytes: usize) -> io::Result<()> {
    let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
    set(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)
        .or_else(|_| set(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes))
}

/// Asks for a send buffer of `bytes`, beyond the system's maximum when this process may.
pub(crate) fn send_buffer(socket: &impl AsFd, bytes: usize) -> io::Result<()> {
    let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
    set(socket, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, bytes)
        .or_else(|_| set(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, bytes))
}

/// Sets (or clears) the DF bit of what this socket sends.
///
/// Cleared, IPv4 leaves fragmenting to whoever needs it, and ICMP messages that anybody could forge do not shrink
/// what is sent (`IP_PMTUDISC_OMIT`); IPv6 has no such bit, the kernel fragments to the known path MTU.
pub(crate) fn dont_fragment(socket: &impl AsFd, of: IpAddr, on: bool) -> io::Result<()> {
    match (of, on) {
        (IpAddr::V4(_), true) => set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DO),
        (IpAddr::V4(_), false) => set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT),
        (IpAddr::V6(_), true) => set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DO),
        (IpAddr::V6(_), false) => set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_WANT),
    }
}

fn set(socket: &impl AsFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    // SAFETY: the descriptor is open, pointer and length are those of one number that outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
