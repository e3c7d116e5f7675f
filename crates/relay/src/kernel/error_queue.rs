//! Errors that a socket was told about, each with the datagram's destination: `recvmsg(2)` with MSG_ERRQUEUE (`ip(7)`).
//!
//! ```text
//! sock_extended_err
//! | errno (u32) | origin (u8) | type (u8) | code (u8) | 0 | info (u32): the MTU | data (u32) | address of who complains
//! ```

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::address::RawAddress;
use super::control::Control;

/// SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6 of `linux/errqueue.h`: not what this machine itself found.
const FROM_THE_NETWORK: std::ops::RangeInclusive<u8> = 2..=3;

/// An ICMP or ICMPv6 error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IcmpError {
    /// Where the datagram was sent, canonical.
    pub(crate) to: SocketAddr,
    /// The type.
    pub(crate) kind: u8,
    /// The code.
    pub(crate) code: u8,
    /// The next hop's MTU where the error tells one.
    pub(crate) mtu: u32,
}

/// Takes the oldest entry off the error queue, never waits. `None`: it is no ICMP error.
///
/// # Errors
/// `WouldBlock` when the queue is empty.
pub(crate) fn take(socket: BorrowedFd<'_>) -> io::Result<Option<IcmpError>> {
    let mut address = RawAddress::unspecified();
    let mut control = Control::new();
    // SAFETY: `msghdr` is numbers and pointers, for which zero bytes are a value.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = (&raw mut address).cast();
    header.msg_namelen = RawAddress::CAPACITY;
    // The control messages are the first field of `Control` (repr C).
    header.msg_control = (&raw mut control).cast();
    header.msg_controllen = Control::CAPACITY as _;
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: the header points at two locals that outlive the call, with their lengths; of the datagram itself, which
    // the kernel would hand back too, nothing is asked for.
    let result = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    let of_kernel =
        control.messages(header.msg_controllen as usize).find_map(|(level, kind, value)| match (level, kind) {
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => Some(value),
            _ => None,
        });
    Ok(address.get().zip(of_kernel).and_then(|(to, error)| IcmpError::read(to, error)))
}

impl IcmpError {
    fn read(to: SocketAddr, error: &[u8]) -> Option<Self> {
        let &[_, _, _, _, origin, kind, code, _, a, b, c, d, ..] = error else { return None };
        let mtu = u32::from_ne_bytes([a, b, c, d]);
        FROM_THE_NETWORK.contains(&origin).then_some(Self { to, kind, code, mtu })
    }
}

/// Whether a send may have failed for an ICMP error about an *earlier* datagram: a socket that queues errors reports the
/// last one once more, at the next call whatever it is, and forgets it. The datagram at hand was not tried then.
///
/// These are what the kernel makes of ICMP types and codes. Some are a send's own failures too: those come back.
pub(crate) fn may_be_of_an_earlier(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EMSGSIZE
                | libc::EACCES
                | libc::EPROTO
                | libc::ENOPROTOOPT
                | libc::EOPNOTSUPP
                | libc::ENONET
                | libc::EHOSTDOWN
        )
    )
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;
    use std::time::Duration;

    use super::*;
    use crate::kernel::epoll::{Epoll, Event};
    use crate::kernel::send::{Message, Piece, Sender};
    use crate::kernel::sockopt;

    /// A socket that queues errors.
    fn relayed(ip: &str) -> UdpSocket {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        sockopt::queue_errors(&socket, ip.parse().unwrap()).unwrap();
        socket
    }

    /// An address where nobody listens. Below the ports that the kernel gives to whoever asks for any.
    fn closed(ip: &str, port: u16) -> SocketAddr {
        SocketAddr::new(ip.parse().unwrap(), port)
    }

    fn messages(to: &[SocketAddr]) -> Vec<Message> {
        to.iter().map(|&to| Message { to, from: None, pieces: 0..1, segment: 0 }).collect()
    }

    /// As the engine does: what is left after a refusal is sent from there.
    fn send_all(from: &UdpSocket, to: &[SocketAddr]) {
        let (piece, messages) = ([Piece { start: 0, len: 1 }], messages(to));
        let (mut sender, mut at) = (Sender::new(), 0);
        while at < messages.len() {
            at += sender.send(from.as_fd(), b"x", &piece, &messages[at..]).unwrap();
        }
    }

    /// Waits until epoll says that the socket has an error.
    fn failed(socket: &UdpSocket) {
        let mut epoll = Epoll::new(1).unwrap();
        epoll.add(socket.as_fd(), 0).unwrap();
        let event = Event { data: 0, readable: true, failed: true, writable: false };
        assert_eq!(epoll.wait(Duration::from_secs(10)).unwrap().collect::<Vec<_>>(), [event]);
    }

    #[test]
    fn a_closed_port_is_told_with_its_address_in_both_families() {
        for (ip, port, kind, code) in [("127.0.0.1", 24050, 3, 3), ("::1", 24051, 1, 4)] {
            let (socket, to) = (relayed(ip), closed(ip, port));
            send_all(&socket, &[to]);
            failed(&socket);
            assert_eq!(take(socket.as_fd()).unwrap(), Some(IcmpError { to, kind, code, mtu: 0 }));
            assert_eq!(take(socket.as_fd()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
    }

    #[test]
    fn an_error_of_one_destination_costs_no_datagram_to_another() {
        for (ip, port) in [("127.0.0.1", 24052), ("::1", 24053)] {
            let (socket, to) = (relayed(ip), closed(ip, port));
            let open = UdpSocket::bind((ip, 0)).unwrap();
            open.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let there = open.local_addr().unwrap();
            send_all(&socket, &[to]);
            failed(&socket);
            // The error of the last call is still told by the first, and each in between leaves another.
            send_all(&socket, &[there, to, to, there, to, there, there]);
            for _ in 0..4 {
                open.recv(&mut [0]).unwrap();
            }
        }
    }

    #[test]
    fn a_send_that_fails_by_itself_fails() {
        let socket = relayed("127.0.0.1");
        let piece = [Piece { start: 0, len: 1 }];
        let to = messages(&["255.255.255.255:9".parse().unwrap()]);
        let refused = Sender::new().send(socket.as_fd(), b"x", &piece, &to).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EACCES), "broadcast without SO_BROADCAST");
    }

    #[test]
    fn only_errors_from_the_network_count_and_only_whole_ones() {
        let to = closed("192.0.2.1", 9);
        let error =
            |origin: u8| [&90u32.to_ne_bytes()[..], &[origin, 3, 4, 0], &1280u32.to_ne_bytes(), &[0; 4]].concat();
        let told = IcmpError { to, kind: 3, code: 4, mtu: 1280 };
        // SO_EE_ORIGIN_NONE, LOCAL, ICMP, ICMP6, TIMESTAMPING
        let read = [0, 1, 2, 3, 4].map(|origin| IcmpError::read(to, &error(origin)));
        assert_eq!(read, [None, None, Some(told), Some(told), None]);
        for len in 0..12 {
            assert_eq!(IcmpError::read(to, &error(2)[..len]), None);
        }
    }
}
