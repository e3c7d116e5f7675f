//! Binding (RFC 8489 §3, §6.3.1), and its ancestor (RFC 3489).

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Builder, Class, HEADER_LEN, Message, MessageType, Method};

use super::{Reply, Request, can_be_forged};
use crate::discovery::Probe;
use crate::{FiveTuple, Now, Refusal, Server};

impl Server {
    /// Tells the client the address it comes from. Needs no credential, so it is short: 32 bytes, or 44 for IPv6.
    pub(super) fn binding(&mut self, request: &Request<'_>) {
        self.stats.requests.binding += 1;
        if request.unknown_attributes().next().is_some() {
            return self.refuse(request, None, Refusal::UnknownAttributes);
        }
        let reply = &request.reply;
        let probe = match request.discovery().map(|d| d.probe(&request.message, reply.to)).transpose() {
            Ok(probe) => probe,
            Err(refusal) => return self.refuse(request, None, refusal),
        };
        if !self.may_answer_binding(request.now, &reply.to) {
            return;
        }
        match probe {
            Some(probe) => self.answer_probe(request, &probe),
            None => self.succeed(reply, None, |answer| {
                answer.xor_address(AttributeType::XOR_MAPPED_ADDRESS, reply.to.client);
            }),
        }
    }

    /// What RFC 5780 §6.1 wants in every answer of a server that has two addresses: 68 bytes, or 116 for IPv6.
    fn answer_probe(&mut self, request: &Request<'_>, probe: &Probe) {
        let client = request.reply.to.client;
        let reply = Reply { to: probe.to, ..request.reply };
        let padding = probe.padding.map(|asked| padding(asked, request));
        self.succeed(&reply, None, |answer| {
            answer
                .plain_address(AttributeType::MAPPED_ADDRESS, client)
                .xor_address(AttributeType::XOR_MAPPED_ADDRESS, client)
                .plain_address(AttributeType::RESPONSE_ORIGIN, probe.origin)
                .plain_address(AttributeType::OTHER_ADDRESS, probe.other);
            if let Some(padding) = padding {
                answer.attribute(AttributeType::PADDING, padding);
            }
        });
    }

    /// A Binding request without magic cookie, by a client of RFC 3489: the answer is MAPPED-ADDRESS (RFC 8489 §11).
    ///
    /// One that asks for an answer from elsewhere gets none: from here it would make the client's NAT look open.
    pub(super) fn classic_binding(&mut self, now: Now, from: FiveTuple, packet: &[u8]) {
        let message = Message::parse_any_cookie(packet).ok();
        let is_binding = |m: &Message<'_>| (m.class(), m.method()) == (Class::Request, Method::BINDING);
        let is_for_here = |m: &Message<'_>| matches!(m.change_request(), Ok(None | Some((false, false))));
        let message = message.filter(is_binding).filter(is_for_here);
        let Some(message) = message.filter(|_| can_be_forged(&from)) else {
            self.stats.drops.malformed += 1;
            return;
        };
        self.stats.requests.binding += 1;
        if !self.may_answer_binding(now, &from) {
            return;
        }
        let kind = MessageType::new(Method::BINDING, Class::Success);
        self.response.write(from, |buffer| {
            Builder::with_cookie(buffer, kind, message.cookie(), message.transaction_id())
                .plain_address(AttributeType::MAPPED_ADDRESS, from.client)
                .finish()
        });
    }

    fn may_answer_binding(&mut self, now: Now, from: &FiveTuple) -> bool {
        let rates = &self.settings.rates;
        let may = !can_be_forged(from) || self.limiter.allows_binding(now.instant, from.client.ip(), rates);
        self.stats.drops.limited += u64::from(!may);
        may
    }
}

/// The usual MTU: with the rest of the answer, and IP and UDP around it, a datagram that must be fragmented.
static PADDING: [u8; 1500] = [0; 1500];

/// As much PADDING as was asked for, but the answer is no longer than the question: it may go to a forged source.
fn padding(asked: usize, request: &Request<'_>) -> &'static [u8] {
    let address = if request.reply.to.client.is_ipv4() { 12 } else { 24 };
    let software = request.settings.software.as_ref().map_or(0, |s| 4 + s.len().next_multiple_of(4));
    let fingerprint = if request.reply.fingerprint { 8 } else { 0 };
    let rest = HEADER_LEN + 4 * address + 4 + software + fingerprint;
    let room = request.message.as_bytes().len().saturating_sub(rest);
    &PADDING[..asked.min(room).min(PADDING.len()) & !3]
}
