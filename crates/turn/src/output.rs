//! What the shell is asked to do.

use std::ops::Range;
use std::time::Instant;

use posthouse_stun::ChannelNumber;
use posthouse_stun::attribute::Family;

use crate::{ConnectionId, FiveTuple, PeerTransportAddress, RelayedTransportAddress};

/// Names one allocation for as long as it lives; a later allocation never gets the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AllocationId {
    /// Place in the server's table: small and dense, so that a shell can keep a plain vector beside it.
    pub index: u32,
    /// Counts the allocations that had this place.
    pub generation: u32,
}

/// Client to peer: send a slice of the packet that was handed in. A decision, not bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The allocation whose relayed transport address (of the peer's family) is the sender.
    pub from: AllocationId,
    /// The peer.
    pub to: PeerTransportAddress,
    /// Where the payload lies in the packet that was handed in.
    pub payload: Range<usize>,
    /// Whether `to` is out in the world or one of this server's own relayed transport addresses.
    pub route: Route,
    /// The client asked that the datagram not be fragmented (DONT-FRAGMENT in a Send indication).
    pub dont_fragment: bool,
}

/// Where a [`Forward`] goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// To a host: through the relayed socket.
    Peer,
    /// To a relayed transport address of this server: deliver in process (the receiver's permission decides), and
    /// drop it when no living allocation has that address. Never send it to a socket that is not a relayed one.
    Relay,
}

/// Peer to client: put `header` in front of the payload and send both to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrap {
    /// The client, and the server address to send from.
    pub to: FiveTuple,
    /// What stands in front of the payload.
    pub header: WrapHeader,
    /// Zero bytes to send behind the payload: always for a Data indication, for ChannelData only on streams.
    pub padding: u8,
}

/// The bytes in front of a payload: a ChannelData header or a Data indication up to its payload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WrapHeader {
    pub(crate) bytes: [u8; Self::MAX],
    pub(crate) len: u8,
}

impl WrapHeader {
    /// The longest: STUN header 20, XOR-PEER-ADDRESS of IPv6 24, DATA's type and length 4. Head room for it is
    /// what a shell leaves in front of every buffer that receives from peers.
    pub const MAX: usize = 48;

    /// Copies `bytes`, at most [`Self::MAX`] of them.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut this = Self { bytes: [0; Self::MAX], len: bytes.len() as u8 };
        this.bytes[..bytes.len()].copy_from_slice(bytes);
        this
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for WrapHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WrapHeader({:02x?})", self.as_bytes())
    }
}

/// One thing to do, taken with [`crate::Server::poll_output`] until there is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<'s> {
    /// Send `message`, an answer or the report of an ICMP error, to the client `to.client` from the server address
    /// `to.server`. It lies in the server's own buffer: send it before the next input.
    Respond {
        /// Client and server address; of a Binding answer either may be another than the request had (RFC 5780).
        to: FiveTuple,
        /// One whole STUN message.
        message: &'s [u8],
    },
    /// Bind a relayed socket and report with [`crate::Server::handle_bound`]. Nothing was promised to the client yet.
    BindRelayed(BindRelayed),
    /// Close every relayed socket of this allocation; its ports may be used again. A bind that is still under way for
    /// it is called off.
    CloseRelayed {
        /// The allocation, which no longer exists.
        id: AllocationId,
        /// Its client; a stream connection that served nothing else may be closed by its own rules.
        client: FiveTuple,
    },
    /// Close the relayed socket of one family; the allocation lives on with the other.
    CloseRelayedFamily {
        /// The allocation.
        id: AllocationId,
        /// Which of its two sockets.
        family: Family,
    },
    /// Nobody claimed this port in time: it need not be held in reserve any longer.
    ReleaseReserved(RelayedTransportAddress),
    /// A client may now send to `peer` through `channel`: what a kernel fast path needs to know.
    BindingInstalled(Binding),
    /// The binding ended: by time, or with its allocation.
    BindingRemoved(Binding),
    /// Connect to a peer from the relayed transport address of its family and report with
    /// [`crate::Server::handle_connected`].
    ConnectPeer {
        /// The connection's name.
        id: ConnectionId,
        /// The allocation whose relayed transport address is the near end.
        from: AllocationId,
        /// The far end.
        to: PeerTransportAddress,
        /// [`Route::Relay`]: only if another TCP allocation listens there, else it has failed.
        route: Route,
    },
    /// Close a peer data connection and, if there is one, its client data connection. One that is being made is called
    /// off.
    ClosePeer(ConnectionId),
    /// From the byte behind this request on the client's connection carries what is said to and by the peer: a client
    /// data connection. The answer that follows is the last message on it.
    JoinClient {
        /// The peer data connection.
        id: ConnectionId,
        /// Whose connection.
        client: FiveTuple,
    },
    /// Another server has the connection that this request names: hand the client's connection over to it, with this
    /// request, which is not answered here, and all bytes behind it.
    MoveClient {
        /// Whose connection.
        client: FiveTuple,
        /// The other server's number ([`crate::Server::numbered`]).
        server: u8,
    },
}

/// A request for a relayed socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BindRelayed {
    /// For which allocation; an allocation may ask once for each family.
    pub id: AllocationId,
    /// IPv4 or IPv6.
    pub family: Family,
    /// Which port will do.
    pub port: PortRequest,
}

/// Which port a relayed socket shall have (RFC 8656 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortRequest {
    /// Any, chosen at random (RFC 6056).
    Any,
    /// Any, of a TCP socket that listens: the relayed transport address is bound and taken before it is promised
    /// (RFC 6062 §5.1).
    Listening,
    /// An even one (EVEN-PORT with R = 0).
    Even,
    /// An even one whose next higher neighbour is bound too and held in reserve (EVEN-PORT with R = 1).
    EvenAndReserveNext,
    /// The port held in reserve by the allocation that made the reservation (RESERVATION-TOKEN).
    Reserved(RelayedTransportAddress),
}

/// A relayed socket exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Its address as peers see it.
    pub relayed: RelayedTransportAddress,
    /// The neighbour held in reserve, when that was asked for.
    pub reserved: Option<RelayedTransportAddress>,
}

/// Why no relayed socket could be bound. The client gets 508, or 440 for a family this machine does not relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindError {
    /// Every port of the range is taken.
    NoPort,
    /// No descriptor or memory is left.
    NoResources,
    /// There is no relay address of this family.
    NoAddress,
}

/// One channel binding, whole enough for a packet path that knows nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The allocation.
    pub id: AllocationId,
    /// Its client.
    pub client: FiveTuple,
    /// The channel.
    pub channel: ChannelNumber,
    /// The allocation's relayed transport address of the peer's family.
    pub relayed: RelayedTransportAddress,
    /// The peer.
    pub peer: PeerTransportAddress,
    /// When it ends unless refreshed.
    pub expires: Instant,
}
