//! [`Reservations`]: the neighbour that EVEN-PORT keeps for a later Allocate (RFC 8656 §7.2).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::RelayedTransportAddress;
use crate::quota::Grant;

/// "The server SHOULD keep it for at least 30 seconds" (RFC 8656 §7.2).
pub(crate) const LIFETIME: Duration = Duration::from_secs(30);

/// Ports held in reserve, by their unguessable token. Shared by all workers, since the Allocate with the token comes
/// from another client port and so perhaps to another worker.
#[derive(Debug, Default)]
pub(crate) struct Reservations(BTreeMap<[u8; 8], Reservation>);

/// One port held in reserve. It owns its share of the quotas, which goes to the allocation that claims it.
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) relayed: RelayedTransportAddress,
    pub(crate) grant: Grant,
    pub(crate) expires: Instant,
}

impl Reservations {
    pub(crate) fn insert(&mut self, token: [u8; 8], reservation: Reservation) {
        self.0.insert(token, reservation);
    }

    /// Takes the reservation for the same user, while it lasts.
    pub(crate) fn claim(&mut self, now: Instant, token: [u8; 8], user: &str) -> Option<Reservation> {
        let reservation = self.0.get(&token)?;
        if now >= reservation.expires || reservation.grant.user() != user {
            return None;
        }
        self.0.remove(&token)
    }

    /// Takes the reservation because nobody came.
    pub(crate) fn expire(&mut self, token: [u8; 8]) -> Option<Reservation> {
        self.0.remove(&token)
    }
}
