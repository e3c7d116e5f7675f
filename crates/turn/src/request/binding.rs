//! Binding (RFC 8489 §3, §6.3.1), and its ancestor (RFC 3489).

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Builder, Class, Message, MessageType, Method};

use super::{Request, can_be_forged, is_known};
use crate::{FiveTuple, Now, Refusal, Server};

impl Server {
    /// Tells the client the address it comes from. Needs no credential, so it is short: 32 bytes, or 44 for IPv6.
    pub(super) fn binding(&mut self, request: &Request<'_>) {
        self.stats.requests.binding += 1;
        if request.message.unknown_attributes(is_known).next().is_some() {
            return self.refuse(request, None, Refusal::UnknownAttributes);
        }
        let reply = &request.reply;
        if !self.may_answer_binding(request.now, &reply.to) {
            return;
        }
        self.succeed(reply, None, |answer| {
            answer.xor_address(AttributeType::XOR_MAPPED_ADDRESS, reply.to.client);
        });
    }

    /// A Binding request without magic cookie, by a client of RFC 3489: the answer is MAPPED-ADDRESS (RFC 8489 §11).
    pub(super) fn classic_binding(&mut self, now: Now, from: FiveTuple, packet: &[u8]) {
        let message = Message::parse_any_cookie(packet).ok();
        let is_binding = |m: &Message<'_>| (m.class(), m.method()) == (Class::Request, Method::BINDING);
        let Some(message) = message.filter(is_binding).filter(|_| can_be_forged(&from)) else {
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
