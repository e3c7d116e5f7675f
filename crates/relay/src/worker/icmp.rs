//! ICMP errors about what relayed sockets sent: read, then left to the rules.

use posthouse_stun::attribute::Family;
use posthouse_turn::{AllocationId, Icmp, Now, PeerTransportAddress};

use super::Worker;
use crate::engine::Engine;
use crate::kernel::error_queue::{self, IcmpError};
use crate::sockets::{Token, Way};

/// Errors of one socket in a turn. Whoever floods a relayed socket with them does not keep others waiting: what is left is
/// reported again, and what the socket's buffer does not hold was never kept.
const SHARE: usize = 16;

impl<E: Engine> Worker<E> {
    /// Reads the errors of every socket that the engine found to have some.
    pub(super) fn icmp_errors(&mut self, now: Now) {
        while let Some(token) = self.sockets.failed.pop() {
            for _ in 0..SHARE {
                // Closed by a packet of this very batch, or all is read.
                let Some(Ok(entry)) = self.sockets.fd(token).map(error_queue::take) else { break };
                if let (Token::Relayed(named, family), Some(error)) = (token, entry) {
                    self.icmp_error(now, named, family, &error);
                }
            }
        }
    }

    fn icmp_error(&mut self, now: Now, named: AllocationId, family: Family, error: &IcmpError) {
        let Some(id) = self.sockets.whole_id(named).filter(|&id| self.sockets.relayed(id, family).is_some()) else {
            return;
        };
        let &IcmpError { to, kind, code, mtu } = error;
        let peer = PeerTransportAddress(self.ports.seen_from_outside(to));
        tracing::trace!(target: "relay", %peer, kind, code, "ICMP error");
        self.server.handle_icmp(now, id, peer, Icmp { kind, code, data: mtu });
        self.outputs(now, Way::default());
    }
}
