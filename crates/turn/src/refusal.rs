//! [`Refusal`]: every way to say no, with its error code.

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{AttributeError, ErrorCode};

use crate::peer_policy::Denied;
use crate::stats::Refusals;

/// A rule said no to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 300: another server shall be asked. The answer carries its address.
    TryAlternate,
    /// 400: something is missing, malformed or contradicts itself.
    BadRequest(BadRequest),
    /// 401: no proof, or not a good one. The answer carries realm, nonce and algorithms.
    Unauthenticated,
    /// 403: a peer that is not relayed to.
    PeerDenied(Denied),
    /// 403: a client behind 6to4 or Teredo (RFC 8656 §21.4).
    TunnelledClient,
    /// 405: a client wants to be mobile, the operator does not (RFC 8016 §3.1.2).
    MobilityForbidden,
    /// 420: attributes that must be understood and are not.
    UnknownAttributes,
    /// 437: there is no allocation, or there is one already.
    AllocationMismatch,
    /// 438: the nonce is too old, somebody else's, or not ours. The answer carries a new one.
    StaleNonce,
    /// 440: no relay address of the family.
    AddressFamilyNotSupported,
    /// 441: the allocation belongs to another user.
    WrongCredentials,
    /// 442: REQUESTED-TRANSPORT asks for something but UDP and, where they are offered, TCP.
    UnsupportedTransportProtocol,
    /// 403: a channel in a TCP allocation, or a connection in one of datagrams.
    WrongRelayedTransport,
    /// 446: there is a connection with this peer, or it is being made (RFC 6062 §5.2).
    ConnectionAlreadyExists,
    /// 447: the peer did not take the connection, or not in time (RFC 6062 §5.2).
    ConnectionFailed,
    /// 443: the peer's family is none of the allocation's.
    PeerAddressFamilyMismatch,
    /// 486: the user, or his network, has enough.
    AllocationQuotaReached,
    /// 508: no port, no descriptor, no room, no such reservation.
    InsufficientCapacity,
}

/// What is wrong with a request that gets 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRequest {
    /// An attribute that the method or the authentication needs is absent.
    Missing(AttributeType),
    /// An attribute's value cannot be.
    Malformed(AttributeType),
    /// Two attributes that exclude each other.
    Contradiction(AttributeType, AttributeType),
    /// The channel or the peer is bound to another, or was until a moment ago (RFC 8656 §12.2).
    ChannelTaken,
    /// A ticket came from the 5-tuple where its client is anyway (RFC 8016 §3.2.2).
    NotMoved,
    /// A TCP allocation, over UDP (RFC 6062 §5.1).
    TcpOverUdp,
    /// ConnectionBind over UDP, or on a connection that has an allocation (RFC 6062 §5.4).
    NoDataConnection,
    /// No peer data connection waits under this CONNECTION-ID (RFC 6062 §5.4).
    NoSuchConnection,
}

impl Refusal {
    /// The code on the wire.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::TryAlternate => ErrorCode::TRY_ALTERNATE,
            Self::BadRequest(_) => ErrorCode::BAD_REQUEST,
            Self::Unauthenticated => ErrorCode::UNAUTHENTICATED,
            Self::PeerDenied(_) | Self::TunnelledClient | Self::WrongRelayedTransport => ErrorCode::FORBIDDEN,
            Self::MobilityForbidden => ErrorCode::MOBILITY_FORBIDDEN,
            Self::UnknownAttributes => ErrorCode::UNKNOWN_ATTRIBUTE,
            Self::AllocationMismatch => ErrorCode::ALLOCATION_MISMATCH,
            Self::StaleNonce => ErrorCode::STALE_NONCE,
            Self::AddressFamilyNotSupported => ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED,
            Self::WrongCredentials => ErrorCode::WRONG_CREDENTIALS,
            Self::UnsupportedTransportProtocol => ErrorCode::UNSUPPORTED_TRANSPORT_PROTOCOL,
            Self::PeerAddressFamilyMismatch => ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH,
            Self::ConnectionAlreadyExists => ErrorCode::CONNECTION_ALREADY_EXISTS,
            Self::ConnectionFailed => ErrorCode::CONNECTION_TIMEOUT_OR_FAILURE,
            Self::AllocationQuotaReached => ErrorCode::ALLOCATION_QUOTA_REACHED,
            Self::InsufficientCapacity => ErrorCode::INSUFFICIENT_CAPACITY,
        }
    }

    pub(crate) const fn missing(kind: AttributeType) -> Self {
        Self::BadRequest(BadRequest::Missing(kind))
    }

    pub(crate) const fn malformed(kind: AttributeType) -> Self {
        Self::BadRequest(BadRequest::Malformed(kind))
    }

    /// The answer invites the client to try again with realm and nonce.
    pub(crate) const fn is_challenge(&self) -> bool {
        matches!(self, Self::Unauthenticated | Self::StaleNonce)
    }
}

impl From<AttributeError> for Refusal {
    fn from(error: AttributeError) -> Self {
        match error {
            AttributeError::Length { kind, .. }
            | AttributeError::Family { kind, .. }
            | AttributeError::Value { kind } => Self::malformed(kind),
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::PeerDenied(denied)
    }
}

impl Refusals {
    pub(crate) fn count(&mut self, refusal: &Refusal) {
        *match refusal {
            Refusal::TryAlternate => &mut self.try_alternate,
            Refusal::BadRequest(_) => &mut self.bad_request,
            Refusal::Unauthenticated => &mut self.unauthenticated,
            Refusal::PeerDenied(_) | Refusal::TunnelledClient | Refusal::WrongRelayedTransport => &mut self.forbidden,
            Refusal::MobilityForbidden => &mut self.mobility_forbidden,
            Refusal::UnknownAttributes => &mut self.unknown_attribute,
            Refusal::AllocationMismatch => &mut self.allocation_mismatch,
            Refusal::StaleNonce => &mut self.stale_nonce,
            Refusal::AddressFamilyNotSupported => &mut self.address_family_not_supported,
            Refusal::WrongCredentials => &mut self.wrong_credentials,
            Refusal::UnsupportedTransportProtocol => &mut self.unsupported_transport_protocol,
            Refusal::PeerAddressFamilyMismatch => &mut self.peer_address_family_mismatch,
            Refusal::ConnectionAlreadyExists => &mut self.connection_already_exists,
            Refusal::ConnectionFailed => &mut self.connection_timeout_or_failure,
            Refusal::AllocationQuotaReached => &mut self.allocation_quota_reached,
            Refusal::InsufficientCapacity => &mut self.insufficient_capacity,
        } += 1;
    }
}
