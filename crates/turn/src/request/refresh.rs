//! Refresh (RFC 8656 §8.2).

use std::time::Duration;

use posthouse_stun::attribute::{AttributeType, Family};

use super::Request;
use crate::auth::Caller;
use crate::{AllocationId, Output, Refusal, Server};

impl Server {
    pub(super) fn refresh(&mut self, request: &Request<'_>, caller: &Caller<'_>) -> Result<(), Refusal> {
        let (now, reply) = (request.now.instant, &request.reply);
        if self.farewells.knows(now, &reply.to, reply.transaction) {
            self.answer_refresh(request, caller, Duration::ZERO);
            return Ok(());
        }
        if let Some(ticket) = request.message.mobility_ticket() {
            return self.resume(request, caller, ticket);
        }
        let id = self.owned(request, caller)?;
        // A family that the allocation does not have: 443.
        let family = self.family_of_refresh(request, id)?;
        // The desired lifetime: zero ends, anything else is judged as at Allocate.
        let lifetime = match request.message.lifetime()? {
            Some(0) => Duration::ZERO,
            asked => {
                let granted = request.settings.clamp(Duration::from_secs(asked.unwrap_or(0).into()));
                request.settings.within_expiry(request.now, caller.username, granted)
            }
        };
        if lifetime.is_zero() {
            self.end_family(id, family);
            self.farewells.remember(now, reply.to, reply.transaction);
        } else {
            self.prolong(id, now + lifetime);
        }
        self.answer_refresh(request, caller, lifetime);
        Ok(())
    }

    fn answer_refresh(&mut self, request: &Request<'_>, caller: &Caller<'_>, lifetime: Duration) {
        self.succeed(&request.reply, Some(&caller.signer), |answer| {
            answer.number(AttributeType::LIFETIME, lifetime.as_secs() as u32);
        });
    }

    fn family_of_refresh(&self, request: &Request<'_>, id: AllocationId) -> Result<Option<Family>, Refusal> {
        let Some(family) = request.message.requested_address_family()? else { return Ok(None) };
        let family = family.map_err(|_| Refusal::PeerAddressFamilyMismatch)?;
        let has = self.table.get(id).is_some_and(|allocation| allocation.relayed.has(family));
        if has { Ok(Some(family)) } else { Err(Refusal::PeerAddressFamilyMismatch) }
    }

    /// Ends the allocation, or of a dual one only the family named.
    pub(crate) fn end_family(&mut self, id: AllocationId, family: Option<Family>) {
        let relayed = self.table.get(id).map(|allocation| allocation.relayed).unwrap_or_default();
        let Some(family) = family.filter(|_| relayed.iter().count() == 2) else { return self.end(id) };
        if let Some(address) = relayed.get(family) {
            self.table.forget_relayed(id, address);
        }
        self.remove_channels(id, |channel| Family::of(channel.peer().ip()) == family);
        self.remove_connections(id, |connection| Family::of(connection.peer.ip()) == family);
        let Some(allocation) = self.table.get_mut(id) else { return };
        allocation.relayed.clear(family);
        self.outputs.push_back(Output::CloseRelayedFamily { id, family });
    }
}
