//! [`Channels`]: channel bindings (RFC 8656 §12).
//!
//! A number or peer is free as soon as its binding has ended. §12 has *clients* wait five minutes before they bind
//! either to something else; the server refuses only what is "currently bound" (§12.2) and grants the rest.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use posthouse_stun::ChannelNumber;

use crate::Route;
use crate::permission::reserve_few;

/// "Channel bindings last for 10 minutes unless refreshed" (RFC 8656 §12).
pub(crate) const LIFETIME: Duration = Duration::from_secs(600);

/// An allocation's channels, sorted by number, with a second order by peer.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    by_number: Vec<Channel>,
    /// Places in `by_number`, sorted by the peer there.
    by_peer: Vec<u16>,
}

/// A number and a peer bound to each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channel {
    pub(crate) number: ChannelNumber,
    port: u16,
    ip: IpAddr,
    pub(crate) route: Route,
    pub(crate) expires: Instant,
}

impl Channel {
    pub(crate) fn peer(&self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port)
    }

    fn lives(&self, now: Instant) -> bool {
        now < self.expires
    }

    fn key(&self) -> (IpAddr, u16) {
        (self.ip, self.port)
    }
}

/// Why a binding cannot be made: number or peer belong to another one, or there are as many as may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    Taken,
    Full,
}

impl Channels {
    /// The living channel of a number.
    pub(crate) fn get(&self, now: Instant, number: ChannelNumber) -> Option<&Channel> {
        let channel = &self.by_number[self.find(number).ok()?];
        channel.lives(now).then_some(channel)
    }

    /// The living channel of a peer.
    pub(crate) fn of_peer(&self, now: Instant, peer: SocketAddr) -> Option<&Channel> {
        let at = self.find_peer((peer.ip(), peer.port())).ok()?;
        let channel = &self.by_number[usize::from(self.by_peer[at])];
        channel.lives(now).then_some(channel)
    }

    /// Binds, or refreshes the same binding. What has expired is to be taken first.
    pub(crate) fn bind(
        &mut self,
        now: Instant,
        number: ChannelNumber,
        peer: SocketAddr,
        route: Route,
        max: usize,
    ) -> Result<(), Conflict> {
        let (ip, port) = (peer.ip(), peer.port());
        let channel = Channel { number, port, ip, route, expires: now + LIFETIME };
        match (self.find(number), self.find_peer((ip, port))) {
            (Ok(at), Ok(place)) if usize::from(self.by_peer[place]) == at => self.by_number[at] = channel,
            (Err(_), Err(_)) if self.by_number.len() >= max => return Err(Conflict::Full),
            (Err(at), Err(_)) => self.insert(at, channel),
            _ => return Err(Conflict::Taken),
        }
        Ok(())
    }

    /// When the next channel ends.
    pub(crate) fn next_end(&self) -> Option<Instant> {
        self.by_number.iter().map(|c| c.expires).min()
    }

    /// Takes one channel that `ends` picks, by time or by decree.
    pub(crate) fn take(&mut self, ends: impl Fn(&Channel) -> bool) -> Option<Channel> {
        let at = self.by_number.iter().position(ends)?;
        let channel = self.by_number.remove(at);
        self.sort_by_peer();
        Some(channel)
    }

    /// Channels whose end was not told yet.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.by_number.iter()
    }

    /// Changes the route where `judge` says so. Use after those it refuses were taken.
    pub(crate) fn reroute(&mut self, judge: impl Fn(SocketAddr) -> Option<Route>) {
        for channel in &mut self.by_number {
            channel.route = judge(channel.peer()).unwrap_or(channel.route);
        }
    }

    /// Channels that are bound.
    pub(crate) fn living(&self, now: Instant) -> usize {
        self.by_number.iter().filter(|c| c.lives(now)).count()
    }

    fn insert(&mut self, at: usize, channel: Channel) {
        reserve_few(&mut self.by_number);
        reserve_few(&mut self.by_peer);
        self.by_number.insert(at, channel);
        self.sort_by_peer();
    }

    fn sort_by_peer(&mut self) {
        self.by_peer.clear();
        // At most 4096 channel numbers exist.
        self.by_peer.extend(0..self.by_number.len() as u16);
        self.by_peer.sort_unstable_by_key(|&at| self.by_number[usize::from(at)].key());
    }

    fn find(&self, number: ChannelNumber) -> Result<usize, usize> {
        self.by_number.binary_search_by_key(&number, |c| c.number)
    }

    fn find_peer(&self, peer: (IpAddr, u16)) -> Result<usize, usize> {
        self.by_peer.binary_search_by(|&at| self.by_number[usize::from(at)].key().cmp(&peer))
    }
}
