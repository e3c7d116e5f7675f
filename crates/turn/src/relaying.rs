//! The hot path, both directions: no allocation, no lock, one hash from the client, none from the peer.

use std::net::SocketAddr;
use std::time::Instant;

use posthouse_stun::attribute::{AttributeType, Family};
use posthouse_stun::{Builder, ChannelData, Class, Message, MessageType, Method, TransactionId};

use crate::allocation::Allocation;
use crate::bandwidth::Limits;
use crate::mobility::Arrived;
use crate::peer_policy::Peer;
use crate::{AllocationId, FiveTuple, Forward, Now, PeerTransportAddress, Route, Server, Wrap, WrapHeader};

impl Server {
    /// ChannelData from a client (RFC 8656 §12.6).
    pub(crate) fn channel_data(&mut self, now: Now, from: &FiveTuple, packet: &[u8]) -> Option<Forward> {
        let drops = &mut self.stats.drops;
        let Ok(data) = ChannelData::parse(packet) else { return dropped(&mut drops.malformed) };
        let Some((id, allocation)) = living(&mut self.table, now.instant, from) else {
            return self.unallocated(now, from, packet);
        };
        let Some(channel) = allocation.channels.get(now.instant, data.number) else {
            return dropped(&mut drops.no_channel);
        };
        let (peer, route) = (channel.peer(), channel.route);
        // A channel outlives the permission it installed by five minutes; both are needed (RFC 8656 §9).
        if allocation.permissions.get(now.instant, peer.ip()).is_none() {
            return dropped(&mut drops.no_permission);
        }
        if over(self.limits.as_ref(), now, allocation, data.len) {
            return dropped(&mut drops.over_bandwidth);
        }
        allocation.forwarded.count(data.len);
        self.stats.forwarded.count(data.len);
        let to = PeerTransportAddress(peer);
        Some(Forward { from: id, to, payload: data.payload(), route, dont_fragment: false })
    }

    /// A Send indication whose attributes were read (RFC 8656 §11.2).
    pub(crate) fn send_to_peer(&mut self, now: Now, from: &FiveTuple, packet: &[u8], send: Send) -> Option<Forward> {
        let drops = &mut self.stats.drops;
        let Some((id, allocation)) = living(&mut self.table, now.instant, from) else {
            return self.unallocated(now, from, packet);
        };
        // "Send and Data indications" are of UDP allocations (RFC 6062 §3).
        if allocation.connections.is_some() {
            return dropped(&mut drops.tcp_allocation);
        }
        let Some(peer) = allocation.permissions.get(now.instant, send.peer.ip()) else {
            return dropped(&mut drops.no_permission);
        };
        // The policy may know a family that this allocation has no socket for.
        if !allocation.relayed.has(Family::of(send.peer.ip())) {
            return dropped(&mut drops.no_permission);
        }
        let Some(route) = self.settings.route(peer, send.peer.port()) else { return dropped(&mut drops.denied_port) };
        let len = send.payload.len();
        if over(self.limits.as_ref(), now, allocation, len) {
            return dropped(&mut drops.over_bandwidth);
        }
        allocation.forwarded.count(len);
        self.stats.forwarded.count(len);
        let to = PeerTransportAddress(send.peer);
        Some(Forward { from: id, to, payload: send.payload, route, dont_fragment: send.dont_fragment })
    }

    /// Data from a 5-tuple without an allocation: unless the client of one has moved there, it is dropped.
    fn unallocated(&mut self, now: Now, from: &FiveTuple, packet: &[u8]) -> Option<Forward> {
        match self.arrive(now, from, packet) {
            Arrived::Yes => self.handle_client(now, *from, packet),
            Arrived::Held => None,
            Arrived::No => dropped(&mut self.stats.drops.no_allocation),
        }
    }

    /// A datagram of `len` bytes that arrived at a relayed socket (RFC 8656 §11.3, §12.7).
    pub(crate) fn wrap(&mut self, now: Now, at: AllocationId, from: PeerTransportAddress, len: usize) -> Option<Wrap> {
        let drops = &mut self.stats.drops;
        let Some(allocation) = self.table.get_mut(at).filter(|a| a.lives(now.instant)) else {
            return dropped(&mut drops.no_allocation);
        };
        if allocation.permissions.get(now.instant, from.0.ip()).is_none() {
            return dropped(&mut drops.no_permission);
        }
        let to = allocation.five_tuple;
        let wrapped = match allocation.channels.of_peer(now.instant, from.0) {
            Some(channel) => ChannelData::header(channel.number, len).map(|header| {
                let padding = if to.transport.is_stream() { padding_of(len) } else { 0 };
                Wrap { to, header: WrapHeader::new(&header), padding }
            }),
            None => data_indication(TransactionId(self.entropy.take()), from.0, len).map(|header| Wrap {
                to,
                header,
                padding: padding_of(len),
            }),
        };
        let Some(wrap) = wrapped else { return dropped(&mut drops.too_long) };
        if over(self.limits.as_ref(), now, allocation, len) {
            return dropped(&mut drops.over_bandwidth);
        }
        allocation.wrapped.count(len);
        self.stats.wrapped.count(len);
        Some(wrap)
    }
}

/// What a Send indication asks for.
#[derive(Debug)]
pub(crate) struct Send {
    pub(crate) peer: SocketAddr,
    pub(crate) payload: std::ops::Range<usize>,
    pub(crate) dont_fragment: bool,
}

impl Send {
    /// Reads what §11.2 needs: XOR-PEER-ADDRESS and DATA, "otherwise the message is discarded".
    pub(crate) fn read(message: &Message<'_>) -> Option<Self> {
        let peer = message.xor_peer_address().ok().flatten()?;
        Some(Self { peer, payload: message.data_range()?, dont_fragment: message.dont_fragment().ok()? })
    }
}

impl crate::Settings {
    /// Where a datagram to a permitted peer goes; `None` when the port forbids it.
    ///
    /// On this machine only the relay's own ports may be reached, and those without a socket: everything else
    /// would open our listeners, and whatever else runs here, to the client.
    pub(crate) fn route(&self, peer: Peer, port: u16) -> Option<Route> {
        match peer {
            _ if port == 0 => None,
            Peer::Host => Some(Route::Peer),
            Peer::Own | Peer::OwnExcepted if self.relay_ports.contains(&port) => Some(Route::Relay),
            Peer::OwnExcepted if !self.own_ports.contains(&port) => Some(Route::Peer),
            Peer::Own | Peer::OwnExcepted => None,
        }
    }
}

fn living<'t>(
    table: &'t mut crate::table::Table,
    now: Instant,
    from: &FiveTuple,
) -> Option<(AllocationId, &'t mut Allocation)> {
    let id = table.find(from)?;
    table.get_mut(id).filter(|allocation| allocation.lives(now)).map(|allocation| (id, allocation))
}

/// The packet is one too many for the bandwidth; otherwise it is charged. Without limits this is one branch.
pub(crate) fn over(limits: Option<&Limits>, now: Now, allocation: &mut Allocation, len: usize) -> bool {
    limits.is_some_and(|limits| !limits.pass(now.instant, allocation, len))
}

/// The Data indication's bytes up to its payload: XOR-PEER-ADDRESS and the head of DATA (RFC 8656 §11.3).
fn data_indication(id: TransactionId, peer: SocketAddr, len: usize) -> Option<WrapHeader> {
    let mut header = WrapHeader { bytes: [0; WrapHeader::MAX], len: 0 };
    let written = Builder::new(&mut header.bytes, MessageType::new(Method::DATA, Class::Indication), id)
        .xor_address(AttributeType::XOR_PEER_ADDRESS, peer)
        .data_header(len)
        .finish_before_data(len)
        .ok()?;
    header.len = written as u8;
    Some(header)
}

fn padding_of(len: usize) -> u8 {
    (len.next_multiple_of(4) - len) as u8
}

fn dropped<T>(counter: &mut u64) -> Option<T> {
    *counter += 1;
    None
}
