//! What a client says about TCP allocations, and a world that offers them.

use std::net::SocketAddr;

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Builder, Class, Method};
use posthouse_turn::{AllocationId, ConnectionId, PeerTransportAddress, Settings, Transport};

use crate::world::{Answer, Client, Event, World, address};

pub(crate) fn world() -> World {
    world_with(|_| ())
}

pub(crate) fn world_with(change: impl FnOnce(&mut Settings)) -> World {
    World::with(|settings| {
        settings.tcp_allocations = true;
        change(settings);
    })
}

/// A client of alice's over TCP, at 203.0.113.`n`.
pub(crate) fn client(n: u8) -> Client {
    Client::at(SocketAddr::from(([203, 0, 113, n], 5000)), Transport::Tcp)
}

/// A client of bob's.
pub(crate) fn bob(n: u8) -> Client {
    client(n).user("bob", "builder")
}

impl Client {
    pub(crate) fn allocate_tcp_with(&mut self, world: &mut World, write: impl FnOnce(&mut Builder<'_>)) -> Answer {
        self.request(world, Method::ALLOCATE, |b| {
            b.attribute(AttributeType::REQUESTED_TRANSPORT, &[6, 0, 0, 0]);
            write(b);
        })
    }

    /// A TCP allocation that must succeed.
    pub(crate) fn allocate_tcp(&mut self, world: &mut World) -> AllocationId {
        let answer = self.allocate_tcp_with(world, |_| ());
        assert_eq!(answer.code(), 0);
        let mut all = world.server.allocations(world.now);
        all.find(|a| a.client == self.at).expect("the allocation just made").id
    }

    /// A Connect that is refused at once.
    pub(crate) fn connect_code(&mut self, world: &mut World, peer: SocketAddr) -> u16 {
        self.code(world, Method::CONNECT, |b| {
            b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer);
        })
    }

    /// A Connect that the shell is asked to make.
    pub(crate) fn connect(&mut self, world: &mut World, peer: SocketAddr) -> ConnectionId {
        let bytes = self.signed(world, Method::CONNECT, |b| {
            b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer);
        });
        world.packet(self.at, &bytes);
        assert_eq!(world.answers, [], "nothing is said before the connection stands");
        match world.events.last() {
            Some(&Event::Connect { id, to, .. }) if to == peer => id,
            other => panic!("asked to connect to {peer}, but {other:?}"),
        }
    }

    /// A connection that stands and waits for its ConnectionBind.
    pub(crate) fn connected(&mut self, world: &mut World, peer: SocketAddr) -> ConnectionId {
        let id = self.connect(world, peer);
        let answer = world.connected(id, true).expect("an answer");
        assert_eq!((answer.code(), answer.connection()), (0, id));
        id
    }

    pub(crate) fn bind_connection(&mut self, world: &mut World, id: ConnectionId) -> u16 {
        self.code(world, Method::CONNECTION_BIND, |b| {
            b.number(AttributeType::CONNECTION_ID, id.0);
        })
    }
}

impl World {
    /// The shell has connected, or not.
    pub(crate) fn connected(&mut self, id: ConnectionId, connected: bool) -> Option<Answer> {
        self.answers.clear();
        self.server.handle_connected(self.now, id, connected);
        self.drain();
        self.answer()
    }

    /// A peer connects to a relayed transport address.
    pub(crate) fn peer_connects(&mut self, at: AllocationId, from: &str) -> Option<ConnectionId> {
        self.answers.clear();
        let id = self.server.handle_accepted(self.now, at, PeerTransportAddress(address(from)));
        self.drain();
        id
    }

    /// Events since the last look.
    pub(crate) fn news(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

impl Answer {
    pub(crate) fn connection(&self) -> ConnectionId {
        ConnectionId(self.message().connection_id().unwrap().expect("CONNECTION-ID"))
    }

    pub(crate) fn is_attempt(&self) -> bool {
        let message = self.message();
        (message.class(), message.method()) == (Class::Indication, Method::CONNECTION_ATTEMPT)
    }
}
