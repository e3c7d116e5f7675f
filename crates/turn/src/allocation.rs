//! [`Allocation`]: lifetime, permissions, channels; one owner (RFC 8656 §3.2).

use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Instant;

use posthouse_stun::attribute::Family;
use posthouse_stun::{ErrorCode, Key, PasswordAlgorithm, TransactionId};

use crate::auth::Signer;
use crate::bandwidth::Taken;
use crate::channel::Channels;
use crate::connection::Connections;
use crate::mobility::Mobile;
use crate::permission::Permissions;
use crate::quota::Grant;
use crate::stats::Traffic;
use crate::{AllocationId, FiveTuple, RelayedTransportAddress};

/// "All TURN operations revolve around allocations" (RFC 8656 §3.2). What is in here dies with it.
#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) five_tuple: FiveTuple,
    pub(crate) relayed: Relayed,
    pub(crate) permissions: Permissions,
    pub(crate) channels: Channels,
    /// Present in a TCP allocation (RFC 6062), which has neither channels nor datagrams.
    pub(crate) connections: Option<Box<Connections>>,
    pub(crate) forwarded: Traffic,
    pub(crate) wrapped: Traffic,
    /// Of its bandwidth.
    pub(crate) taken: Taken,
    pub(crate) created: Instant,
    pub(crate) expires: Instant,
    /// Its entry among the deadlines.
    pub(crate) deadline: Instant,
    /// USERNAME of the Allocate: later requests must carry the same (RFC 8656 §5).
    pub(crate) username: Box<str>,
    /// The user's share of the quotas, which also knows his id.
    pub(crate) grant: Grant,
    /// The key that verified last, so that a request costs one HMAC. Forgotten at a reload.
    pub(crate) key: Option<Box<(PasswordAlgorithm, Key)>>,
    /// The Allocate that made it, to know its retransmissions (RFC 8656 §7.2).
    pub(crate) transaction: TransactionId,
    /// LIFETIME in seconds as that Allocate was answered.
    pub(crate) granted: u32,
    /// Rare attributes of that answer.
    pub(crate) extra: Option<Box<Extra>>,
    /// Its client may move to another 5-tuple (RFC 8016).
    pub(crate) mobile: Option<Box<Mobile>>,
    /// Present until every relayed socket is bound; until then nothing was promised.
    pub(crate) pending: Option<Box<Pending>>,
}

/// What only some Allocate answers carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Extra {
    /// RESERVATION-TOKEN.
    pub(crate) token: Option<[u8; 8]>,
    /// ADDRESS-ERROR-CODE: the one family of two that could not be had.
    pub(crate) address_error: Option<(Family, ErrorCode)>,
}

/// An Allocate that waits for its sockets.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Families not reported yet.
    pub(crate) missing: Vec<Family>,
    /// How the answer is to be signed.
    pub(crate) signer: Signer,
    pub(crate) fingerprint: bool,
    /// The share of the quotas for the port that EVEN-PORT reserves.
    pub(crate) reserve: Option<Grant>,
    /// The first failure.
    pub(crate) failure: Option<(Family, ErrorCode)>,
}

impl Allocation {
    /// It was promised and its time has not come.
    pub(crate) fn lives(&self, now: Instant) -> bool {
        self.pending.is_none() && now < self.expires
    }

    /// When something happens to it next.
    pub(crate) fn next_event(&self) -> Instant {
        let connections = self.connections.as_deref().and_then(Connections::next_end);
        [self.channels.next_end(), connections].into_iter().flatten().fold(self.expires, Instant::min)
    }
}

/// Relayed transport addresses: one, or one of each family.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Relayed {
    v4: Option<SocketAddrV4>,
    v6: Option<SocketAddrV6>,
}

impl Relayed {
    pub(crate) fn get(&self, family: Family) -> Option<SocketAddr> {
        match family {
            Family::V4 => self.v4.map(SocketAddr::V4),
            Family::V6 => self.v6.map(SocketAddr::V6),
        }
    }

    pub(crate) fn set(&mut self, relayed: RelayedTransportAddress) {
        match relayed.0 {
            SocketAddr::V4(address) => self.v4 = Some(address),
            SocketAddr::V6(address) => self.v6 = Some(address),
        }
    }

    pub(crate) fn clear(&mut self, family: Family) {
        match family {
            Family::V4 => self.v4 = None,
            Family::V6 => self.v6 = None,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = SocketAddr> {
        [self.get(Family::V4), self.get(Family::V6)].into_iter().flatten()
    }

    pub(crate) fn has(&self, family: Family) -> bool {
        self.get(family).is_some()
    }

    pub(crate) fn is_at(&self, ip: IpAddr) -> bool {
        self.iter().any(|relayed| relayed.ip() == ip)
    }
}

/// One allocation as an operator sees it.
#[derive(Debug, Clone, Copy)]
pub struct AllocationView<'s> {
    /// Its name among all that ever were.
    pub id: AllocationId,
    /// Whose it is; empty when the credential names nobody.
    pub user: &'s str,
    /// Where the client is, where it reached us and how.
    pub client: FiveTuple,
    /// The IPv4 relayed transport address.
    pub relayed_v4: Option<RelayedTransportAddress>,
    /// The IPv6 relayed transport address.
    pub relayed_v6: Option<RelayedTransportAddress>,
    /// Addresses it has a permission for.
    pub permissions: usize,
    /// Channels that are bound.
    pub channels: usize,
    /// Peer data connections of a TCP allocation, those under way included; `None`: it relays datagrams.
    pub connections: Option<usize>,
    /// Client to peers.
    pub forwarded: Traffic,
    /// Peers to client.
    pub wrapped: Traffic,
    /// When it was made.
    pub created: Instant,
    /// When it ends unless refreshed.
    pub expires: Instant,
}

impl<'s> AllocationView<'s> {
    pub(crate) fn new(now: Instant, id: AllocationId, allocation: &'s Allocation) -> Self {
        Self {
            id,
            user: allocation.grant.user(),
            client: allocation.five_tuple,
            relayed_v4: allocation.relayed.get(Family::V4).map(RelayedTransportAddress),
            relayed_v6: allocation.relayed.get(Family::V6).map(RelayedTransportAddress),
            permissions: allocation.permissions.living(now),
            channels: allocation.channels.living(now),
            connections: allocation.connections.as_deref().map(Connections::len),
            forwarded: allocation.forwarded,
            wrapped: allocation.wrapped,
            created: allocation.created,
            expires: allocation.expires,
        }
    }
}
