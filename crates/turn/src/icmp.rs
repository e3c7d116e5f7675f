//! ICMP errors about relayed datagrams, told to the client (RFC 8656 §11.5).

use std::net::IpAddr;

use posthouse_stun::attribute::{AttributeType, Family};
use posthouse_stun::{Builder, Class, MessageType, Method, TransactionId};

use crate::{AllocationId, Now, PeerTransportAddress, Server};

/// An ICMP or ICMPv6 error that a relayed socket received, as the kernel gives it (Linux: `sock_extended_err`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icmp {
    /// The type; what it means depends on the peer's family.
    pub kind: u8,
    /// The code.
    pub code: u8,
    /// The next hop's MTU where the error tells one, otherwise not looked at.
    pub data: u32,
}

impl Server {
    /// Tells the client with a Data indication that has no DATA, if he still has a permission for the peer.
    pub(crate) fn icmp(&mut self, now: Now, at: AllocationId, peer: PeerTransportAddress, icmp: Icmp) {
        let drops = &mut self.stats.drops;
        let Some(data) = icmp.reported(peer.0.ip()) else {
            drops.icmp += 1;
            return;
        };
        let Some(allocation) = self.table.get_mut(at).filter(|a| a.lives(now.instant)) else {
            drops.no_allocation += 1;
            return;
        };
        match allocation.permissions.may_report(now.instant, peer.0.ip()) {
            None => drops.no_permission += 1,
            Some(false) => drops.icmp += 1,
            Some(true) => {
                let id = TransactionId(self.entropy.take());
                let kind = MessageType::new(Method::DATA, Class::Indication);
                self.response.write(allocation.five_tuple, |buffer| {
                    Builder::new(buffer, kind, id)
                        .xor_address(AttributeType::XOR_PEER_ADDRESS, peer.0)
                        .icmp(icmp.kind, icmp.code, data)
                        .finish()
                });
                self.stats.icmp_reported += 1;
            }
        }
    }
}

impl Icmp {
    /// The error data to report; `None` for a type that is none of §11.5: "destination unreachable" and "time exceeded"
    /// of both families and "packet too big".
    fn reported(self, peer: IpAddr) -> Option<u32> {
        match (Family::of(peer), self.kind, self.code) {
            // The MTU of the next hop, in these two and in no other (§18.13).
            (Family::V4, 3, 4) | (Family::V6, 2, _) => Some(self.data),
            (Family::V4, 3 | 11, _) | (Family::V6, 1 | 3, _) => Some(0),
            _ => None,
        }
    }
}
