//! [`Sockets`]: what one worker reads from and sends through.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use posthouse_stun::attribute::Family;
use posthouse_turn::{AllocationId, FiveTuple};

use crate::engine::Appetite;
use crate::listener::Listener;
use crate::outbox::Queue;
use crate::ports::{Place, Ports};
use crate::stream::{StreamId, Streams};

/// Names a socket of one worker in 64 bits, which epoll carries for us. A name that outlived its socket finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// Another thread wants something.
    Wake,
    /// A listening socket by its number.
    Listener(u8),
    /// A relayed socket.
    Relayed(AllocationId, Family),
    /// A client's connection.
    Stream(StreamId),
    /// The set of data connections has something to tell.
    DataConnections,
}

/// Generations beyond 2^29 wrap around: a stale name would have to wait for half a billion allocations of its place.
const GENERATION_BITS: u32 = 29;

impl Token {
    /// `kind (2 bits) | family (1) | generation (29) | index (32)`, of a stream `3 (2) | generation (30) | index (32)`
    pub(crate) fn to_bits(self) -> u64 {
        match self {
            Self::Wake => 0,
            Self::DataConnections => 1,
            Self::Listener(n) => 1 << 62 | u64::from(n),
            Self::Stream(id) => 3 << 62 | u64::from(id.generation) << 32 | u64::from(id.index),
            Self::Relayed(id, family) => {
                let generation = u64::from(id.generation & ((1 << GENERATION_BITS) - 1));
                2 << 62 | u64::from(family == Family::V6) << 61 | generation << 32 | u64::from(id.index)
            }
        }
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        match bits >> 62 {
            0 if bits == 0 => Self::Wake,
            0 => Self::DataConnections,
            1 => Self::Listener(bits as u8),
            3 => {
                let generation = (bits >> 32) as u32 & ((1 << StreamId::GENERATION_BITS) - 1);
                Self::Stream(StreamId { index: bits as u32, generation })
            }
            _ => {
                let family = if bits >> 61 & 1 == 1 { Family::V6 } else { Family::V4 };
                let generation = (bits >> 32) as u32 & ((1 << GENERATION_BITS) - 1);
                Self::Relayed(AllocationId { index: bits as u32, generation }, family)
            }
        }
    }
}

/// Where a client comes in, and answers go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A listening socket by its number.
    Listener(u8),
    /// A connection.
    Stream(StreamId),
}

impl Default for Way {
    fn default() -> Self {
        Self::Listener(0)
    }
}

/// What sending and receiving need to know of a socket, whichever kind it is.
#[derive(Debug, Default)]
pub(crate) struct Traits {
    /// What waits in the outbox.
    pub(crate) queue: Queue,
    /// Packets above this size are not joined for sending (UDP_SEGMENT failed with them).
    pub(crate) segment_max: u16,
    /// The kernel's count of datagrams that a full buffer cost, as last seen.
    pub(crate) overflow: u32,
    /// Of a relayed socket: how much it had when it was read last.
    pub(crate) appetite: Appetite,
}

impl Traits {
    pub(crate) fn new() -> Self {
        Self { segment_max: u16::MAX, ..Self::default() }
    }
}

/// A socket bound to a relayed transport address.
#[derive(Debug)]
pub(crate) struct RelayedSocket {
    pub(crate) socket: OwnedFd,
    pub(crate) place: Place,
    pub(crate) traits: Traits,
}

impl RelayedSocket {
    /// What the kernel counts and refuses stays true; what this worker thinks of it does not.
    fn for_another_worker(self) -> Self {
        let Traits { segment_max, overflow, .. } = self.traits;
        Self { traits: Traits { segment_max, overflow, ..Traits::new() }, ..self }
    }
}

/// The sockets of one allocation.
#[derive(Debug, Default)]
struct Entry {
    generation: u32,
    /// Where the client came in, to be asked first for the way back.
    way: Way,
    v4: Option<RelayedSocket>,
    v6: Option<RelayedSocket>,
}

impl Entry {
    fn family(&mut self, family: Family) -> &mut Option<RelayedSocket> {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }
}

/// The listening sockets, the connections and the relayed sockets of one worker; the last stand at their allocation's
/// index.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) listeners: Vec<Listener>,
    pub(crate) streams: Streams,
    /// Relayed sockets that have errors to tell, noted by the engine.
    pub(crate) failed: Vec<Token>,
    relayed: Vec<Entry>,
    living: usize,
    ports: Arc<Ports>,
}

impl Sockets {
    pub(crate) fn new(listeners: Vec<Listener>, streams: Streams, ports: Arc<Ports>) -> Self {
        Self { listeners, streams, failed: Vec::new(), relayed: Vec::new(), living: 0, ports }
    }

    /// How many relayed sockets.
    pub(crate) fn relayed_len(&self) -> usize {
        self.living
    }

    /// Takes over a relayed socket just bound, for a client that came in by `way`.
    pub(crate) fn insert(&mut self, id: AllocationId, family: Family, way: Way, socket: RelayedSocket) {
        let index = id.index as usize;
        if self.relayed.len() <= index {
            self.relayed.resize_with(index + 1, Entry::default);
        }
        if self.relayed[index].generation != id.generation {
            self.close_at(index);
        }
        let entry = &mut self.relayed[index];
        entry.generation = id.generation;
        entry.way = way;
        let old = entry.family(family).replace(socket);
        self.living += 1;
        self.release(old);
    }

    /// Gives up the relayed sockets of an allocation, open, to whoever takes it over.
    pub(crate) fn take(&mut self, id: AllocationId) -> Vec<(Family, RelayedSocket)> {
        if self.entry(id).is_none() {
            return Vec::new();
        }
        let entry = &mut self.relayed[id.index as usize];
        let both = [(Family::V4, entry.v4.take()), (Family::V6, entry.v6.take())];
        let taken: Vec<_> =
            both.into_iter().filter_map(|(family, s)| Some((family, s?.for_another_worker()))).collect();
        self.living -= taken.len();
        taken
    }

    /// The client of an allocation comes in another way now.
    pub(crate) fn set_way(&mut self, id: AllocationId, way: Way) {
        if self.entry(id).is_some() {
            self.relayed[id.index as usize].way = way;
        }
    }

    /// Closes every relayed socket of an allocation.
    pub(crate) fn close(&mut self, id: AllocationId) {
        if self.entry(id).is_some() {
            self.close_at(id.index as usize);
        }
    }

    /// Closes the relayed socket of one family.
    pub(crate) fn close_family(&mut self, id: AllocationId, family: Family) {
        if self.entry(id).is_some() {
            let socket = self.relayed[id.index as usize].family(family).take();
            self.release(socket);
        }
    }

    fn close_at(&mut self, index: usize) {
        let entry = &mut self.relayed[index];
        for socket in [entry.v4.take(), entry.v6.take()] {
            self.release(socket);
        }
    }

    fn release(&mut self, socket: Option<RelayedSocket>) {
        if let Some(socket) = socket {
            self.living -= 1;
            self.ports.release(socket.socket, socket.place);
        }
    }

    /// The descriptor behind a name, unless it is closed.
    pub(crate) fn fd(&self, token: Token) -> Option<BorrowedFd<'_>> {
        match token {
            Token::Wake | Token::DataConnections => None,
            Token::Listener(n) => self.listeners.get(usize::from(n)).map(|l| l.socket.as_fd()),
            Token::Relayed(id, family) => self.relayed(id, family).map(|s| s.socket.as_fd()),
            Token::Stream(id) => self.streams.fd(id),
        }
    }

    /// What sending and receiving datagrams need to know of a socket.
    pub(crate) fn traits_mut(&mut self, token: Token) -> Option<&mut Traits> {
        match token {
            Token::Wake | Token::Stream(_) | Token::DataConnections => None,
            Token::Listener(n) => self.listeners.get_mut(usize::from(n)).map(|l| &mut l.traits),
            Token::Relayed(id, family) => {
                let matches = |e: &&mut Entry| same_generation(e.generation, id.generation);
                let entry = self.relayed.get_mut(id.index as usize).filter(matches)?;
                entry.family(family).as_mut().map(|s| &mut s.traits)
            }
        }
    }

    /// The local address of a socket, for options that differ by family.
    pub(crate) fn local_ip(&self, token: Token) -> Option<IpAddr> {
        match token {
            Token::Wake | Token::Stream(_) | Token::DataConnections => None,
            Token::Listener(n) => self.listeners.get(usize::from(n)).map(|l| l.local.ip()),
            Token::Relayed(id, family) => self.relayed(id, family).map(|s| self.ports.local_ip(s.place)),
        }
    }

    /// The allocation behind a name that may have lost bits on its way through [`Token::to_bits`].
    pub(crate) fn whole_id(&self, id: AllocationId) -> Option<AllocationId> {
        self.entry(id).map(|e| AllocationId { generation: e.generation, ..id })
    }

    /// The relayed socket of an allocation for peers of `family`.
    pub(crate) fn relayed(&self, id: AllocationId, family: Family) -> Option<&RelayedSocket> {
        let entry = self.entry(id)?;
        match family {
            Family::V4 => entry.v4.as_ref(),
            Family::V6 => entry.v6.as_ref(),
        }
    }

    /// The listener that has the server address of a client: the one it came to, or after a change of address another.
    pub(crate) fn listener_for(&self, id: Option<AllocationId>, server: SocketAddr) -> Option<u8> {
        let first = match id.and_then(|id| self.entry(id)).map(|e| e.way) {
            Some(Way::Listener(n)) => n,
            _ => 0,
        };
        let has = |n: u8| self.listeners.get(usize::from(n)).is_some_and(|l| l.has(server));
        if has(first) { Some(first) } else { (0..self.listeners.len() as u8).find(|&n| has(n)) }
    }

    /// The connection of a client: the one its allocation was made on, or after a change of address another.
    pub(crate) fn stream_for(&self, id: Option<AllocationId>, client: &FiveTuple) -> Option<StreamId> {
        let is_it = |id: StreamId| self.streams.get(id).is_some_and(|c| c.five_tuple == *client);
        match id.and_then(|id| self.entry(id)).map(|e| e.way) {
            Some(Way::Stream(id)) if is_it(id) => Some(id),
            _ => self.streams.find(client),
        }
    }

    fn entry(&self, id: AllocationId) -> Option<&Entry> {
        self.relayed.get(id.index as usize).filter(|e| same_generation(e.generation, id.generation))
    }
}

/// Names that went through [`Token::to_bits`] have lost the upper bits of the generation.
fn same_generation(a: u32, b: u32) -> bool {
    (a ^ b) & ((1 << GENERATION_BITS) - 1) == 0
}

impl Drop for Sockets {
    /// Also when a worker panics: its ports are free again.
    fn drop(&mut self) {
        for index in 0..self.relayed.len() {
            self.close_at(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_its_bits() {
        let id = AllocationId { index: u32::MAX, generation: (1 << GENERATION_BITS) - 1 };
        for token in [
            Token::Wake,
            Token::DataConnections,
            Token::Listener(0),
            Token::Listener(255),
            Token::Relayed(id, Family::V4),
            Token::Relayed(AllocationId { index: 0, generation: 0 }, Family::V6),
            Token::Stream(StreamId { index: u32::MAX, generation: (1 << StreamId::GENERATION_BITS) - 1 }),
            Token::Stream(StreamId { index: 0, generation: 0 }),
        ] {
            assert_eq!(Token::from_bits(token.to_bits()), token);
        }
    }
}
