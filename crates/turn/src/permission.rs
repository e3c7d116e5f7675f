//! [`Permissions`]: who may talk through an allocation, until when (RFC 8656 §9).

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::peer_policy::Peer;

/// "The Permission Lifetime MUST be 300 seconds" (RFC 8656 §9).
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);

/// Between two reports of ICMP errors about one address.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// An allocation's permissions, sorted by address: most hold one or two, a busy one some hundred.
#[derive(Debug, Default)]
pub(crate) struct Permissions(Vec<Permission>);

#[derive(Debug, Clone, Copy)]
struct Permission {
    ip: IpAddr,
    peer: Peer,
    expires: Instant,
    /// When the client last heard of an ICMP error.
    reported: Option<Instant>,
}

impl Permissions {
    /// What a living permission for the address says about it.
    pub(crate) fn get(&self, now: Instant, ip: IpAddr) -> Option<Peer> {
        let permission = &self.0[self.find(ip).ok()?];
        (now < permission.expires).then_some(permission.peer)
    }

    /// Installs or refreshes.
    pub(crate) fn install(&mut self, now: Instant, ip: IpAddr, peer: Peer) {
        let expires = now + LIFETIME;
        match self.find(ip) {
            Ok(at) => (self.0[at].peer, self.0[at].expires) = (peer, expires),
            Err(at) => {
                reserve_few(&mut self.0);
                self.0.insert(at, Permission { ip, peer, expires, reported: None });
            }
        }
    }

    /// Whether the client may hear of an ICMP error about this address: once a second. `None` without a permission.
    pub(crate) fn may_report(&mut self, now: Instant, ip: IpAddr) -> Option<bool> {
        let at = self.find(ip).ok()?;
        let permission = &mut self.0[at];
        if now >= permission.expires {
            return None;
        }
        let is_due = permission.reported.is_none_or(|last| now >= last + REPORT_INTERVAL);
        if is_due {
            permission.reported = Some(now);
        }
        Some(is_due)
    }

    /// Whether `ips`, sorted and without repetition, may be installed without holding more than `max`.
    pub(crate) fn has_room(&mut self, now: Instant, ips: &[IpAddr], max: usize) -> bool {
        self.0.retain(|p| now < p.expires);
        let new = ips.iter().filter(|&&ip| self.find(ip).is_err()).count();
        self.0.len() + new <= max
    }

    /// Judges every permission anew; what `judge` refuses is gone.
    pub(crate) fn judge(&mut self, judge: impl Fn(IpAddr) -> Option<Peer>) {
        self.0.retain_mut(|p| judge(p.ip).map(|peer| p.peer = peer).is_some());
    }

    /// Addresses with a living permission.
    pub(crate) fn living(&self, now: Instant) -> usize {
        self.0.iter().filter(|p| now < p.expires).count()
    }

    fn find(&self, ip: IpAddr) -> Result<usize, usize> {
        self.0.binary_search_by(|p| p.ip.cmp(&ip))
    }
}

/// Grows one by one at first: an idle allocation should not pay for four when it has one.
pub(crate) fn reserve_few<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().max(1));
    }
}
