//! [`Datagrams`]: thousands of transport addresses on one socket.
//!
//! A socket per flow would make the generator the bottleneck: one system call per packet and flow. All of 127.0.0.0/8 is
//! local, so one socket bound to the wildcard address and one port owns 127.N.x.y:port for every x and y; IP_PKTINFO
//! says which of them a datagram came to and chooses the one it is sent from. To the server each is a five-tuple of
//! its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::kernel::{self, Message, Receiver, Sender};

/// Datagrams per system call, at most.
const BATCH: usize = 64;
/// A single datagram, or what UDP_GRO may join.
const DATAGRAM_MAX: usize = 2048 + 64;
const JOINED_MAX: usize = 65_536 + 64;
/// Ports for generators and listeners: below the ephemeral range and the relays' range.
const PORTS: Range<u16> = 20_000..32_000;
/// Hosts in a /24: .1 to .250.
const PER_NET: usize = 250;
/// A local socket that takes nothing for so long is broken.
const SEND_PATIENCE: Duration = Duration::from_secs(1);

/// Many local transport addresses, one per flow.
pub struct Datagrams {
    socket: Socket,
    net: u8,
    port: u16,
    receiver: Receiver,
    sender: Sender,
    memory: Vec<u8>,
    pieces: Vec<Range<usize>>,
    messages: Vec<Message>,
}

impl Datagrams {
    /// Addresses in 127.`net`.0.0/16. `join`: take what the kernel joined (UDP_GRO) instead of single datagrams.
    ///
    /// # Errors
    /// No port could be bound, or an option is missing.
    pub fn open(net: u8, join: bool) -> io::Result<Self> {
        let (socket, port) = bind_free(Ipv4Addr::UNSPECIFIED)?;
        kernel::packet_info_on(socket.as_fd())?;
        kernel::receive_buffer(socket.as_fd(), 16 << 20)?;
        if join {
            kernel::gro_on(socket.as_fd())?;
        }
        Ok(Self {
            socket,
            net,
            port,
            receiver: Receiver::new(BATCH, if join { JOINED_MAX } else { DATAGRAM_MAX }, 0),
            sender: Sender::default(),
            memory: Vec::new(),
            pieces: Vec::new(),
            messages: Vec::new(),
        })
    }

    /// The transport address of a flow.
    #[must_use]
    pub fn address(&self, flow: usize) -> SocketAddrV4 {
        SocketAddrV4::new(self.ip(flow), self.port)
    }

    /// Adds a message of `flow` to the batch; `write` appends its bytes. `segment`: cut it in datagrams of this size.
    pub fn push(&mut self, flow: usize, to: SocketAddrV4, segment: u16, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.memory.len();
        write(&mut self.memory);
        let piece = self.pieces.len();
        self.pieces.push(start..self.memory.len());
        let from = Some(self.ip(flow));
        self.messages.push(Message { to, from, pieces: piece..piece + 1, segment });
    }

    /// Sends the batch.
    ///
    /// # Errors
    /// The kernel refused a message, or took none for a second.
    pub fn flush(&mut self) -> io::Result<()> {
        let (mut done, mut last) = (0, Instant::now());
        while done < self.messages.len() {
            let batch = &self.messages[done..];
            let sent = match self.sender.send(self.socket.as_fd(), &self.memory, &self.pieces, batch) {
                Ok(sent) => sent,
                // An ICMP error of an earlier packet (a closed relay port); or a queue that is full for the moment.
                Err(e) if matches!(e.raw_os_error(), Some(libc::ECONNREFUSED | libc::ENOBUFS)) => 0,
                Err(e) => return Err(e),
            };
            done += sent;
            if sent > 0 {
                last = Instant::now();
            } else if last.elapsed() > SEND_PATIENCE {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the kernel took no datagram for a second"));
            }
        }
        self.memory.clear();
        self.pieces.clear();
        self.messages.clear();
        Ok(())
    }

    /// Takes what has arrived, at most one batch, and never waits: `each(flow, sender, bytes)`. Returns how many.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn receive(&mut self, mut each: impl FnMut(usize, SocketAddrV4, &[u8])) -> io::Result<usize> {
        let count = match self.receiver.receive(self.socket.as_fd(), 0) {
            Ok(count) => count,
            Err(e) if e.raw_os_error() == Some(libc::ECONNREFUSED) => 0,
            Err(e) => return Err(e),
        };
        let mut datagrams = 0;
        for slot in 0..count {
            let datagram = self.receiver.get(slot);
            let Some(flow) = self.flow(datagram.to) else { continue };
            for bytes in datagram.segments() {
                each(flow, datagram.from, bytes);
                datagrams += 1;
            }
        }
        Ok(datagrams)
    }

    fn ip(&self, flow: usize) -> Ipv4Addr {
        Ipv4Addr::new(127, self.net, (flow / PER_NET) as u8, (flow % PER_NET) as u8 + 1)
    }

    fn flow(&self, ip: Ipv4Addr) -> Option<usize> {
        let [_, net, high, low] = ip.octets();
        (net == self.net && low > 0).then(|| usize::from(high) * PER_NET + usize::from(low) - 1)
    }
}

/// A fresh port each time: a server must not mistake a new flow for an old one.
static TURN: AtomicUsize = AtomicUsize::new(0);

/// A UDP port that nobody has on `ip`, and the socket that now has it.
///
/// # Errors
/// Every tried port was taken.
pub fn bind_free(ip: Ipv4Addr) -> io::Result<(Socket, u16)> {
    for _ in PORTS {
        let turn = TURN.fetch_add(1, Ordering::Relaxed) + std::process::id() as usize * 31;
        let port = PORTS.start + (turn % PORTS.len()) as u16;
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        if socket.bind(&SocketAddrV4::new(ip, port).into()).is_ok() {
            socket.set_nonblocking(true)?;
            return Ok((socket, port));
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, format!("no free UDP port in {PORTS:?} on {ip}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_known_by_its_address_at_both_ends() {
        let mut a = Datagrams::open(1, false).unwrap();
        let mut b = Datagrams::open(2, false).unwrap();
        for flow in [0, 249, 250, 9_999] {
            let to = b.address(flow);
            a.push(flow, to, 0, |bytes| bytes.extend_from_slice(b"hello"));
            a.flush().unwrap();
            let from = a.address(flow);
            let seen = receive_all(&mut b, 1);
            assert_eq!(seen, [(flow, from, b"hello".to_vec())]);
        }
    }

    #[test]
    fn a_cut_message_arrives_as_datagrams_whether_joined_or_not() {
        for join in [false, true] {
            let mut a = Datagrams::open(1, false).unwrap();
            let mut b = Datagrams::open(2, join).unwrap();
            let to = b.address(3);
            a.push(5, to, 4, |bytes| bytes.extend_from_slice(b"aaaabbbbcc"));
            a.flush().unwrap();
            let seen = receive_all(&mut b, 3);
            let bytes: Vec<&[u8]> = seen.iter().map(|(_, _, bytes)| bytes.as_slice()).collect();
            assert_eq!(bytes, [b"aaaa".as_slice(), b"bbbb", b"cc"]);
        }
    }

    fn receive_all(endpoint: &mut Datagrams, count: usize) -> Vec<(usize, SocketAddrV4, Vec<u8>)> {
        let (mut seen, start) = (Vec::new(), Instant::now());
        while seen.len() < count && start.elapsed() < Duration::from_secs(5) {
            endpoint.receive(|flow, from, bytes| seen.push((flow, from, bytes.to_vec()))).unwrap();
        }
        seen
    }
}
