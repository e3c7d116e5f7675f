//! [`Pool`]: the relayed ports of one relay address.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

use posthouse_turn::{BindError, PortRequest};
use socket2::{Domain, Protocol, Socket, Type};

use super::Random;
use super::bitmap::Bitmap;
use super::choice::offsets;
use crate::config::RelayAddress;
use crate::kernel::sockopt;

/// Ports that another program holds and that may be met in one request: what a request costs stays bounded.
const FOREIGN_MAX: u32 = 1024;

/// Peers that wait to be accepted at one relayed transport address.
const BACKLOG: i32 = 64;

/// One relay address and its ports.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) address: RelayAddress,
    first: u16,
    len: u32,
    /// Ports that a worker binds, has bound or holds in reserve.
    claimed: Bitmap,
    /// Ports whose socket belongs to an allocation: what may be sent to.
    living: Bitmap,
    /// Ports whose socket listens for a TCP allocation: what may be connected to.
    listening: Bitmap,
}

/// Sockets of one request.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) socket: OwnedFd,
    pub(crate) port: u16,
    pub(crate) reserved: Option<(OwnedFd, u16)>,
}

impl Pool {
    pub(crate) fn new(address: RelayAddress, range: &RangeInclusive<u16>) -> Self {
        let first = *range.start();
        let len = u32::from(range.end().saturating_sub(first)) + 1;
        Self {
            address,
            first,
            len,
            claimed: Bitmap::new(first, len),
            living: Bitmap::new(first, len),
            listening: Bitmap::new(first, len),
        }
    }

    pub(crate) fn local_ip(&self) -> IpAddr {
        self.address.local
    }

    pub(crate) fn contains(&self, port: u16) -> bool {
        port >= self.first && u32::from(port - self.first) < self.len
    }

    pub(crate) fn is_living(&self, port: u16) -> bool {
        self.living.contains(port)
    }

    pub(crate) fn set_living(&self, port: u16) {
        self.living.insert(port);
    }

    pub(crate) fn is_listening(&self, port: u16) -> bool {
        self.listening.contains(port)
    }

    pub(crate) fn set_listening(&self, port: u16) {
        self.listening.insert(port);
    }

    pub(crate) fn set_dead(&self, port: u16) {
        self.listening.remove(port);
        self.living.remove(port);
    }

    pub(crate) fn release(&self, port: u16) {
        self.claimed.remove(port);
    }

    pub(crate) fn taken(&self) -> usize {
        self.claimed.count()
    }

    /// Binds a socket to a free port of the kind asked for.
    pub(crate) fn bind(
        &self,
        request: PortRequest,
        random: &mut Random,
        receive_buffer: usize,
    ) -> Result<Bound, BindError> {
        // One slot per port, or per pair that begins with an even port.
        let (slots, even) = match request {
            PortRequest::Any | PortRequest::Listening | PortRequest::Reserved(_) => (self.len, false),
            PortRequest::Even => ((self.len + 1 - u32::from(self.first % 2)) / 2, true),
            PortRequest::EvenAndReserveNext => ((self.len - u32::from(self.first % 2)) / 2, true),
        };
        let pair = request == PortRequest::EvenAndReserveNext;
        if slots == 0 {
            return Err(BindError::NoPort);
        }
        let listening = request == PortRequest::Listening;
        let mut next = Attempt::new(self.local_ip(), receive_buffer, listening)?;
        let mut foreign = 0;
        for offset in offsets(slots, random) {
            let port = self.first + if even { offset * 2 + u32::from(self.first % 2) } else { offset } as u16;
            match self.try_bind(&mut next, port, pair) {
                Ok(Some(bound)) => return Ok(bound),
                Ok(None) => {}
                Err(e) => foreign += self.judge(&e)?,
            }
            if foreign >= FOREIGN_MAX {
                break;
            }
        }
        Err(BindError::NoPort)
    }

    /// `None` when this process has the port already: known without asking the kernel.
    fn try_bind(&self, next: &mut Attempt, port: u16, pair: bool) -> io::Result<Option<Bound>> {
        if !self.claimed.insert(port) {
            return Ok(None);
        }
        if pair && !self.claimed.insert(port + 1) {
            self.claimed.remove(port);
            return Ok(None);
        }
        let bound = next.bind(port, pair);
        if bound.is_err() {
            self.claimed.remove(port);
            if pair {
                self.claimed.remove(port + 1);
            }
        }
        bound.map(Some)
    }

    /// A port that another program has is a reason to try the next one; anything else ends the request.
    fn judge(&self, e: &io::Error) -> Result<u32, BindError> {
        match e.raw_os_error() {
            // EACCES: a port below 1024 without the privilege.
            Some(libc::EADDRINUSE | libc::EACCES) => Ok(1),
            _ => {
                tracing::debug!(target: "relay", address = %self.local_ip(), error = %e, "cannot bind a relayed socket");
                Err(BindError::NoResources)
            }
        }
    }

    /// Whether this machine has the address now.
    pub(crate) fn probe(&self) -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(SocketAddr::new(self.local_ip(), 0)), Type::DGRAM, None)?;
        socket.bind(&SocketAddr::new(self.local_ip(), 0).into())
    }
}

/// A socket that is not bound yet; a failed bind leaves it as it was, so one is enough for all tries.
struct Attempt {
    ip: IpAddr,
    receive_buffer: usize,
    listening: bool,
    socket: Option<Socket>,
}

impl Attempt {
    fn new(ip: IpAddr, receive_buffer: usize, listening: bool) -> Result<Self, BindError> {
        let mut this = Self { ip, receive_buffer, listening, socket: None };
        this.socket = Some(this.take().map_err(|_| BindError::NoResources)?);
        Ok(this)
    }

    fn bind(&mut self, port: u16, pair: bool) -> io::Result<Bound> {
        let socket = self.take()?;
        if let Err(e) = socket.bind(&SocketAddr::new(self.ip, port).into()) {
            self.socket = Some(socket);
            return Err(e);
        }
        if self.listening {
            listen(&socket)?;
        }
        if !pair {
            return Ok(Bound { socket: socket.into(), port, reserved: None });
        }
        let neighbour = relayed_socket(self.ip, self.receive_buffer)?;
        neighbour.bind(&SocketAddr::new(self.ip, port + 1).into())?;
        Ok(Bound { socket: socket.into(), port, reserved: Some((neighbour.into(), port + 1)) })
    }

    fn take(&mut self) -> io::Result<Socket> {
        match self.socket.take() {
            Some(socket) => Ok(socket),
            None if self.listening => relayed_listener(self.ip),
            None => relayed_socket(self.ip, self.receive_buffer),
        }
    }
}

fn relayed_socket(ip: IpAddr, receive_buffer: usize) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(SocketAddr::new(ip, 0)), Type::DGRAM, None)?;
    if ip.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if receive_buffer > 0 {
        sockopt::receive_buffer(&socket, receive_buffer)?;
    }
    sockopt::dont_fragment(&socket, ip, false)?;
    sockopt::count_overflow(&socket)?;
    sockopt::queue_errors(&socket, ip)?;
    // Absent before Linux 5.0, where the relay works as well, one read a datagram.
    let _ = sockopt::join_datagrams(&socket);
    Ok(socket)
}

/// Connections of a former allocation on the port may still be in TIME_WAIT.
fn relayed_listener(ip: IpAddr) -> io::Result<Socket> {
    let address = SocketAddr::new(ip, 0);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if ip.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    Ok(socket)
}

/// Once the port is this socket's alone, connections may leave from it (RFC 6062 §5.2). Before, SO_REUSEPORT would
/// share it with whatever other program of this user has set that too.
fn listen(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)?;
    socket.listen(BACKLOG)
}
