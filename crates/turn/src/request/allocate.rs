//! Allocate (RFC 8656 §7.2) in two halves: what the client asks, and what the shell could bind.

use std::time::Duration;

use posthouse_stun::attribute::{AttributeType, EvenPort, Family};
use posthouse_stun::{Builder, Class, ErrorCode, Method};

use super::{Reply, Request};
use crate::allocation::{Allocation, Extra, Pending, Relayed};
use crate::auth::Caller;
use crate::bandwidth::Taken;
use crate::channel::Channels;
use crate::mobility::Mobile;
use crate::peer_policy::is_tunnelled;
use crate::permission::Permissions;
use crate::quota::Grant;
use crate::refusal::BadRequest;
use crate::reservation::{self, Reservation};
use crate::stats::Traffic;
use crate::{
    AllocationId, BindError, BindRelayed, Bound, Now, Output, PortRequest, Refusal, RelayedTransportAddress, Server,
    Settings,
};

/// Protocol numbers in REQUESTED-TRANSPORT.
const UDP: u8 = 17;
const TCP: u8 = 6;

impl Server {
    /// Checks the request and asks the shell for sockets; the answer is written when they are bound.
    pub(super) fn allocate(&mut self, request: &Request<'_>, caller: &Caller<'_>) -> Result<(), Refusal> {
        // 1. The long-term credential mechanism has passed.
        // 2. The 5-tuple is in use: 437, unless this is the request that made the allocation.
        if let Some(id) = self.table.find(&request.reply.to) {
            return self.allocate_again(request, caller, id);
        }
        // 3. to 9. What is asked for.
        let wanted = Wanted::read(request)?;
        // "At any point, the server MAY choose to reject the request with a 300": before anything that only we lack.
        if wanted.token.is_none() && request.is_for_alternate() {
            return Err(Refusal::TryAlternate);
        }
        let lifetime = lifetime(request, caller)?;
        let families = wanted.families(request.settings)?;
        // Connections do not move to another server.
        if wanted.mobility && (request.settings.mobility.is_none() || wanted.tcp) {
            return Err(Refusal::MobilityForbidden);
        }
        // What this server as a whole allows (§21.4; draining).
        if is_tunnelled(request.reply.to.client.ip()) {
            return Err(Refusal::TunnelledClient);
        }
        if !request.settings.accept_allocations {
            return Err(Refusal::InsufficientCapacity);
        }
        // 10. The quotas, for the reserved neighbour too, so that ports cannot be hoarded that way.
        let share = self.share(request, caller, &wanted)?;
        let id = self.begin(request, caller, lifetime, families, share);
        if wanted.mobility {
            self.make_mobile(id);
        }
        Ok(())
    }

    /// "The server MUST respond as it did before" to a retransmission (§7.2), and 437 to any other Allocate.
    fn allocate_again(&mut self, request: &Request<'_>, caller: &Caller<'_>, id: AllocationId) -> Result<(), Refusal> {
        let allocation = self.table.get(id).ok_or(Refusal::AllocationMismatch)?;
        if allocation.transaction != request.reply.transaction || &*allocation.username != caller.username {
            return Err(Refusal::AllocationMismatch);
        }
        if allocation.pending.is_none() {
            let success = Success::of(allocation, request.settings);
            self.succeed(&request.reply, Some(&caller.signer), |answer| success.write(answer, &request.reply));
        }
        Ok(())
    }

    fn share(&mut self, request: &Request<'_>, caller: &Caller<'_>, wanted: &Wanted) -> Result<Share, Refusal> {
        let user = request.settings.credentials.user_id(caller.username);
        if let Some(token) = wanted.token {
            let claimed = self.shared.reservations().claim(request.now.instant, token, user);
            let Reservation { relayed, grant, .. } = claimed.ok_or(Refusal::InsufficientCapacity)?;
            return Ok(Share { grant, reserve: None, port: PortRequest::Reserved(relayed) });
        }
        let source = request.reply.to.client.ip();
        let grant = || self.shared.grant(user, source, &request.settings.quotas);
        Ok(match wanted.even_port {
            None if wanted.tcp => Share { grant: grant()?, reserve: None, port: PortRequest::Listening },
            None => Share { grant: grant()?, reserve: None, port: PortRequest::Any },
            Some(EvenPort { reserve: false }) => Share { grant: grant()?, reserve: None, port: PortRequest::Even },
            Some(EvenPort { reserve: true }) => {
                Share { grant: grant()?, reserve: Some(grant()?), port: PortRequest::EvenAndReserveNext }
            }
        })
    }

    fn begin(
        &mut self,
        request: &Request<'_>,
        caller: &Caller<'_>,
        lifetime: Duration,
        families: Families,
        share: Share,
    ) -> AllocationId {
        let missing = match share.port {
            PortRequest::Reserved(relayed) => vec![Family::of(relayed.0.ip())],
            _ => families.wanted,
        };
        let expires = request.now.instant + lifetime;
        let id = self.table.insert(Box::new(Allocation {
            five_tuple: request.reply.to,
            relayed: Relayed::default(),
            permissions: Permissions::default(),
            channels: Channels::default(),
            connections: (share.port == PortRequest::Listening).then(Box::default),
            forwarded: Traffic::default(),
            wrapped: Traffic::default(),
            taken: Taken::default(),
            created: request.now.instant,
            expires,
            deadline: expires,
            username: caller.username.into(),
            grant: share.grant,
            key: Some(Box::new((caller.algorithm, caller.signer.key.clone()))),
            transaction: request.reply.transaction,
            granted: lifetime.as_secs() as u32,
            extra: None,
            mobile: None,
            pending: Some(Box::new(Pending {
                missing: missing.clone(),
                signer: caller.signer.clone(),
                fingerprint: request.reply.fingerprint,
                reserve: share.reserve,
                failure: families.refused.map(|family| (family, ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED)),
            })),
        }));
        self.deadlines.insert(expires, id);
        for family in missing {
            self.outputs.push_back(Output::BindRelayed(BindRelayed { id, family, port: share.port }));
        }
        id
    }

    /// The shell has tried one socket. When all were tried, the client hears of it.
    pub(crate) fn bound(&mut self, now: Now, id: AllocationId, family: Family, result: Result<Bound, BindError>) {
        let Some(allocation) = self.table.get_mut(id) else { return };
        let Some(pending) = allocation.pending.as_deref_mut() else { return };
        let Some(at) = pending.missing.iter().position(|&missing| missing == family) else { return };
        pending.missing.swap_remove(at);
        let reserved = match result {
            Ok(Bound { relayed, reserved }) => {
                allocation.relayed.set(relayed);
                // Datagrams for a TCP allocation find nobody.
                if allocation.connections.is_none() {
                    self.table.index_relayed(id, relayed.0);
                }
                reserved
            }
            Err(error) => {
                pending.failure.get_or_insert((family, error.code()));
                None
            }
        };
        if let Some(neighbour) = reserved {
            self.reserve(now, id, neighbour);
        }
        self.finish_when_bound(id);
    }

    /// Holds the neighbour under a token that only its owner learns.
    fn reserve(&mut self, now: Now, id: AllocationId, relayed: RelayedTransportAddress) {
        let token = self.entropy.take();
        let Some(allocation) = self.table.get_mut(id) else { return };
        let Some(grant) = allocation.pending.as_deref_mut().and_then(|p| p.reserve.take()) else {
            self.outputs.push_back(Output::ReleaseReserved(relayed));
            return;
        };
        allocation.extra.get_or_insert_default().token = Some(token);
        let expires = now.instant + reservation::LIFETIME;
        self.shared.reservations().insert(token, Reservation { relayed, grant, expires });
        self.reserved.push_back((expires, token));
    }

    fn finish_when_bound(&mut self, id: AllocationId) {
        let Some(allocation) = self.table.get_mut(id) else { return };
        let Some(pending) = allocation.pending.take_if(|p| p.missing.is_empty()) else { return };
        let reply = Reply {
            to: allocation.five_tuple,
            method: Method::ALLOCATE,
            transaction: allocation.transaction,
            fingerprint: pending.fingerprint,
        };
        match pending.failure {
            Some((_, code)) if allocation.relayed.iter().next().is_none() => {
                self.forget(id);
                let refusal = refusal_of(code);
                self.stats.refusals.count(&refusal);
                self.respond(&reply, Class::Error, Some(&pending.signer), |answer| {
                    answer.error_code(code, code.reason());
                });
            }
            failure => {
                if failure.is_some() {
                    allocation.extra.get_or_insert_default().address_error = failure;
                }
                let success = Success::of(allocation, &self.settings);
                self.stats.allocations_created += 1;
                self.succeed(&reply, Some(&pending.signer), |answer| success.write(answer, &reply));
            }
        }
    }
}

impl Request<'_> {
    /// Another server is named for clients of this family. A reserved port is here and nowhere else.
    fn is_for_alternate(&self) -> bool {
        let family = Family::of(self.reply.to.client.ip());
        self.settings.alternate.as_ref().is_some_and(|alternate| alternate.server(family).is_some())
    }
}

/// What the quotas gave.
struct Share {
    grant: Grant,
    reserve: Option<Grant>,
    port: PortRequest,
}

/// What an Allocate asks for, free of contradictions.
struct Wanted {
    tcp: bool,
    family: Option<Family>,
    additional: bool,
    even_port: Option<EvenPort>,
    token: Option<[u8; 8]>,
    /// It asks for a ticket (RFC 8016 §3.1.2).
    mobility: bool,
}

impl Wanted {
    /// Steps 3 to 9 of §7.2, as far as they do not depend on this server.
    fn read(request: &Request<'_>) -> Result<Self, Refusal> {
        let message = &request.message;
        // 3. REQUESTED-TRANSPORT must be there, and be UDP, or TCP where that is offered.
        let kind = AttributeType::REQUESTED_TRANSPORT;
        let transport = message.requested_transport()?.ok_or(Refusal::missing(kind))?;
        let tcp = transport == TCP && request.settings.tcp_allocations;
        if transport != UDP && !tcp {
            return Err(Refusal::UnsupportedTransportProtocol);
        }
        // 4. DONT-FRAGMENT only asks whether we could, and we can.
        let dont_fragment = message.dont_fragment()?;
        let family = message.requested_address_family()?.map(known_family).transpose()?;
        let additional = message.additional_address_family()?.map(known_family).transpose()?;
        let even_port = message.even_port()?;
        let token = message.reservation_token()?;
        // 5. A reserved port has its parity and family already.
        let by_token = token.map(|_| AttributeType::RESERVATION_TOKEN);
        exclude(by_token, even_port.map(|_| AttributeType::EVEN_PORT))?;
        exclude(by_token, family.map(|_| AttributeType::REQUESTED_ADDRESS_FAMILY))?;
        let by_additional = additional.map(|_| AttributeType::ADDITIONAL_ADDRESS_FAMILY);
        exclude(by_token, by_additional)?;
        // 6. and 9. "Additional" means IPv4 and IPv6; it says nothing beside a family, and only IPv6 can be added.
        exclude(by_additional, family.map(|_| AttributeType::REQUESTED_ADDRESS_FAMILY))?;
        if additional == Some(Family::V4) {
            return Err(Refusal::malformed(AttributeType::ADDITIONAL_ADDRESS_FAMILY));
        }
        // 8. One token cannot reserve two ports.
        let reserving = even_port.filter(|e| e.reserve).map(|_| AttributeType::EVEN_PORT);
        exclude(by_additional, reserving)?;
        let ticket = message.mobility_ticket();
        if ticket.is_some_and(|ticket| !ticket.is_empty()) {
            return Err(Refusal::malformed(AttributeType::MOBILITY_TICKET));
        }
        if tcp {
            let dont_fragment = dont_fragment.then_some(AttributeType::DONT_FRAGMENT);
            let even_port = even_port.map(|_| AttributeType::EVEN_PORT);
            check_tcp(request, [dont_fragment, even_port, by_token])?;
        }
        Ok(Self { tcp, family, additional: additional.is_some(), even_port, token, mobility: ticket.is_some() })
    }

    /// 7. The families this server offers; 440 when it has none of those asked for.
    fn families(&self, settings: &Settings) -> Result<Families, Refusal> {
        let offered = |family: &Family| settings.families.offers(*family);
        let asked: &[Family] = match (self.additional, self.family) {
            (true, _) => &[Family::V4, Family::V6],
            (false, Some(Family::V6)) => &[Family::V6],
            (false, _) => &[Family::V4],
        };
        let wanted: Vec<Family> = asked.iter().copied().filter(offered).collect();
        // A reserved port speaks for itself.
        if wanted.is_empty() && self.token.is_none() {
            return Err(Refusal::AddressFamilyNotSupported);
        }
        Ok(Families { wanted, refused: asked.iter().copied().find(|family| self.additional && !offered(family)) })
    }
}

/// Families to bind, and the one of two that this server does not have.
struct Families {
    wanted: Vec<Family>,
    refused: Option<Family>,
}

/// The body of a success response (§7.2): the same for every retransmission.
#[derive(Debug, Clone, Copy)]
struct Success {
    relayed: Relayed,
    lifetime: u32,
    extra: Extra,
    /// MOBILITY-TICKET.
    ticket: Option<[u8; 32]>,
}

impl Success {
    fn of(allocation: &Allocation, settings: &Settings) -> Self {
        let extra = allocation.extra.as_deref().copied().unwrap_or_default();
        let ticket = allocation.mobile.as_deref().and_then(Mobile::first_ticket);
        let ticket = ticket.and_then(|ticket| settings.seal(ticket));
        Self { relayed: allocation.relayed, lifetime: allocation.granted, extra, ticket }
    }

    fn write(&self, answer: &mut Builder<'_>, reply: &Reply) {
        for relayed in self.relayed.iter() {
            answer.xor_address(AttributeType::XOR_RELAYED_ADDRESS, relayed);
        }
        answer.number(AttributeType::LIFETIME, self.lifetime);
        if let Some(token) = self.extra.token {
            answer.attribute(AttributeType::RESERVATION_TOKEN, &token);
        }
        answer.xor_address(AttributeType::XOR_MAPPED_ADDRESS, reply.to.client);
        if let Some(ticket) = self.ticket {
            answer.attribute(AttributeType::MOBILITY_TICKET, &ticket);
        }
        if let Some((family, code)) = self.extra.address_error {
            // family 8 | reserved 13 | class 3 | number 8, and no phrase (§18.12)
            let [_, _, class, number] = code.to_bytes();
            answer.attribute(AttributeType::ADDRESS_ERROR_CODE, &[family.to_byte(), 0, class, number]);
        }
    }
}

/// The lifetime to grant (§7.2): at least the default, at most the maximum, and no longer than a strict expiry allows.
fn lifetime(request: &Request<'_>, caller: &Caller<'_>) -> Result<Duration, Refusal> {
    let asked = request.message.lifetime()?.map_or(Duration::ZERO, |seconds| Duration::from_secs(seconds.into()));
    Ok(request.settings.within_expiry(request.now, caller.username, request.settings.clamp(asked)))
}

impl Settings {
    pub(crate) fn clamp(&self, asked: Duration) -> Duration {
        asked.min(self.max_lifetime).max(self.default_lifetime)
    }
}

/// A TCP allocation is made over TCP or TLS, and what speaks of datagrams and pairs of ports is 400 (RFC 6062 §5.1).
fn check_tcp(request: &Request<'_>, of_datagrams: [Option<AttributeType>; 3]) -> Result<(), Refusal> {
    if !request.reply.to.transport.is_stream() {
        return Err(Refusal::BadRequest(BadRequest::TcpOverUdp));
    }
    let kind = AttributeType::REQUESTED_TRANSPORT;
    of_datagrams.into_iter().try_for_each(|other| exclude(Some(kind), other))
}

/// A family byte that is neither IPv4 nor IPv6 is one more family we do not have.
pub(super) fn known_family(family: Result<Family, u8>) -> Result<Family, Refusal> {
    family.map_err(|_| Refusal::AddressFamilyNotSupported)
}

fn exclude(one: Option<AttributeType>, other: Option<AttributeType>) -> Result<(), Refusal> {
    match (one, other) {
        (Some(one), Some(other)) => Err(Refusal::BadRequest(BadRequest::Contradiction(one, other))),
        _ => Ok(()),
    }
}

fn refusal_of(code: ErrorCode) -> Refusal {
    match code {
        ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED => Refusal::AddressFamilyNotSupported,
        _ => Refusal::InsufficientCapacity,
    }
}

impl BindError {
    const fn code(self) -> ErrorCode {
        match self {
            Self::NoPort | Self::NoResources => ErrorCode::INSUFFICIENT_CAPACITY,
            Self::NoAddress => ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED,
        }
    }
}
