//! [`DataConnections`]: the peer data connections of one worker's TCP allocations (RFC 6062), and the client data
//! connections that they are joined to.
//!
//! ```text
//! client ── client data connection ──► pipe ──► peer data connection ── peer
//!                                  ◄── pipe ◄──
//! ```
//! A set of their own says which of them have something; the set is one member of the worker's. From a connection is
//! read only when its pipe is empty, so that whoever reads slowly slows down whoever writes, and nothing grows.

mod connecting;
mod pipe;
mod side;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use posthouse_stun::attribute::Family;
use posthouse_turn::{AllocationId, ConnectionId, Direction};

pub(crate) use connecting::{UNACKNOWLEDGED, accept, connect};
pub(crate) use side::Side;

use crate::counters::Counters;
use crate::kernel::epoll::{Epoll, Event};
use crate::sockets::Token;
use pipe::Pipe;
use side::Rooms;

/// Connections reported by one look.
const READY_MAX: usize = 64;
/// Bytes moved in one turn of the worker, after which datagrams have theirs.
const SHARE: usize = 512 << 10;
/// How long a connection may stand half closed without a byte.
const LINGER: Duration = Duration::from_secs(30);
/// Until bandwidth is asked for again.
const PAUSE: Duration = Duration::from_millis(20);

/// What has something to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// A peer connects to a relayed transport address.
    Listener(AllocationId, Family),
    /// A connection with a peer stands, or failed.
    Connecting(ConnectionId),
    /// Bytes, or room for them.
    Data(ConnectionId),
}

/// One peer data connection and, once it is bound, its client data connection.
#[derive(Debug)]
struct DataConnection {
    peer: Side,
    client: Option<Side>,
    connecting: bool,
    to_peer: Pipe,
    to_client: Pipe,
    /// When it is closed unless something moves: one way is closed already.
    lingers_until: Option<Instant>,
    /// Its place among those that wait for bandwidth is taken.
    over_bandwidth: bool,
}

/// See the module.
pub(crate) struct DataConnections {
    epoll: Epoll,
    connections: HashMap<ConnectionId, Box<DataConnection>>,
    ready: VecDeque<Told>,
    rooms: Rooms,
    over_bandwidth: Vec<ConnectionId>,
    resume: Option<Instant>,
    lingering: BTreeSet<(Instant, ConnectionId)>,
    /// Listeners that are not heard until the next tick: no descriptor was left.
    deaf: Vec<(AllocationId, Family)>,
}

/// What became of a connection that was worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    /// It goes on; so many bytes were moved.
    Open(usize),
    /// Both ways are at their end; it is closed.
    Closed,
}

const CLIENT: u64 = 1 << 62;

impl DataConnections {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: Epoll::new(READY_MAX)?,
            connections: HashMap::new(),
            ready: VecDeque::new(),
            rooms: Rooms::default(),
            over_bandwidth: Vec::new(),
            resume: None,
            lingering: BTreeSet::new(),
            deaf: Vec::new(),
        })
    }

    /// The set, for the worker's own.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Reports who connects to a relayed transport address.
    pub(crate) fn watch_listener(&self, id: AllocationId, family: Family, socket: BorrowedFd<'_>) -> io::Result<()> {
        self.epoll.add(socket, Token::Relayed(id, family).to_bits())
    }

    /// Not until the next tick.
    pub(crate) fn ignore_listener(&mut self, id: AllocationId, family: Family, socket: BorrowedFd<'_>) {
        self.epoll.remove(socket);
        self.deaf.push((id, family));
    }

    /// Listeners that were ignored.
    pub(crate) fn take_deaf(&mut self) -> Vec<(AllocationId, Family)> {
        std::mem::take(&mut self.deaf)
    }

    /// A connection with a peer, which stands or is being made.
    pub(crate) fn insert(&mut self, id: ConnectionId, peer: TcpStream, connecting: bool) {
        let mut connection = Box::new(DataConnection {
            peer: Side::peer(peer),
            client: None,
            connecting,
            to_peer: Pipe::default(),
            to_client: Pipe::default(),
            lingers_until: None,
            over_bandwidth: false,
        });
        connection.watch(&self.epoll, id);
        self.connections.insert(id, connection);
    }

    /// What has something to tell now; the rest waits for the next turn.
    pub(crate) fn next_told(&mut self) -> Option<Told> {
        self.ready.pop_front()
    }

    /// Looks once, unless something is left from the last look.
    pub(crate) fn look(&mut self) -> io::Result<()> {
        if !self.ready.is_empty() {
            return Ok(());
        }
        for Event { data, .. } in self.epoll.wait(Duration::ZERO)? {
            let told = match Token::from_bits(data) {
                Token::Relayed(id, family) => Told::Listener(id, family),
                _ => {
                    let id = ConnectionId(data as u32);
                    let connecting = self.connections.get(&id).is_some_and(|c| c.connecting);
                    if connecting { Told::Connecting(id) } else { Told::Data(id) }
                }
            };
            self.ready.push_back(told);
        }
        Ok(())
    }

    /// How an attempt ended, if it has.
    pub(crate) fn has_connected(&mut self, id: ConnectionId) -> Option<bool> {
        let connection = self.connections.get_mut(&id).filter(|c| c.connecting)?;
        let connected = connection.peer.has_connected()?;
        connection.connecting = false;
        connection.watch(&self.epoll, id);
        Some(connected)
    }

    /// Joins a client data connection. `early` are bytes that it said already, `owed` bytes that it must hear first.
    pub(crate) fn join(&mut self, id: ConnectionId, client: Side, early: &[u8], owed: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.to_peer.keep(early, 0);
        connection.to_client.keep(owed, owed.len());
        connection.client = Some(client);
    }

    /// Moves what can be moved, both ways, one read each; `pass` says how many bytes may go on.
    pub(crate) fn work(
        &mut self,
        now: Instant,
        id: ConnectionId,
        counters: &mut Counters,
        pass: &mut dyn FnMut(Direction, usize) -> usize,
    ) -> Became {
        let Some(connection) = self.connections.get_mut(&id) else { return Became::Open(0) };
        let moved = connection.pump(&mut self.rooms, counters, pass);
        if connection.is_over() {
            self.close(id);
            return Became::Closed;
        }
        connection.watch(&self.epoll, id);
        if connection.wants_bandwidth() && !connection.over_bandwidth {
            connection.over_bandwidth = true;
            counters.data_connections.paused += 1;
            self.over_bandwidth.push(id);
            self.resume.get_or_insert(now + PAUSE);
        }
        if connection.is_half_closed() && (moved > 0 || connection.lingers_until.is_none()) {
            let until = now + LINGER;
            if let Some(old) = connection.lingers_until.replace(until) {
                self.lingering.remove(&(old, id));
            }
            self.lingering.insert((until, id));
        }
        Became::Open(moved)
    }

    /// Whether a turn has had its share.
    pub(crate) fn is_enough(moved: usize) -> bool {
        moved >= SHARE
    }

    /// Those that wait for bandwidth, when it is time to ask again.
    pub(crate) fn take_paused(&mut self, now: Instant) -> Vec<ConnectionId> {
        if self.resume.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.resume = None;
        let paused = std::mem::take(&mut self.over_bandwidth);
        for id in &paused {
            if let Some(connection) = self.connections.get_mut(id) {
                connection.over_bandwidth = false;
            }
        }
        paused
    }

    /// One that stood half closed for too long.
    pub(crate) fn take_lingering(&mut self, now: Instant) -> Option<ConnectionId> {
        self.lingering.first().filter(|(at, _)| *at <= now)?;
        self.lingering.pop_first().map(|(_, id)| id)
    }

    /// When time is to be told of.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let lingering = self.lingering.first().map(|&(at, _)| at);
        self.resume.into_iter().chain(lingering).min()
    }

    /// Closes both ends.
    pub(crate) fn close(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else { return };
        if let Some(until) = connection.lingers_until {
            self.lingering.remove(&(until, id));
        }
        let DataConnection { peer, client, .. } = *connection;
        for mut side in [Some(peer), client].into_iter().flatten() {
            side.say_goodbye();
            side.watch(&self.epoll, 0, side::Interest::default());
        }
    }
}

impl DataConnection {
    fn pump(
        &mut self,
        rooms: &mut Rooms,
        counters: &mut Counters,
        pass: &mut dyn FnMut(Direction, usize) -> usize,
    ) -> usize {
        let Some(client) = &mut self.client else { return 0 };
        let (peer, calls) = (&mut self.peer, &mut counters.calls);
        let (mut up, mut down) = (0, 0);
        loop {
            up += self.to_peer.pump(client, peer, rooms, calls, &mut |n| pass(Direction::ToPeer, n));
            down += self.to_client.pump(peer, client, rooms, calls, &mut |n| pass(Direction::ToClient, n));
            // What is gone takes nothing any more, and says nothing: the other side is to hear of it.
            let news = client.is_gone() && self.to_client.abandon();
            let news = (peer.is_gone() && self.to_peer.abandon()) || news;
            if !news {
                break;
            }
        }
        for (flow, moved) in
            [(&mut counters.data_connections.to_peers, up), (&mut counters.data_connections.to_clients, down)]
        {
            flow.count(usize::from(moved > 0), moved);
        }
        up + down
    }

    fn is_over(&self) -> bool {
        self.to_peer.is_over() && self.to_client.is_over()
    }

    fn is_half_closed(&self) -> bool {
        self.to_peer.has_ended() || self.to_client.has_ended()
    }

    fn wants_bandwidth(&self) -> bool {
        self.to_peer.wants_bandwidth() || self.to_client.wants_bandwidth()
    }

    /// Asks the kernel for what is of use now. An unbound connection is not read: what the peer says waits in the
    /// kernel, whose window tells the peer how much more it may say (RFC 6062 §5.2).
    fn watch(&mut self, epoll: &Epoll, id: ConnectionId) {
        let joined = self.client.is_some();
        let peer = side::Interest {
            input: joined && self.to_client.wants_input(),
            output: self.connecting || self.to_peer.wants_room(),
        };
        self.peer.watch(epoll, u64::from(id.0), peer);
        if let Some(client) = &mut self.client {
            let output = self.to_client.wants_room() || client.waits();
            let interest = side::Interest { input: self.to_peer.wants_input(), output };
            client.watch(epoll, CLIENT | u64::from(id.0), interest);
        }
    }
}
