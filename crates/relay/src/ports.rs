//! [`Ports`]: which relayed ports are taken, shared by all workers without a lock on the packet path.

mod bitmap;
mod choice;
mod pool;
mod random;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use posthouse_stun::attribute::Family;
use posthouse_turn::{BindError, PortRequest, RelayedTransportAddress};

pub(crate) use pool::Pool;
pub(crate) use random::Random;

use crate::config::RelayAddress;

/// The relayed ports of this process: one [`Pool`] per relay address, and the sockets held in reserve.
#[derive(Debug)]
pub(crate) struct Ports {
    pools: Vec<Pool>,
    /// Reserved neighbours (EVEN-PORT with R), found by address from whatever worker the claim reaches.
    reserved: Mutex<HashMap<Place, OwnedFd>>,
    /// Descriptors from this number on stay for others.
    ceiling: i32,
    receive_buffer: usize,
}

/// Which relayed port: the pool's index and the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) pool: u8,
    pub(crate) port: u16,
}

/// A relayed socket just bound. Whoever takes it owes a [`Ports::release`].
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) socket: OwnedFd,
    pub(crate) place: Place,
    /// The neighbour held in reserve, when that was asked for.
    pub(crate) reserved: Option<Place>,
}

impl Ports {
    /// `descriptors` is the limit of this process: nine tenths of it, and all but 64, may become relayed sockets.
    pub(crate) fn new(
        addresses: &[RelayAddress],
        range: &RangeInclusive<u16>,
        descriptors: u64,
        receive_buffer: usize,
    ) -> Self {
        let ceiling = (descriptors / 10 * 9).min(descriptors.saturating_sub(64));
        Self {
            pools: addresses.iter().map(|&a| Pool::new(a, range)).collect(),
            reserved: Mutex::default(),
            ceiling: i32::try_from(ceiling).unwrap_or(i32::MAX),
            receive_buffer,
        }
    }

    /// Binds a relayed socket. The first pool is drawn by lot, so that several addresses fill evenly.
    pub(crate) fn bind(&self, family: Family, request: PortRequest, random: &mut Random) -> Result<Held, BindError> {
        if let PortRequest::Reserved(relayed) = request {
            return self.claim(relayed);
        }
        let of_family = || self.pools.iter().enumerate().filter(|(_, p)| Family::of(p.local_ip()) == family);
        let n = of_family().count();
        if n == 0 {
            return Err(BindError::NoAddress);
        }
        let mut answer = Err(BindError::NoPort);
        for (index, pool) in of_family().cycle().skip(random.below(n as u32) as usize).take(n) {
            let bound = pool.bind(request, random, self.receive_buffer).and_then(|b| self.within_ceiling(pool, b));
            match bound {
                Ok(bound) => return Ok(self.hold(index as u8, bound, request)),
                Err(e) => answer = Err(e),
            }
        }
        answer
    }

    /// The kernel gives out the lowest free descriptor: its number is the count of those in use, at least.
    fn within_ceiling(&self, pool: &Pool, bound: pool::Bound) -> Result<pool::Bound, BindError> {
        let highest = bound.reserved.as_ref().map_or(0, |(fd, _)| fd.as_raw_fd()).max(bound.socket.as_raw_fd());
        if self.has_room_for(highest) {
            return Ok(bound);
        }
        let reserved = bound.reserved.as_ref().map(|(_, port)| *port);
        let port = bound.port;
        drop(bound);
        for port in [Some(port), reserved].into_iter().flatten() {
            pool.release(port);
        }
        Err(BindError::NoResources)
    }

    /// Whether a descriptor of this number leaves enough for others: the same measure for connections.
    pub(crate) fn has_room_for(&self, descriptor: i32) -> bool {
        descriptor < self.ceiling
    }

    fn hold(&self, pool: u8, bound: pool::Bound, request: PortRequest) -> Held {
        let reserved = bound.reserved.map(|(socket, port)| {
            let place = Place { pool, port };
            self.reserved().insert(place, socket);
            place
        });
        let place = Place { pool, port: bound.port };
        let (pool, port) = (&self.pools[usize::from(pool)], bound.port);
        if request == PortRequest::Listening {
            pool.set_listening(port);
        } else {
            pool.set_living(port);
        }
        Held { socket: bound.socket, place, reserved }
    }

    /// Hands over a socket held in reserve.
    fn claim(&self, relayed: RelayedTransportAddress) -> Result<Held, BindError> {
        let place = self.place_of(relayed.0).ok_or(BindError::NoAddress)?;
        let socket = self.reserved().remove(&place).ok_or(BindError::NoPort)?;
        self.pools[usize::from(place.pool)].set_living(place.port);
        Ok(Held { socket, place, reserved: None })
    }

    /// Closes a socket held in reserve that nobody claimed.
    pub(crate) fn release_reserved(&self, relayed: RelayedTransportAddress) {
        let Some(place) = self.place_of(relayed.0) else { return };
        let socket = self.reserved().remove(&place);
        if let Some(socket) = socket {
            drop(socket);
            self.pools[usize::from(place.pool)].release(place.port);
        }
    }

    /// Closes a relayed socket; its port may be bound again.
    pub(crate) fn release(&self, socket: OwnedFd, place: Place) {
        let pool = &self.pools[usize::from(place.pool)];
        // First unknown to the other workers, then closed, then free: nobody sends to it or binds it in between.
        pool.set_dead(place.port);
        drop(socket);
        pool.release(place.port);
    }

    /// The address of a relayed port as peers see it.
    pub(crate) fn external(&self, place: Place) -> SocketAddr {
        SocketAddr::new(self.pools[usize::from(place.pool)].address.external, place.port)
    }

    /// The relay address of a pool.
    pub(crate) fn address(&self, pool: u8) -> RelayAddress {
        self.pools[usize::from(pool)].address
    }

    /// Where a relayed port is bound.
    pub(crate) fn local_ip(&self, place: Place) -> IpAddr {
        self.pools[usize::from(place.pool)].local_ip()
    }

    /// Where to send what is meant for a relayed transport address, if some worker has it now.
    pub(crate) fn living(&self, external: SocketAddr) -> Option<SocketAddr> {
        let place = self.place_of(external)?;
        let pool = &self.pools[usize::from(place.pool)];
        pool.is_living(place.port).then(|| SocketAddr::new(pool.local_ip(), place.port))
    }

    /// Where to connect to for a relayed transport address, if some TCP allocation has it now.
    pub(crate) fn listening(&self, external: SocketAddr) -> Option<SocketAddr> {
        let place = self.place_of(external)?;
        let pool = &self.pools[usize::from(place.pool)];
        pool.is_listening(place.port).then(|| SocketAddr::new(pool.local_ip(), place.port))
    }

    /// The same as [`Self::seen_from_outside`] of a peer that has connected.
    pub(crate) fn connected_from(&self, source: SocketAddr) -> SocketAddr {
        let ours = self.pools.iter().find(|p| p.local_ip() == source.ip() && p.is_listening(source.port()));
        ours.map_or(source, |pool| SocketAddr::new(pool.address.external, source.port()))
    }

    /// The sender of a packet as the rules know it: another allocation of this process is known by its external
    /// address, though the packet comes from the local one.
    pub(crate) fn seen_from_outside(&self, source: SocketAddr) -> SocketAddr {
        let ours = self.pools.iter().find(|p| p.local_ip() == source.ip() && p.is_living(source.port()));
        ours.map_or(source, |pool| SocketAddr::new(pool.address.external, source.port()))
    }

    /// The relay addresses that this machine does not have at the moment.
    pub(crate) fn absent(&self) -> Vec<u8> {
        let gone = |pool: &Pool| pool.probe().is_err_and(|e| e.raw_os_error() == Some(libc::EADDRNOTAVAIL));
        self.pools.iter().enumerate().filter(|(_, p)| gone(p)).map(|(i, _)| i as u8).collect()
    }

    /// How many relayed ports are bound now, those held in reserve included.
    pub(crate) fn taken(&self) -> usize {
        self.pools.iter().map(Pool::taken).sum()
    }

    /// Checks that every relay address is there.
    pub(crate) fn check(&self) -> Result<(), (IpAddr, io::Error)> {
        self.pools.iter().try_for_each(|p| p.probe().map_err(|e| (p.local_ip(), e)))
    }

    fn place_of(&self, external: SocketAddr) -> Option<Place> {
        let pool =
            self.pools.iter().position(|p| p.address.external == external.ip() && p.contains(external.port()))?;
        Some(Place { pool: pool as u8, port: external.port() })
    }

    fn reserved(&self) -> std::sync::MutexGuard<'_, HashMap<Place, OwnedFd>> {
        // A panic between insert and remove of a map leaves it whole.
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: PortRequest = PortRequest::Any;

    fn address(local: &str, external: &str) -> RelayAddress {
        RelayAddress { local: local.parse().unwrap(), external: external.parse().unwrap() }
    }

    #[test]
    fn the_last_descriptors_are_left_to_others_and_no_port_is_lost() {
        let addresses = [address("127.0.0.1", "127.0.0.1")];
        let ports = Ports::new(&addresses, &(24000..=24003), 64, 0);
        for request in [ANY, PortRequest::Even, PortRequest::EvenAndReserveNext] {
            assert_eq!(ports.bind(Family::V4, request, &mut Random::new()).unwrap_err(), BindError::NoResources);
        }
        assert_eq!(ports.taken(), 0);
    }

    #[test]
    fn each_address_of_a_family_serves_and_none_of_another() {
        let addresses = [address("127.0.0.1", "127.0.0.1"), address("127.0.0.2", "127.0.0.2")];
        let ports = Ports::new(&addresses, &(24010..=24012), 10_000, 0);
        let mut random = Random::new();
        assert_eq!(ports.bind(Family::V6, ANY, &mut random).unwrap_err(), BindError::NoAddress);
        let held: Vec<_> = (0..6).map(|_| ports.bind(Family::V4, ANY, &mut random).unwrap()).collect();
        assert_eq!(ports.bind(Family::V4, ANY, &mut random).unwrap_err(), BindError::NoPort);
        for held in held {
            ports.release(held.socket, held.place);
        }
        assert_eq!(ports.taken(), 0);
    }

    #[test]
    fn only_a_living_port_is_known_by_its_external_address() {
        let ports = Ports::new(&[address("127.0.0.1", "192.0.2.7")], &(24020..=24020), 10_000, 0);
        let (inside, outside) = ("127.0.0.1:24020".parse().unwrap(), "192.0.2.7:24020".parse().unwrap());
        assert_eq!((ports.living(outside), ports.seen_from_outside(inside)), (None, inside));
        let held = ports.bind(Family::V4, ANY, &mut Random::new()).unwrap();
        assert_eq!((ports.living(outside), ports.seen_from_outside(inside)), (Some(inside), outside));
        ports.release(held.socket, held.place);
        assert_eq!((ports.living(outside), ports.seen_from_outside(inside)), (None, inside));
    }

    #[test]
    fn a_reserved_port_is_alive_when_it_is_claimed_and_free_when_nobody_does() {
        let ports = Ports::new(&[address("127.0.0.1", "192.0.2.7")], &(24030..=24031), 10_000, 0);
        let neighbour = RelayedTransportAddress("192.0.2.7:24031".parse().unwrap());
        let pair = || ports.bind(Family::V4, PortRequest::EvenAndReserveNext, &mut Random::new()).unwrap();
        let first = pair();
        assert_eq!(ports.living(neighbour.0), None);
        let claimed = ports.bind(Family::V4, PortRequest::Reserved(neighbour), &mut Random::new()).unwrap();
        assert!(ports.living(neighbour.0).is_some());
        // The same token again, or a release that comes too late, finds nothing.
        assert!(ports.bind(Family::V4, PortRequest::Reserved(neighbour), &mut Random::new()).is_err());
        ports.release_reserved(neighbour);
        assert_eq!(ports.taken(), 2);
        ports.release(first.socket, first.place);
        ports.release(claimed.socket, claimed.place);
        let first = pair();
        ports.release_reserved(neighbour);
        assert_eq!(ports.taken(), 1);
        ports.release(first.socket, first.place);
    }

    #[test]
    fn an_address_that_this_machine_does_not_have_is_absent() {
        let addresses = [address("127.0.0.1", "127.0.0.1"), address("192.0.2.1", "192.0.2.1")];
        let ports = Ports::new(&addresses, &(24040..=24041), 10_000, 0);
        assert_eq!(ports.absent(), [1]);
        assert_eq!(ports.check().unwrap_err().0, addresses[1].local);
    }
}
