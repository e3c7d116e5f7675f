//! Connect (RFC 6062 §5.2).

use posthouse_stun::attribute::AttributeType;

use super::Request;
use crate::auth::Caller;
use crate::connection::{Asked, CONNECT_PATIENCE, Connection, State};
use crate::{Denied, Output, PeerTransportAddress, Refusal, Server};

impl Server {
    /// Checks the request and asks the shell to connect; the answer is written when that has ended.
    pub(super) fn connect(&mut self, request: &Request<'_>, caller: &Caller<'_>) -> Result<(), Refusal> {
        // "A TCP connection for which no allocation exists": 437.
        let at = self.owned(request, caller)?;
        let allocation = self.table.get(at).ok_or(Refusal::AllocationMismatch)?;
        let connections = allocation.connections.as_deref().ok_or(Refusal::WrongRelayedTransport)?;
        let kind = AttributeType::XOR_PEER_ADDRESS;
        let peer = request.message.xor_peer_address()?.ok_or(Refusal::missing(kind))?;
        if peer.port() == 0 {
            return Err(Refusal::malformed(kind));
        }
        // Under way, waiting to be bound, or bound: 446.
        if connections.has_peer(peer) {
            return Err(Refusal::ConnectionAlreadyExists);
        }
        // 443 and 403. What connects to itself would have no other end.
        self.check_peer(request, at, peer.ip())?;
        let route = request.settings.connect_route(peer);
        let route = route.filter(|_| !allocation.relayed.iter().any(|own| own == peer)).ok_or(Denied::OwnPort)?;
        if !connections.may_connect(request.settings.max_connections) {
            return Err(Refusal::InsufficientCapacity);
        }
        let id = self.draw_connection_id();
        let asked = Asked {
            transaction: request.reply.transaction,
            signer: caller.signer.clone(),
            fingerprint: request.reply.fingerprint,
        };
        let state = State::Connecting { until: request.now.instant + CONNECT_PATIENCE, asked: Box::new(asked) };
        if let Some(connections) = self.table.get_mut(at).and_then(|a| a.connections.as_deref_mut()) {
            connections.insert(Connection { id, peer, state });
        }
        self.connections.insert(id, at);
        self.reschedule(at);
        self.outputs.push_back(Output::ConnectPeer { id, from: at, to: PeerTransportAddress(peer), route });
        Ok(())
    }
}
