//! [`Stats`]: plain counters, read by the shell on a tick.

use crate::peer_policy::Denied;

/// Counters that can also be walked by name, so that a metric can carry the name as a label.
macro_rules! counters {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: u64,)* }

        impl $name {
            /// Every counter with its name.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($field), self.$field),)*].into_iter()
            }
        }
    };
}

/// What one server has seen since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests by method, also those that were refused.
    pub requests: Requests,
    /// Refusals by code, also those that the limiter kept from being sent.
    pub refusals: Refusals,
    /// Peers refused with 403, by reason.
    pub denied_peers: DeniedPeers,
    /// Packets dropped without an answer, by reason.
    pub drops: Drops,
    /// Client to peer.
    pub forwarded: Traffic,
    /// Peer to client.
    pub wrapped: Traffic,
    /// Peer data connections of TCP allocations.
    pub connections: Connections,
    /// ICMP errors that clients were told of.
    pub icmp_reported: u64,
    /// Allocations that came to be.
    pub allocations_created: u64,
    /// Allocations that ended.
    pub allocations_ended: u64,
    /// Moves of allocations to another 5-tuple; one that came from another server is counted by the one it came to.
    pub allocations_moved: u64,
    /// Time-limited credentials verified anew by the first secret, the second, the third, and any later one: when
    /// the count of an old secret stands still, it may be removed.
    pub secrets: [u64; 4],
}

counters! {
    /// Requests by method.
    Requests {
        /// Binding.
        binding,
        /// Allocate.
        allocate,
        /// Refresh.
        refresh,
        /// CreatePermission.
        create_permission,
        /// ChannelBind.
        channel_bind,
        /// Connect.
        connect,
        /// ConnectionBind.
        connection_bind,
    }
}

counters! {
    /// Refusals by code; the metric's label is the code.
    Refusals {
        /// 300
        try_alternate,
        /// 400
        bad_request,
        /// 401
        unauthenticated,
        /// 403
        forbidden,
        /// 405
        mobility_forbidden,
        /// 420
        unknown_attribute,
        /// 437
        allocation_mismatch,
        /// 438
        stale_nonce,
        /// 440
        address_family_not_supported,
        /// 441
        wrong_credentials,
        /// 442
        unsupported_transport_protocol,
        /// 443
        peer_address_family_mismatch,
        /// 446
        connection_already_exists,
        /// 447
        connection_timeout_or_failure,
        /// 486
        allocation_quota_reached,
        /// 508
        insufficient_capacity,
    }
}

counters! {
    /// Peers refused with 403, by reason ([`crate::Denied`]).
    DeniedPeers {
        /// Not globally routable unicast.
        special_purpose,
        /// Excepted from the list, but that needs a second switch.
        dangerous,
        /// By the operator's own list.
        operator,
        /// A port of this machine that is none of the relay's.
        own_port,
    }
}

impl DeniedPeers {
    pub(crate) fn count(&mut self, denied: Denied) {
        *match denied {
            Denied::SpecialPurpose => &mut self.special_purpose,
            Denied::Dangerous => &mut self.dangerous,
            Denied::Operator => &mut self.operator,
            Denied::OwnPort => &mut self.own_port,
        } += 1;
    }
}

counters! {
    /// Packets dropped without an answer, by reason.
    Drops {
        /// Neither STUN nor ChannelData, or broken.
        malformed,
        /// FINGERPRINT does not hold.
        fingerprint,
        /// A class or method that a server does not take.
        unexpected,
        /// The limiter kept an answer back.
        limited,
        /// An indication with an attribute that must be understood and is not, or without one it needs.
        indication,
        /// ChannelData or Send without an allocation.
        no_allocation,
        /// ChannelData without a channel.
        no_channel,
        /// No permission for the peer, in either direction.
        no_permission,
        /// A Send to a port of this machine that is none of the relay's, or to port 0.
        denied_port,
        /// A Send in a TCP allocation.
        tcp_allocation,
        /// Faster than [`crate::Bandwidth`] allows, in either direction.
        over_bandwidth,
        /// An ICMP error that is not for the client: of another type, or the second within a second about one peer.
        icmp,
        /// Longer than a message can carry.
        too_long,
    }
}

counters! {
    /// Peer data connections (RFC 6062).
    Connections {
        /// Connects that succeeded.
        connected,
        /// Connects that failed, or took too long.
        failed,
        /// Made by peers and told to clients.
        accepted,
        /// Made by peers and closed at once: no permission, or no room.
        refused,
        /// Joined to a client data connection.
        bound,
        /// Closed because no ConnectionBind came, or with their allocation before it came.
        unbound,
        /// Ended, for whatever reason.
        ended,
    }
}

counters! {
    /// Packets and their payload.
    Traffic {
        /// Packets.
        packets,
        /// Bytes of payload.
        bytes,
    }
}

impl Traffic {
    pub(crate) fn count(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }
}
