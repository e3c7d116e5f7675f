//! Refresh with a ticket, from another 5-tuple (RFC 8016 §3.2.2).

use std::sync::Arc;
use std::time::Duration;

use posthouse_stun::attribute::{AttributeType, Family};
use posthouse_stun::{Class, Method};

use super::letter::{Answer, Kind};
use super::{Directory, Mobile, Transition};
use crate::auth::{Caller, Signer};
use crate::refusal::BadRequest;
use crate::request::{Reply, Request, challenge};
use crate::ticket::Ticket;
use crate::{AllocationId, Now, Refusal, Server, Settings};

/// Servers that one request is passed on to, should the allocation move while it is asked for.
const HOPS: u8 = 4;

/// A verified request, free of the packet it came in, for whichever server has the allocation.
#[derive(Debug)]
pub(crate) struct Resume {
    /// The server that the client reaches.
    server: u8,
    hops: u8,
    ticket: Ticket,
    username: Box<str>,
    signer: Signer,
    reply: Reply,
    /// LIFETIME as it was asked for.
    lifetime: Option<u32>,
    family: Option<Family>,
}

/// A yes.
#[derive(Debug, Clone, Copy)]
struct Resumed {
    lifetime: u32,
    /// `None` when the client ended it.
    ticket: Option<Ticket>,
}

impl Request<'_> {
    /// It is not judged by the allocation of its 5-tuple, but by that of its ticket.
    pub(crate) fn resumes(&self) -> bool {
        self.reply.method == Method::REFRESH && self.message.mobility_ticket().is_some()
    }

    /// Such a request with a ticket of ours: whether its credential may have expired, the allocation decides.
    pub(crate) fn has_ticket(&self) -> bool {
        let key = self.settings.mobility.as_ref().filter(|_| self.resumes());
        key.zip(self.message.mobility_ticket()).is_some_and(|(key, ticket)| key.open(ticket).is_some())
    }
}

impl Server {
    /// What this server can say alone, then the rest by the server that has the allocation.
    pub(crate) fn resume(&mut self, request: &Request<'_>, caller: &Caller<'_>, ticket: &[u8]) -> Result<(), Refusal> {
        let key = request.settings.mobility.as_ref().ok_or(Refusal::MobilityForbidden)?;
        // "If the ticket is invalid, then the server MUST reject the request with a 400."
        let ticket = key.open(ticket).ok_or(Refusal::malformed(AttributeType::MOBILITY_TICKET))?;
        let family = request.message.requested_address_family()?.transpose();
        let resume = Resume {
            server: self.mobility.server,
            hops: 0,
            ticket,
            username: caller.username.into(),
            signer: caller.signer.clone(),
            reply: request.reply,
            lifetime: request.message.lifetime()?,
            family: family.map_err(|_| Refusal::PeerAddressFamilyMismatch)?,
        };
        self.check_five_tuple(request.now, &resume)?;
        self.resume_by_letter(request.now, resume);
        Ok(())
    }

    /// No allocation has the 5-tuple, and none is about to, but perhaps this one.
    fn check_five_tuple(&mut self, now: Now, resume: &Resume) -> Result<(), Refusal> {
        let (to, number) = (resume.reply.to, resume.ticket.number);
        let taken = self.table.find(&to).and_then(|id| self.table.get(id));
        let is_it = |mobile: &Mobile| mobile.entry.number() == number;
        if taken.is_some_and(|allocation| !allocation.mobile.as_deref().is_some_and(is_it)) {
            return Err(Refusal::AllocationMismatch);
        }
        self.mobility.arrivals.check_room(now, &to, number)
    }

    /// Answers, or asks who can.
    pub(super) fn resume_by_letter(&mut self, now: Now, mut resume: Resume) {
        self.expire(now.instant);
        let settings = Arc::clone(&self.settings);
        let listing = Directory::find(self.shared.directory(), resume.ticket.number);
        let result = match listing {
            Some(listing) if listing.server != self.mobility.server && resume.hops < HOPS => {
                resume.hops += 1;
                return self.tell(listing.server, Kind::Resume(Box::new(resume)));
            }
            // On its way here: the client asks again.
            Some(listing) if listing.id.is_none() => return,
            Some(listing) => listing.id.ok_or(Refusal::AllocationMismatch),
            None => Err(Refusal::AllocationMismatch),
        };
        let result = result.and_then(|id| Ok((id, self.begin_transition(now, &settings, &resume, id)?)));
        self.answer_resume(now, &settings, &resume, result.map(|(_, resumed)| resumed));
        if let Ok((id, Resumed { ticket: Some(_), .. })) = result {
            self.leave_if_gone(id);
        }
    }

    /// The checks of §3.2.2 in their order, then the transition.
    fn begin_transition(
        &mut self,
        now: Now,
        settings: &Settings,
        resume: &Resume,
        id: AllocationId,
    ) -> Result<Resumed, Refusal> {
        let to = resume.reply.to;
        let allocation = self.table.get(id).filter(|a| a.lives(now.instant)).ok_or(Refusal::AllocationMismatch)?;
        let mobile = allocation.mobile.as_deref().filter(|m| m.entry.number() == resume.ticket.number);
        let mobile = mobile.ok_or(Refusal::AllocationMismatch)?;
        let is_owner = allocation.username == resume.username;
        if let Some(transition) = mobile.transition.filter(|transition| is_owner && transition.is_of(resume)) {
            return Ok(Resumed { lifetime: transition.granted, ticket: Some(mobile.ticket()) });
        }
        // An old ticket: "If this 5-tuple obtained does not identify an existing allocation ..."
        if !mobile.accepts(resume.ticket.serial) {
            return Err(Refusal::AllocationMismatch);
        }
        if allocation.five_tuple == to {
            return Err(Refusal::BadRequest(BadRequest::NotMoved));
        }
        if !is_owner {
            return Err(Refusal::WrongCredentials);
        }
        if settings.has_expired(now, &resume.username) && !settings.may_go_on(now, allocation) {
            return Err(Refusal::Unauthenticated);
        }
        if resume.family.is_some_and(|family| !allocation.relayed.has(family)) {
            return Err(Refusal::PeerAddressFamilyMismatch);
        }
        let under_way = mobile.under_way().map(|transition| transition.to);
        if resume.lifetime == Some(0) {
            self.end_family(id, resume.family);
            return Ok(Resumed { lifetime: 0, ticket: None });
        }
        if let Some(superseded) = under_way {
            self.mobility.arrivals.remove(&superseded);
        }
        Ok(self.expect(now, settings, resume, id))
    }

    fn expect(&mut self, now: Now, settings: &Settings, resume: &Resume, id: AllocationId) -> Resumed {
        let asked = settings.clamp(Duration::from_secs(resume.lifetime.unwrap_or(0).into()));
        let lifetime = settings.within_expiry(now, &resume.username, asked);
        self.prolong(id, now.instant + lifetime);
        let serial = u32::from_ne_bytes(self.entropy.take());
        let granted = lifetime.as_secs() as u32;
        if let Some(mobile) = self.table.get_mut(id).and_then(|allocation| allocation.mobile.as_deref_mut()) {
            mobile.serial = serial;
            mobile.transition = Some(Transition {
                to: resume.reply.to,
                server: resume.server,
                transaction: resume.reply.transaction,
                used: resume.ticket.serial,
                granted,
                completed: false,
            });
        }
        if resume.server == self.mobility.server {
            self.mobility.arrivals.expect_here(now, resume.reply.to, resume.ticket.number, granted);
        }
        Resumed { lifetime: granted, ticket: Some(Ticket { serial, ..resume.ticket }) }
    }

    /// A stream that is gone is no way to send by: the client need not use the new one first.
    fn leave_if_gone(&mut self, id: AllocationId) {
        if self.table.get(id).is_some_and(|allocation| allocation.five_tuple.client.port() == 0) {
            self.leave(id);
        }
    }

    fn answer_resume(&mut self, now: Now, settings: &Settings, resume: &Resume, result: Result<Resumed, Refusal>) {
        let promised = match result {
            Ok(resumed) => {
                self.succeed(&resume.reply, Some(&resume.signer), |answer| {
                    answer.number(AttributeType::LIFETIME, resumed.lifetime);
                    if let Some(ticket) = resumed.ticket.and_then(|ticket| settings.seal(ticket)) {
                        answer.attribute(AttributeType::MOBILITY_TICKET, &ticket);
                    }
                });
                resumed.ticket.map(|ticket| (ticket.number, resumed.lifetime))
            }
            Err(refusal) => {
                self.refuse_resume(now, settings, resume, refusal);
                None
            }
        };
        if resume.server == self.mobility.server {
            return;
        }
        if let Some((to, message)) = self.response.take() {
            let message = message.to_vec();
            self.tell(resume.server, Kind::Answer(Answer { to, message, promised }));
        }
    }

    fn refuse_resume(&mut self, now: Now, settings: &Settings, resume: &Resume, refusal: Refusal) {
        self.stats.refusals.count(&refusal);
        // A challenge answers nobody in particular, so nobody signs it.
        let signer = Some(&resume.signer).filter(|_| !refusal.is_challenge());
        self.respond(&resume.reply, Class::Error, signer, |answer| {
            let code = refusal.code();
            answer.error_code(code, code.reason());
            if refusal.is_challenge() {
                challenge(answer, settings, now, &resume.reply.to);
            }
        });
    }
}

impl Transition {
    /// This is the Refresh that began it, or its retransmission: "the server MUST respond as it did before".
    fn is_of(&self, resume: &Resume) -> bool {
        (self.to, self.transaction, self.used) == (resume.reply.to, resume.reply.transaction, resume.ticket.serial)
    }
}
