//! [`Counters`]: what one worker did, in plain numbers that only it writes.

use std::io;

/// Counts since the worker began. What the rules decided is in [`posthouse_turn::Stats`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// From clients.
    pub from_clients: Flow,
    /// From peers, at relayed sockets.
    pub from_peers: Flow,
    /// To clients: relayed packets and answers.
    pub to_clients: Flow,
    /// To peers.
    pub to_peers: Flow,
    /// Handed from one allocation to another without a socket.
    pub in_process: Flow,
    /// Packets that left in a send together with others (UDP_SEGMENT).
    pub joined: u64,
    /// Packets for which there was no socket to send from: closed meanwhile, or a server address nobody listens at.
    pub no_socket: u64,
    /// Datagrams that full receive buffers of listening sockets cost (SO_RXQ_OVFL).
    pub listener_overflow: u64,
    /// Datagrams that full receive buffers of relayed sockets cost.
    pub relayed_overflow: u64,
    /// Sends that failed, by reason; each is one lost packet, nothing else.
    pub send_errors: SendErrors,
    /// Receive calls that failed for another reason than that nothing was there.
    pub receive_errors: u64,
    /// Relayed sockets that could not be bound, for whatever reason.
    pub bind_errors: u64,
    /// Clients on TCP and TLS; their packets are also counted above.
    pub streams: Streams,
    /// Data connections of TCP allocations.
    pub data_connections: DataConnections,
    /// Calls of the kernel: waiting, receiving, sending.
    pub calls: Calls,
}

/// Packets and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    /// Packets.
    pub packets: u64,
    /// Bytes of UDP payload, or of frames without their padding.
    pub bytes: u64,
}

impl Flow {
    pub(crate) fn count(&mut self, packets: usize, bytes: usize) {
        self.packets += packets as u64;
        self.bytes += bytes as u64;
    }
}

/// Calls of the kernel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// epoll_wait
    pub wait: u64,
    /// Sleeps that let packets come together ([`crate::Config::coalesce`]).
    pub pause: u64,
    /// recvmmsg
    pub receive: u64,
    /// sendmmsg
    pub send: u64,
    /// Reads of TCP sockets.
    pub read: u64,
    /// writev on TCP sockets.
    pub write: u64,
}

/// Clients on TCP and TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Streams {
    /// Connections taken over.
    pub opened: u64,
    /// Connections that could not be taken over: too much was read before, or the socket is broken.
    pub refused: u64,
    /// Connections closed, by reason.
    pub closed: Closed,
    /// Frames from clients.
    pub received: Flow,
    /// Frames to clients, those that wait in out-queues included.
    pub sent: Flow,
    /// Relayed packets that full out-queues cost.
    pub dropped: u64,
}

/// Data connections of TCP allocations (RFC 6062).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataConnections {
    /// Connections of clients that became client data connections.
    pub joined: u64,
    /// Connections of clients handed over to the worker that has the peer data connection.
    pub handed_over: u64,
    /// Reads that had to wait for bandwidth.
    pub paused: u64,
    /// From client data connections to peers; `packets` are turns.
    pub to_peers: Flow,
    /// From peers to client data connections.
    pub to_clients: Flow,
}

/// Closed connections by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Closed {
    /// The client closed it.
    pub by_client: u64,
    /// It broke.
    pub reset: u64,
    /// What came is not TURN.
    pub broken: u64,
    /// TLS failed.
    pub tls: u64,
    /// No complete message in time.
    pub silent: u64,
    /// No message for long, and no allocation.
    pub idle: u64,
    /// The client read nothing for long while something waited for it.
    pub stalled: u64,
    /// More answers waited than an out-queue holds.
    pub flooded: u64,
    /// A new connection came from the same address.
    pub replaced: u64,
}

/// Failed sends by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SendErrors {
    /// EAGAIN, ENOBUFS, ENOMEM: the socket's or the card's queue is full.
    pub full: u64,
    /// EPERM: a firewall rule of this machine.
    pub forbidden: u64,
    /// ENETUNREACH, EHOSTUNREACH, ENETDOWN: no route.
    pub unreachable: u64,
    /// EMSGSIZE: longer than the way allows, and not to be fragmented.
    pub too_long: u64,
    /// ECONNREFUSED: an ICMP error of an earlier packet, twice in a row.
    pub refused: u64,
    /// EINVAL, EADDRNOTAVAIL: an address that cannot be sent to, or is no longer this machine's.
    pub invalid: u64,
    /// Anything else.
    pub other: u64,
}

impl SendErrors {
    /// Counts `packets` lost for one reason.
    pub(crate) fn count(&mut self, error: &io::Error, packets: usize) {
        let counter = match error.raw_os_error() {
            Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM) => &mut self.full,
            Some(libc::EPERM | libc::EACCES) => &mut self.forbidden,
            Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::ENETDOWN) => &mut self.unreachable,
            Some(libc::EMSGSIZE) => &mut self.too_long,
            Some(libc::ECONNREFUSED) => &mut self.refused,
            Some(libc::EINVAL | libc::EADDRNOTAVAIL) => &mut self.invalid,
            _ => &mut self.other,
        };
        *counter += packets as u64;
    }

    /// All reasons together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.full + self.forbidden + self.unreachable + self.too_long + self.refused + self.invalid + self.other
    }
}
