//! [`Arrivals`]: 5-tuples that an allocation will move to as soon as their client uses them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Move;
use super::letter::{Claim, Kind, Letter};
use crate::mobility::Directory;
use crate::{AllocationId, FiveTuple, Now, Refusal, Server};

/// Arrivals that one server expects; beyond it a ticket is refused with 508.
const EXPECTED_MAX: usize = 4096;

/// What is held for one arrival while its allocation is on its way, which takes the other worker's current batch.
const HELD_PACKETS: usize = 64;
const HELD_BYTES: usize = 64 << 10;

/// A claim that had no effect for so long is made again.
const CLAIM_AGAIN: Duration = Duration::from_secs(1);

/// Only 5-tuples whose client showed a ticket stand here, so a packet of anybody else is not looked for twice.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(BTreeMap<FiveTuple, Arrival>);

#[derive(Debug)]
struct Arrival {
    /// Of the allocation.
    number: u32,
    until: Instant,
    /// `None`: the allocation is here.
    elsewhere: Option<Waiting>,
}

/// Packets for an allocation that another server has.
#[derive(Debug, Default)]
struct Waiting {
    claimed: Option<Instant>,
    packets: Vec<Box<[u8]>>,
    bytes: usize,
}

/// What a packet of a 5-tuple without an allocation brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// Nobody is expected there.
    No,
    /// The allocation is there now: look again.
    Yes,
    /// The packet is kept until the allocation comes.
    Held,
}

impl Arrivals {
    pub(crate) fn remove(&mut self, at: &FiveTuple) {
        self.0.remove(at);
    }

    /// Whether an allocation may come to `at`: 437 when another one will, 508 when too many are expected.
    pub(super) fn check_room(&mut self, now: Now, at: &FiveTuple, number: u32) -> Result<(), Refusal> {
        self.0.retain(|_, arrival| now.instant < arrival.until);
        match self.0.get(at) {
            Some(arrival) if arrival.number == number => Ok(()),
            Some(_) => Err(Refusal::AllocationMismatch),
            None if self.0.len() >= EXPECTED_MAX => Err(Refusal::InsufficientCapacity),
            None => Ok(()),
        }
    }

    pub(super) fn expect_here(&mut self, now: Now, at: FiveTuple, number: u32, lifetime: u32) {
        self.expect(now, at, number, lifetime, None);
    }

    pub(super) fn expect_elsewhere(&mut self, now: Now, at: FiveTuple, number: u32, lifetime: u32) {
        self.expect(now, at, number, lifetime, Some(Waiting::default()));
    }

    fn expect(&mut self, now: Now, at: FiveTuple, number: u32, lifetime: u32, elsewhere: Option<Waiting>) {
        let until = now.instant + Duration::from_secs(lifetime.into());
        match self.0.get_mut(&at).filter(|a| a.number == number && a.elsewhere.is_some() == elsewhere.is_some()) {
            // A retransmission: what is held stays.
            Some(arrival) => arrival.until = until,
            None => drop(self.0.insert(at, Arrival { number, until, elsewhere })),
        }
    }

    /// Nobody will come. Returns how many packets waited.
    pub(super) fn forget(&mut self, at: &FiveTuple, number: u32) -> usize {
        let is_it = self.0.get(at).is_some_and(|arrival| arrival.number == number);
        if is_it { self.take(at).len() } else { 0 }
    }

    /// Whoever was expected is there. Returns what waited.
    pub(super) fn take(&mut self, at: &FiveTuple) -> Vec<Box<[u8]>> {
        self.0.remove(at).and_then(|arrival| arrival.elsewhere).map(|waiting| waiting.packets).unwrap_or_default()
    }
}

impl Waiting {
    /// Keeps a packet; `false` when there is no more room.
    fn hold(&mut self, packet: &[u8]) -> bool {
        let fits = self.packets.len() < HELD_PACKETS && self.bytes + packet.len() <= HELD_BYTES;
        if fits {
            self.bytes += packet.len();
            self.packets.push(packet.into());
        }
        fits
    }

    fn is_to_be_claimed(&mut self, now: Instant) -> bool {
        let due = self.claimed.is_none_or(|at| now >= at + CLAIM_AGAIN);
        if due {
            self.claimed = Some(now);
        }
        due
    }
}

impl Server {
    /// A packet came from a 5-tuple that has no allocation here: the client of a mobile one may have moved to it.
    pub(crate) fn arrive(&mut self, now: Now, from: &FiveTuple, packet: &[u8]) -> Arrived {
        let Some(arrival) = self.mobility.arrivals.0.get_mut(from) else { return Arrived::No };
        let number = arrival.number;
        let listing = Directory::find(self.shared.directory(), number);
        let (Some(listing), true) = (listing, now.instant < arrival.until) else {
            self.mobility.arrivals.remove(from);
            return Arrived::No;
        };
        let Some(waiting) = &mut arrival.elsewhere else { return self.arrive_here(from, listing.id) };
        let dropped = !waiting.hold(packet);
        let claims = waiting.is_to_be_claimed(now.instant) && listing.server != self.mobility.server;
        self.stats.drops.no_allocation += u64::from(dropped);
        if claims {
            let claim = Claim { number, to: *from, server: self.mobility.server };
            self.tell(listing.server, Kind::Claim(claim));
        }
        Arrived::Held
    }

    fn arrive_here(&mut self, from: &FiveTuple, id: Option<AllocationId>) -> Arrived {
        self.mobility.arrivals.remove(from);
        let is_it = |id: &AllocationId| {
            let mobile = self.table.get(*id).and_then(|allocation| allocation.mobile.as_deref());
            mobile.and_then(super::Mobile::under_way).is_some_and(|transition| transition.to == *from)
        };
        match id.filter(is_it) {
            Some(id) => {
                self.leave(id);
                Arrived::Yes
            }
            None => Arrived::No,
        }
    }

    pub(super) fn tell(&mut self, server: u8, kind: Kind) {
        self.mobility.moves.push_back(Move::Tell { server, letter: Letter(kind) });
    }
}
