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
                Ok(bound) => return Ok(self.hold(index as u8, bound)),
                Err(e) => answer = Err(e),
            }
        }
        answer
    }

    /// The kernel gives out the lowest free descriptor: its number is the count of those in use, at least.
    fn within_ceiling(&self, pool: &Pool, bound: pool::Bound) -> Result<pool::Bound, BindError> {
        let highest = bound.reserved.as_ref().map_or(0, |(fd, _)| fd.as_raw_fd()).max(bound.socket.as_raw_fd());
        if highest < self.ceiling {
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

    fn hold(&self, pool: u8, bound: pool::Bound) -> Held {
        let reserved = bound.reserved.map(|(socket, port)| {
            let place = Place { pool, port };
            self.reserved().insert(place, socket);
            place
        });
        let place = Place { pool, port: bound.port };
        self.pools[usize::from(pool)].set_living(bound.port);
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
