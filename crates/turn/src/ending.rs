//! How allocations and channels end: by time, by their owner, by decree.

use std::sync::Arc;
use std::time::Instant;

use posthouse_stun::attribute::Family;

use crate::allocation::Allocation;
use crate::channel::Channel;
use crate::{AllocationId, Binding, Now, Output, PeerTransportAddress, RelayedTransportAddress, Server, Settings};

impl Server {
    /// Ends an allocation and everything in it; the shell hears of every binding and of the sockets.
    pub(crate) fn end(&mut self, id: AllocationId) {
        self.remove_channels(id, |_| true);
        self.remove_connections(id, |_| true);
        if let Some(allocation) = self.forget(id) {
            self.stats.allocations_ended += u64::from(allocation.pending.is_none());
            self.outputs.push_back(Output::CloseRelayed { id, client: allocation.five_tuple });
        }
    }

    /// Takes an allocation out of table and deadlines.
    pub(crate) fn forget(&mut self, id: AllocationId) -> Option<Box<Allocation>> {
        let allocation = self.table.remove(id)?;
        self.deadlines.remove(allocation.deadline, id);
        Some(allocation)
    }

    /// A new end, by Refresh.
    pub(crate) fn prolong(&mut self, id: AllocationId, expires: Instant) {
        if let Some(allocation) = self.table.get_mut(id) {
            allocation.expires = expires;
        }
        self.reschedule(id);
    }

    /// Puts the allocation's next event in its place among the deadlines.
    pub(crate) fn reschedule(&mut self, id: AllocationId) {
        let Some(allocation) = self.table.get_mut(id) else { return };
        self.deadlines.remove(allocation.deadline, id);
        allocation.deadline = allocation.next_event();
        self.deadlines.insert(allocation.deadline, id);
    }

    /// Does everything that is due.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(id) = self.deadlines.pop(now) {
            match self.table.get(id) {
                Some(allocation) if now < allocation.expires => {
                    self.remove_channels(id, |channel| now >= channel.expires);
                    self.remove_late(id, now);
                    self.reschedule(id);
                }
                _ => self.end(id),
            }
        }
        while let Some((_, token)) = self.reserved.pop_front_if(|(at, _)| *at <= now) {
            if let Some(reservation) = self.shared.reservations().expire(token) {
                self.outputs.push_back(Output::ReleaseReserved(reservation.relayed));
            }
        }
    }

    /// Ends the bindings that `ends` picks.
    pub(crate) fn remove_channels(&mut self, id: AllocationId, ends: impl Fn(&Channel) -> bool) {
        let Some(allocation) = self.table.get_mut(id) else { return };
        while let Some(channel) = allocation.channels.take(&ends) {
            let binding = allocation.binding(id, &channel);
            self.outputs.extend(binding.map(Output::BindingRemoved));
        }
    }

    /// Judges every allocation, permission and channel by new settings.
    pub(crate) fn judge_all(&mut self, now: Now) {
        for id in self.table.ids(|_| true) {
            self.judge(now, id);
        }
        if !self.settings.tcp_allocations {
            for id in self.table.ids(|allocation| allocation.connections.is_some()) {
                self.end(id);
            }
        }
        self.expire(now.instant);
    }

    /// Judges one.
    pub(crate) fn judge(&mut self, now: Now, id: AllocationId) {
        let settings = Arc::clone(&self.settings);
        self.remove_channels(id, |channel| settings.route_to(channel.peer()).is_none());
        self.remove_connections(id, |connection| settings.connect_route(connection.peer).is_none());
        let Some(allocation) = self.table.get_mut(id) else { return };
        allocation.channels.reroute(|peer| settings.route_to(peer));
        allocation.permissions.judge(|ip| settings.judge(ip).ok());
        // Its secret may be gone.
        allocation.key = None;
        let left = allocation.expires.saturating_duration_since(now.instant);
        allocation.expires = now.instant + settings.within_expiry(now, &allocation.username, left);
        self.reschedule(id);
    }
}

impl Settings {
    pub(crate) fn route_to(&self, peer: std::net::SocketAddr) -> Option<crate::Route> {
        self.route(self.judge(peer.ip()).ok()?, peer.port())
    }
}

impl Allocation {
    /// A channel as a packet path outside needs to know it.
    pub(crate) fn binding(&self, id: AllocationId, channel: &Channel) -> Option<Binding> {
        let peer = channel.peer();
        Some(Binding {
            id,
            client: self.five_tuple,
            channel: channel.number,
            relayed: RelayedTransportAddress(self.relayed.get(Family::of(peer.ip()))?),
            peer: PeerTransportAddress(peer),
            expires: channel.expires,
        })
    }
}
