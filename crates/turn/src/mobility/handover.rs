//! An allocation goes from one server to another, whole.

use super::letter::{Claim, Kind, Letter};
use super::{Directory, Listing, Mobile, Move};
use crate::allocation::Allocation;
use crate::{AllocationId, Now, Output, Server};

impl Server {
    /// Another server's client uses the 5-tuple that it resumed at.
    pub(super) fn claimed(&mut self, now: Now, claim: Claim) {
        self.expire(now.instant);
        let id = Directory::find(self.shared.directory(), claim.number).and_then(|listing| listing.id);
        let is_right = |id: &AllocationId| {
            let mobile = self.table.get(*id).and_then(|allocation| allocation.mobile.as_deref());
            let under_way = mobile.filter(|m| m.entry.number() == claim.number).and_then(Mobile::under_way);
            under_way.is_some_and(|transition| (transition.to, transition.server) == (claim.to, claim.server))
        };
        match id.filter(is_right) {
            Some(id) => self.hand_over(id, claim.server),
            None => self.tell(claim.server, Kind::Lost(claim)),
        }
    }

    /// The allocation leaves as it is; who takes it over completes the move.
    pub(super) fn hand_over(&mut self, id: AllocationId, server: u8) {
        self.tell_bindings(id, Output::BindingRemoved);
        let Some(allocation) = self.forget(id) else { return };
        if let Some(mobile) = allocation.mobile.as_deref() {
            mobile.entry.set(Listing { server, id: None });
        }
        let client = allocation.five_tuple;
        let letter = Letter(Kind::Handover(allocation));
        self.mobility.moves.push_back(Move::HandOver { id, client, server, letter });
    }

    /// An allocation of another server comes to the 5-tuple that its client uses. `None` when that is taken.
    pub(super) fn take_over(&mut self, now: Now, mut allocation: Box<Allocation>) -> Option<AllocationId> {
        let to = allocation.mobile.as_deref().and_then(Mobile::under_way).map(|transition| transition.to)?;
        let held = self.mobility.arrivals.take(&to);
        if self.table.find(&to).is_some() {
            self.stats.allocations_ended += 1;
            return None;
        }
        allocation.five_tuple = to;
        allocation.complete();
        let id = self.insert_whole(allocation);
        // The other server may not have heard of new settings yet.
        self.judge(now, id);
        self.tell_bindings(id, Output::BindingInstalled);
        self.stats.allocations_moved += 1;
        self.mobility.held.extend(held.into_iter().map(|packet| (to, packet)));
        Some(id)
    }

    /// The other server could not be told: all is as before, under another name.
    pub(super) fn take_back(&mut self, allocation: Box<Allocation>) -> AllocationId {
        let id = self.insert_whole(allocation);
        self.tell_bindings(id, Output::BindingInstalled);
        id
    }

    /// Puts an allocation that was one before into table, deadlines and directory.
    fn insert_whole(&mut self, allocation: Box<Allocation>) -> AllocationId {
        let (deadline, relayed) = (allocation.deadline, allocation.relayed);
        let id = self.table.insert(allocation);
        for address in relayed.iter() {
            self.table.index_relayed(id, address);
        }
        self.deadlines.insert(deadline, id);
        if let Some(mobile) = self.table.get(id).and_then(|allocation| allocation.mobile.as_deref()) {
            mobile.entry.set(Listing { server: self.mobility.server, id: Some(id) });
        }
        id
    }
}
