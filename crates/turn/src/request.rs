//! Method to handler; unknown attributes; how an answer, yes or no, is written.

mod allocate;
mod binding;
mod channel_bind;
mod connect;
mod connection_bind;
mod create_permission;
mod refresh;
mod send;

use std::net::IpAddr;
use std::sync::Arc;

use posthouse_stun::attribute::{AttributeType, Family};
use posthouse_stun::{Builder, Class, Fingerprint, Message, MessageType, Method, TransactionId};

use crate::auth::{Caller, PASSWORD_ALGORITHMS, Signer};
use crate::mobility::Arrived;
use crate::{AllocationId, Alternate, Discovery, FiveTuple, Forward, Now, Refusal, Server, Settings, Transport};

/// One request and what it is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'r> {
    pub(crate) now: Now,
    pub(crate) settings: &'r Settings,
    pub(crate) message: Message<'r>,
    pub(crate) reply: Reply,
}

impl<'r> Request<'r> {
    /// The discovery that serves this request: a Binding over UDP at one of its four addresses.
    fn discovery(&self) -> Option<&'r Discovery> {
        let Reply { to, method, .. } = self.reply;
        let asked = method == Method::BINDING && to.transport == Transport::Udp;
        self.settings.discovery.iter().find(|discovery| asked && discovery.is_at(to.server))
    }

    /// Attributes that must be understood and are not.
    fn unknown_attributes(&self) -> impl Iterator<Item = AttributeType> + 'r {
        let known = match self.reply.method {
            Method::CONNECTION_BIND => is_known_to_connection_bind,
            _ if self.discovery().is_some() => is_known_to_discovery,
            _ => is_known,
        };
        self.message.unknown_attributes(known)
    }
}

/// What an answer repeats from its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reply {
    pub(crate) to: FiveTuple,
    pub(crate) method: Method,
    pub(crate) transaction: TransactionId,
    /// The request had a FINGERPRINT, so the answer has one: the client may need it to tell STUN from other traffic.
    pub(crate) fingerprint: bool,
}

/// More unknown attributes than this are not listed: the answer must not outgrow the question by much.
const UNKNOWN_LISTED: usize = 16;

impl Server {
    /// One STUN message: a request is answered, a Send indication forwarded, everything else dropped.
    pub(crate) fn message(&mut self, now: Now, from: FiveTuple, packet: &[u8]) -> Option<Forward> {
        let Ok(message) = Message::parse(packet) else {
            self.classic_binding(now, from, packet);
            return None;
        };
        let fingerprint = message.fingerprint();
        match (message.class(), message.method()) {
            _ if fingerprint == Fingerprint::Invalid => self.stats.drops.fingerprint += 1,
            (Class::Indication, Method::SEND) => return self.send(now, &from, &message),
            (Class::Request, method) if is_served(method, &self.settings) => {
                let settings = Arc::clone(&self.settings);
                let fingerprint = fingerprint == Fingerprint::Valid;
                let reply = Reply { to: from, method, transaction: message.transaction_id(), fingerprint };
                self.request(&Request { now, settings: &settings, message, reply });
            }
            // Answers are for clients, other indications for agents that gather (RFC 8489 §6.3).
            _ => self.stats.drops.unexpected += 1,
        }
        None
    }

    fn request(&mut self, request: &Request<'_>) {
        if request.reply.method == Method::BINDING {
            return self.binding(request);
        }
        let Request { now, message, reply, .. } = request;
        if !request.resumes() && self.arrive(*now, &reply.to, message.as_bytes()) == Arrived::Held {
            return;
        }
        self.count(reply.method);
        let caller = match self.authenticate(request) {
            Ok(caller) => caller,
            Err(refusal) => return self.refuse(request, None, refusal),
        };
        if let Err(refusal) = self.authenticated(request, &caller) {
            self.refuse(request, Some(&caller.signer), refusal);
        }
    }

    fn authenticated(&mut self, request: &Request<'_>, caller: &Caller<'_>) -> Result<(), Refusal> {
        self.expire(request.now.instant);
        if request.unknown_attributes().next().is_some() {
            return Err(Refusal::UnknownAttributes);
        }
        match request.reply.method {
            Method::ALLOCATE => self.allocate(request, caller),
            Method::REFRESH => self.refresh(request, caller),
            Method::CREATE_PERMISSION => self.create_permission(request, caller),
            Method::CONNECT => self.connect(request, caller),
            Method::CONNECTION_BIND => self.connection_bind(request, caller),
            _ => self.channel_bind(request, caller),
        }
    }

    fn count(&mut self, method: Method) {
        let requests = &mut self.stats.requests;
        *match method {
            Method::ALLOCATE => &mut requests.allocate,
            Method::REFRESH => &mut requests.refresh,
            Method::CREATE_PERMISSION => &mut requests.create_permission,
            Method::CONNECT => &mut requests.connect,
            Method::CONNECTION_BIND => &mut requests.connection_bind,
            _ => &mut requests.channel_bind,
        } += 1;
    }

    /// The caller's own allocation (RFC 8656 §5).
    pub(crate) fn owned(&self, request: &Request<'_>, caller: &Caller<'_>) -> Result<AllocationId, Refusal> {
        let id = self.table.find(&request.reply.to).ok_or(Refusal::AllocationMismatch)?;
        let allocation = self.table.get(id).filter(|a| a.pending.is_none()).ok_or(Refusal::AllocationMismatch)?;
        if &*allocation.username == caller.username { Ok(id) } else { Err(Refusal::WrongCredentials) }
    }

    /// Writes a success response: what `write` adds, then SOFTWARE, integrity and FINGERPRINT.
    pub(crate) fn succeed(&mut self, reply: &Reply, signer: Option<&Signer>, write: impl FnOnce(&mut Builder<'_>)) {
        self.respond(reply, Class::Success, signer, write);
    }

    /// Writes an error response. Without a signer nothing is known about the sender, so the answer is short.
    pub(crate) fn refuse(&mut self, request: &Request<'_>, signer: Option<&Signer>, refusal: Refusal) {
        self.stats.refusals.count(&refusal);
        if let Refusal::PeerDenied(denied) = refusal {
            self.stats.denied_peers.count(denied);
        }
        let Request { now, settings, reply, .. } = request;
        let known = signer.is_some() || !can_be_forged(&reply.to);
        if !known && !self.limiter.allows_error(now.instant, reply.to.client.ip(), &settings.rates) {
            self.stats.drops.limited += 1;
            return;
        }
        self.respond(reply, Class::Error, signer, |answer| {
            let code = refusal.code();
            answer.error_code(code, if signer.is_some() { code.reason() } else { "" });
            if refusal.is_challenge() {
                challenge(answer, settings, *now, &reply.to);
            }
            match (refusal, &settings.alternate) {
                (Refusal::UnknownAttributes, _) => list_unknown(answer, request),
                (Refusal::TryAlternate, Some(alternate)) => name_alternate(answer, alternate, &reply.to),
                _ => {}
            }
        });
    }

    pub(crate) fn respond(
        &mut self,
        reply: &Reply,
        class: Class,
        signer: Option<&Signer>,
        write: impl FnOnce(&mut Builder<'_>),
    ) {
        let software = self.settings.software.as_deref();
        self.response.write(reply.to, |buffer| {
            let mut answer = Builder::new(buffer, MessageType::new(reply.method, class), reply.transaction);
            write(&mut answer);
            if let Some(software) = software {
                answer.attribute(AttributeType::SOFTWARE, software.as_bytes());
            }
            if let Some(Signer { integrity, key }) = signer {
                answer.integrity(*integrity, key.as_bytes());
            }
            if reply.fingerprint {
                answer.fingerprint();
            }
            answer.finish()
        });
    }
}

impl Settings {
    /// Judges a peer's address by the policy and the machine's own addresses.
    pub(crate) fn judge(&self, ip: IpAddr) -> Result<crate::Peer, crate::Denied> {
        self.peer_policy.judge(ip, &self.own_addresses)
    }
}

fn is_served(method: Method, settings: &Settings) -> bool {
    match method {
        Method::BINDING | Method::ALLOCATE | Method::REFRESH | Method::CREATE_PERMISSION | Method::CHANNEL_BIND => true,
        Method::CONNECT | Method::CONNECTION_BIND => settings.tcp_allocations,
        _ => false,
    }
}

/// Attributes below 0x8000 that this server understands, if only to ignore them where they mean nothing
/// (RFC 8489 §6.3.1).
pub(crate) fn is_known(kind: AttributeType) -> bool {
    matches!(
        kind,
        AttributeType::MAPPED_ADDRESS
            | AttributeType::USERNAME
            | AttributeType::MESSAGE_INTEGRITY
            | AttributeType::ERROR_CODE
            | AttributeType::UNKNOWN_ATTRIBUTES
            | AttributeType::CHANNEL_NUMBER
            | AttributeType::LIFETIME
            | AttributeType::XOR_PEER_ADDRESS
            | AttributeType::DATA
            | AttributeType::REALM
            | AttributeType::NONCE
            | AttributeType::XOR_RELAYED_ADDRESS
            | AttributeType::REQUESTED_ADDRESS_FAMILY
            | AttributeType::EVEN_PORT
            | AttributeType::REQUESTED_TRANSPORT
            | AttributeType::DONT_FRAGMENT
            | AttributeType::MESSAGE_INTEGRITY_SHA256
            | AttributeType::PASSWORD_ALGORITHM
            | AttributeType::USERHASH
            | AttributeType::XOR_MAPPED_ADDRESS
            | AttributeType::RESERVATION_TOKEN
    )
}

/// The same with the attributes of RFC 5780 §7.
fn is_known_to_discovery(kind: AttributeType) -> bool {
    is_known(kind)
        || matches!(kind, AttributeType::CHANGE_REQUEST | AttributeType::RESPONSE_PORT | AttributeType::PADDING)
}

/// The same with the attribute of RFC 6062 §6.2.
fn is_known_to_connection_bind(kind: AttributeType) -> bool {
    is_known(kind) || kind == AttributeType::CONNECTION_ID
}

/// REALM, NONCE and PASSWORD-ALGORITHMS: how to do better (RFC 8489 §9.2.4).
pub(crate) fn challenge(answer: &mut Builder<'_>, settings: &Settings, now: Now, to: &FiveTuple) {
    let nonce = settings.nonce_keys.mint(now, to, settings.credentials.offers_userhash());
    answer
        .attribute(AttributeType::REALM, settings.credentials.realm().as_bytes())
        .attribute(AttributeType::NONCE, nonce.as_bytes())
        .attribute(AttributeType::PASSWORD_ALGORITHMS, &PASSWORD_ALGORITHMS);
}

fn list_unknown(answer: &mut Builder<'_>, request: &Request<'_>) {
    let mut kinds = [AttributeType(0); UNKNOWN_LISTED];
    let mut len = 0;
    for (place, kind) in kinds.iter_mut().zip(request.unknown_attributes()) {
        *place = kind;
        len += 1;
    }
    answer.unknown_attributes(&kinds[..len]);
}

/// ALTERNATE-SERVER, of the client's family first; ALTERNATE-DOMAIN over TLS (RFC 8489 §10).
fn name_alternate(answer: &mut Builder<'_>, alternate: &Alternate, to: &FiveTuple) {
    let own = Family::of(to.client.ip());
    let other = if own == Family::V4 { Family::V6 } else { Family::V4 };
    for server in [own, other].into_iter().filter_map(|family| alternate.server(family)) {
        answer.plain_address(AttributeType::ALTERNATE_SERVER, server);
    }
    if let Some(domain) = alternate.domain.as_deref().filter(|_| to.transport == Transport::Tls) {
        answer.attribute(AttributeType::ALTERNATE_DOMAIN, domain.as_bytes());
    }
}

/// Only a datagram's source can be forged.
pub(crate) fn can_be_forged(from: &FiveTuple) -> bool {
    from.transport == Transport::Udp
}
