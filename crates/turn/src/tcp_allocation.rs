//! TCP allocations (RFC 6062): what happens to the peer data connections of one, besides the client's own requests.

use std::net::SocketAddr;
use std::time::Instant;

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Builder, Class, MessageType, Method, TransactionId};

use crate::allocation::Allocation;
use crate::connection::{Asked, BIND_PATIENCE, Connection, ConnectionId, Direction, State};
use crate::relaying::over;
use crate::request::Reply;
use crate::{AllocationId, FiveTuple, Now, Output, PeerTransportAddress, Refusal, Route, Server, Settings};

/// Bytes that bandwidth is asked for at a time: of a longer read a part may pass.
const PIECE: usize = 4096;

impl Server {
    /// How an [`Output::ConnectPeer`] ended: the answer to the Connect.
    pub(crate) fn connected(&mut self, now: Now, id: ConnectionId, connected: bool) {
        self.expire(now.instant);
        let Some(&at) = self.connections.get(&id) else { return };
        if !connected {
            return self.fail(at, id);
        }
        let Some(allocation) = self.table.get_mut(at) else { return };
        let to = allocation.five_tuple;
        let Some(connection) = allocation.connections.as_deref_mut().and_then(|c| c.get_mut(id)) else { return };
        let State::Connecting { .. } = connection.state else { return };
        let unbound = State::Unbound { until: now.instant + BIND_PATIENCE };
        if let State::Connecting { asked, .. } = std::mem::replace(&mut connection.state, unbound) {
            self.stats.connections.connected += 1;
            self.reschedule(at);
            self.succeed(&asked.reply(to), Some(&asked.signer), |answer| {
                answer.number(AttributeType::CONNECTION_ID, id.0);
            });
        }
    }

    /// The shell could not connect, in time or at all: 447.
    fn fail(&mut self, at: AllocationId, id: ConnectionId) {
        let Some(allocation) = self.table.get_mut(at) else { return };
        let to = allocation.five_tuple;
        let Some(connection) = allocation.connections.as_deref_mut().and_then(|c| c.remove(id)) else { return };
        self.gone(to, connection);
        self.reschedule(at);
    }

    /// The 447s that are due, one at a time: there is one buffer for answers, and it is taken now.
    pub(crate) fn answer_failed(&mut self) {
        let Some((to, asked)) = self.failed.pop_front() else { return };
        let refusal = Refusal::ConnectionFailed;
        self.stats.refusals.count(&refusal);
        self.respond(&asked.reply(to), Class::Error, Some(&asked.signer), |answer| {
            answer.error_code(refusal.code(), refusal.code().reason());
        });
    }

    /// A peer connected to the relayed transport address (RFC 6062 §5.3): the client is told, or nobody is.
    pub(crate) fn accepted(&mut self, now: Now, at: AllocationId, from: PeerTransportAddress) -> Option<ConnectionId> {
        self.expire(now.instant);
        let id = self.draw_connection_id();
        let max = self.settings.max_connections;
        let allocation = self.table.get_mut(at).filter(|a| a.lives(now.instant));
        let permitted = allocation.filter(|a| a.permissions.get(now.instant, from.0.ip()).is_some());
        let room = permitted.and_then(|a| Some((a.five_tuple, a.connections.as_deref_mut()?)));
        let Some((client, connections)) = room.filter(|(_, c)| c.len() < max && !c.has_peer(from.0)) else {
            self.stats.connections.refused += 1;
            return None;
        };
        let state = State::Unbound { until: now.instant + BIND_PATIENCE };
        connections.insert(Connection { id, peer: from.0, state });
        self.connections.insert(id, at);
        self.stats.connections.accepted += 1;
        self.reschedule(at);
        let transaction = TransactionId(self.entropy.take());
        self.response.write(client, |buffer| {
            let kind = MessageType::new(Method::CONNECTION_ATTEMPT, Class::Indication);
            Builder::new(buffer, kind, transaction)
                .xor_address(AttributeType::XOR_PEER_ADDRESS, from.0)
                .number(AttributeType::CONNECTION_ID, id.0)
                .finish()
        });
        Some(id)
    }

    /// How many of `len` bytes may go on now.
    pub(crate) fn data(&mut self, now: Now, id: ConnectionId, direction: Direction, len: usize) -> usize {
        let at = self.connections.get(&id);
        let Some(allocation) = at.and_then(|&at| self.table.get_mut(at)).filter(|a| a.lives(now.instant)) else {
            return 0;
        };
        let mut passed = if self.limits.is_none() { len } else { 0 };
        while passed < len {
            let piece = (len - passed).min(PIECE);
            if over(self.limits.as_ref(), now, allocation, piece) {
                break;
            }
            passed += piece;
        }
        if passed > 0 {
            let (own, all) = match direction {
                Direction::ToPeer => (&mut allocation.forwarded, &mut self.stats.forwarded),
                Direction::ToClient => (&mut allocation.wrapped, &mut self.stats.wrapped),
            };
            own.count(passed);
            all.count(passed);
        }
        passed
    }

    /// A data connection ended by itself (RFC 6062 §5.5).
    pub(crate) fn connection_closed(&mut self, id: ConnectionId) {
        let Some(at) = self.connections.remove(&id) else { return };
        if let Some(connections) = self.table.get_mut(at).and_then(|a| a.connections.as_deref_mut()) {
            connections.remove(id);
        }
        self.stats.connections.ended += 1;
        self.reschedule(at);
    }

    /// Ends the connections of an allocation that `ends` picks.
    pub(crate) fn remove_connections(&mut self, at: AllocationId, ends: impl Fn(&Connection) -> bool) {
        let Some(allocation) = self.table.get_mut(at) else { return };
        let to = allocation.five_tuple;
        let mut ended = Vec::new();
        if let Some(connections) = allocation.connections.as_deref_mut() {
            ended.extend(std::iter::from_fn(|| connections.take(&ends)));
        }
        for connection in ended {
            self.gone(to, connection);
        }
    }

    /// A connection that was taken out of its allocation.
    fn gone(&mut self, client: FiveTuple, connection: Connection) {
        let Connection { id, state, .. } = connection;
        self.connections.remove(&id);
        self.stats.connections.ended += 1;
        match state {
            State::Connecting { asked, .. } => {
                self.stats.connections.failed += 1;
                self.failed.push_back((client, asked));
            }
            State::Unbound { .. } => self.stats.connections.unbound += 1,
            State::Bound => {}
        }
        self.outputs.push_back(Output::ClosePeer(id));
    }

    /// Patience with some connections of an allocation is over.
    pub(crate) fn remove_late(&mut self, at: AllocationId, now: Instant) {
        self.remove_connections(at, |connection| connection.is_late(now));
    }

    /// A number that no living connection has and nobody can guess, in this server's residue class.
    pub(crate) fn draw_connection_id(&mut self) -> ConnectionId {
        let (number, servers) = (u32::from(self.mobility.server), u32::from(self.servers));
        loop {
            let drawn = u32::from_ne_bytes(self.entropy.take());
            let id = drawn.checked_sub(drawn % servers).and_then(|base| base.checked_add(number)).map(ConnectionId);
            if let Some(id) = id.filter(|id| !self.connections.contains_key(id)) {
                return id;
            }
        }
    }

    /// The number of the server that drew an id.
    pub(crate) fn drawn_by(&self, id: ConnectionId) -> u8 {
        (id.0 % u32::from(self.servers)) as u8
    }

    /// The allocation behind a CONNECTION-ID of this server.
    pub(crate) fn connection_owner(&self, id: ConnectionId) -> Option<&Allocation> {
        self.table.get(*self.connections.get(&id)?)
    }
}

impl Asked {
    fn reply(&self, to: FiveTuple) -> Reply {
        Reply { to, method: Method::CONNECT, transaction: self.transaction, fingerprint: self.fingerprint }
    }
}

impl Settings {
    /// Where a connection to `peer` goes; `None` where none may. Our listeners are denied at every address that leads
    /// to this machine.
    pub(crate) fn connect_route(&self, peer: SocketAddr) -> Option<Route> {
        let route = self.route_to(peer)?;
        let is_listener = peer.ip().is_loopback() && self.own_ports.contains(&peer.port());
        (route == Route::Relay || !is_listener).then_some(route)
    }
}
