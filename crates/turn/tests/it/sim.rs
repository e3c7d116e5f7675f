//! Clients, server and echoing peers as nodes of a network that loses, duplicates, delays and reorders.
//!
//! Everything follows from one seed, printed when a run fails; `SIM_SEED=n` runs that one alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::time::Duration;

use posthouse_stun::attribute::{AttributeType, Family};
use posthouse_stun::{ChannelData, Message, Method};
use posthouse_turn::{Rates, RelayedTransportAddress, Route};

use crate::world::{Client, World, channel_data};

const CLIENTS: u8 = 8;
const PACKETS: u16 = 200;
const LOSS: u64 = 5;
const DUPLICATES: u64 = 1;

/// Where a packet is going.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum To {
    Server {
        client: u8,
    },
    Client {
        client: u8,
    },
    Peer {
        relayed: SocketAddr,
        peer: SocketAddr,
    },
    Relayed {
        relayed: SocketAddr,
        peer: SocketAddr,
    },
    /// A client's own clock.
    Timer {
        client: u8,
        request: u32,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Parcel {
    at: Duration,
    order: u64,
    to: To,
    bytes: Vec<u8>,
}

/// How far a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greeting,
    Allocating,
    Binding,
    Talking,
    Leaving,
    Gone,
}

struct Node {
    client: Client,
    stage: Stage,
    /// The request that waits for its answer, and how often it was sent.
    request: Vec<u8>,
    number: u32,
    tries: u32,
    relayed: Option<SocketAddr>,
    allocated_at: Option<Duration>,
    heard: BTreeMap<u16, u32>,
}

struct Network {
    random: u64,
    now: Duration,
    order: u64,
    parcels: BinaryHeap<Reverse<Parcel>>,
    world: World,
    nodes: Vec<Node>,
}

impl Network {
    fn new(seed: u64) -> Self {
        let world = World::with(|s| {
            s.rates = Rates { errors: 0, errors_per_prefix: 0, ..s.rates };
        });
        let nodes = (0..CLIENTS).map(|n| Node::new(Client::new(n).minted(&format!("user-{n}"), 9999))).collect();
        Self { random: seed, now: Duration::ZERO, order: 0, parcels: BinaryHeap::new(), world, nodes }
    }

    /// SplitMix64.
    fn roll(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % below
    }

    /// Gives a packet to the network: perhaps nothing arrives, perhaps twice, always 30 to 70 ms later.
    fn send(&mut self, to: &To, bytes: &[u8]) {
        let copies = if self.roll(100) < DUPLICATES { 2 } else { 1 };
        for _ in 0..copies {
            if self.roll(100) >= LOSS {
                let delay = Duration::from_micros(30_000 + self.roll(40_000));
                self.post(delay, to.clone(), bytes.to_vec());
            }
        }
    }

    fn post(&mut self, delay: Duration, to: To, bytes: Vec<u8>) {
        self.order += 1;
        self.parcels.push(Reverse(Parcel { at: self.now + delay, order: self.order, to, bytes }));
    }

    fn run(&mut self) {
        for client in 0..CLIENTS {
            self.ask(client, Stage::Greeting);
        }
        while let Some(Reverse(parcel)) = self.parcels.pop() {
            self.advance_to(parcel.at);
            match parcel.to {
                To::Server { client } => self.server_hears(client, &parcel.bytes),
                To::Client { client } => self.client_hears(client, &parcel.bytes),
                To::Peer { relayed, peer } => self.send(&To::Relayed { relayed, peer }, &parcel.bytes),
                To::Relayed { relayed, peer } => self.relay_hears(relayed, peer, &parcel.bytes),
                To::Timer { client, request } => self.timer(client, request),
            }
        }
    }

    fn advance_to(&mut self, at: Duration) {
        let passed = at - self.now;
        self.now = at;
        let end = self.world.now.after(passed);
        while let Some(due) = self.world.server.poll_timeout().filter(|&due| due <= end.instant) {
            self.world.now.instant = due;
            self.world.server.handle_timeout(self.world.now);
            self.world.drain();
        }
        self.world.now = end;
    }

    fn server_hears(&mut self, client: u8, bytes: &[u8]) {
        let from = self.nodes[usize::from(client)].client.at;
        let forward = self.world.packet(from, bytes);
        if let Some(answer) = self.world.answer() {
            assert_eq!(answer.to, from);
            self.send(&To::Client { client }, &answer.bytes);
        }
        let Some(forward) = forward else { return };
        let relayed = self.world.server.relayed_address(forward.from, Family::V4).unwrap().0;
        let payload = &bytes[forward.payload];
        match forward.route {
            Route::Peer => self.send(&To::Peer { relayed, peer: forward.to.0 }, payload),
            Route::Relay => self.relay_hears(forward.to.0, relayed, payload),
        }
    }

    fn relay_hears(&mut self, relayed: SocketAddr, peer: SocketAddr, payload: &[u8]) {
        let Some(id) = self.world.server.relayed(RelayedTransportAddress(relayed)) else { return };
        let Some(wrap) = self.world.peer_sends(id, peer, payload.len()) else { return };
        let client = self.nodes.iter().position(|n| n.client.at == wrap.to).unwrap() as u8;
        let mut bytes = wrap.header.as_bytes().to_vec();
        bytes.extend_from_slice(payload);
        bytes.resize(bytes.len() + usize::from(wrap.padding), 0);
        self.send(&To::Client { client }, &bytes);
    }

    fn client_hears(&mut self, client: u8, bytes: &[u8]) {
        if let Ok(data) = ChannelData::parse(bytes) {
            return self.nodes[usize::from(client)].hear(client, &bytes[data.payload()]);
        }
        let message = Message::parse(bytes).expect("the server sends nothing else");
        let node = &mut self.nodes[usize::from(client)];
        let waits_for = Message::parse(&node.request).map(|m| m.transaction_id());
        if waits_for != Ok(message.transaction_id()) {
            return; // a duplicate, or late
        }
        let code = message.error_code().unwrap().map_or(0, |(code, _)| code.0);
        let next = match (node.stage, code) {
            (Stage::Greeting, 401) => {
                node.client.nonce = message.nonce().unwrap().map(<[u8]>::to_vec);
                Stage::Allocating
            }
            (Stage::Allocating, 0) => {
                node.relayed = message.xor_address(AttributeType::XOR_RELAYED_ADDRESS).unwrap();
                node.allocated_at = Some(self.now);
                Stage::Binding
            }
            (Stage::Binding, 0) => Stage::Talking,
            // The first Refresh got through and only its answer was lost (RFC 8656 §8.2).
            (Stage::Leaving, 0 | 437) => Stage::Gone,
            (stage, code) => panic!("client {client}: {code} while {stage:?}"),
        };
        match next {
            Stage::Talking => self.talk(client),
            Stage::Gone => self.nodes[usize::from(client)].settle(Stage::Gone),
            _ => self.ask(client, next),
        }
    }

    /// Sends the request of a stage, and again until it is answered (RFC 8489 §6.2.1).
    fn ask(&mut self, client: u8, stage: Stage) {
        let node = &mut self.nodes[usize::from(client)];
        node.settle(stage);
        node.request = node.build();
        self.transmit(client);
    }

    fn transmit(&mut self, client: u8) {
        let node = &mut self.nodes[usize::from(client)];
        let (request, bytes) = (node.number, node.request.clone());
        let wait = Duration::from_millis(500 << node.tries);
        node.tries += 1;
        assert!(node.tries < 8, "client {client}: no answer while {:?}", node.stage);
        self.send(&To::Server { client }, &bytes);
        self.post(wait, To::Timer { client, request }, Vec::new());
    }

    fn timer(&mut self, client: u8, request: u32) {
        let node = &self.nodes[usize::from(client)];
        if node.number != request {
            return;
        }
        match node.stage {
            Stage::Talking => self.ask(client, Stage::Leaving),
            Stage::Gone => {}
            _ => self.transmit(client),
        }
    }

    /// Sends numbered payloads to the echoing peer, one every 20 ms.
    fn talk(&mut self, client: u8) {
        let node = &mut self.nodes[usize::from(client)];
        node.settle(Stage::Talking);
        let request = node.number;
        for number in 0..PACKETS {
            let bytes = channel_data(0x4000, &payload(client, number));
            if self.roll(100) >= LOSS {
                let delay = Duration::from_millis(20) * u32::from(number) + Duration::from_micros(self.roll(30_000));
                self.post(delay, To::Server { client }, bytes);
            }
        }
        self.post(
            Duration::from_millis(20) * u32::from(PACKETS) + Duration::from_secs(1),
            To::Timer { client, request },
            Vec::new(),
        );
    }
}

impl Node {
    fn new(client: Client) -> Self {
        Self {
            client,
            stage: Stage::Greeting,
            request: Vec::new(),
            number: 0,
            tries: 0,
            relayed: None,
            allocated_at: None,
            heard: BTreeMap::new(),
        }
    }

    fn settle(&mut self, stage: Stage) {
        self.stage = stage;
        self.number += 1;
        self.tries = 0;
        self.request.clear();
    }

    fn build(&mut self) -> Vec<u8> {
        let proof = self.client.proof();
        let peer = peer_of(self.client.at.client);
        match self.stage {
            Stage::Greeting => self.client.build(Method::ALLOCATE, None, |_| ()),
            Stage::Allocating => self.client.build(Method::ALLOCATE, Some(&proof), |b| {
                b.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            }),
            Stage::Binding => self.client.build(Method::CHANNEL_BIND, Some(&proof), |b| {
                b.attribute(AttributeType::CHANNEL_NUMBER, &[0x40, 0, 0, 0])
                    .xor_address(AttributeType::XOR_PEER_ADDRESS, peer);
            }),
            _ => self.client.build(Method::REFRESH, Some(&proof), |b| {
                b.number(AttributeType::LIFETIME, 0);
            }),
        }
    }

    fn hear(&mut self, client: u8, bytes: &[u8]) {
        let number = u16::from_be_bytes([bytes[1], bytes[2]]);
        assert_eq!(bytes, payload(client, number), "somebody else's, or damaged");
        *self.heard.entry(number).or_insert(0) += 1;
    }
}

fn peer_of(client: SocketAddr) -> SocketAddr {
    let SocketAddr::V4(v4) = client else { panic!("IPv4 clients") };
    SocketAddr::from(([9, 9, 9, v4.ip().octets()[3]], 4000))
}

fn payload(client: u8, number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    let mut payload = vec![client, high, low];
    payload.resize(3 + usize::from(number % 160), client ^ low);
    payload
}

fn simulate(seed: u64) {
    let mut network = Network::new(seed);
    network.run();
    let mut delivered = 0;
    for (n, node) in network.nodes.iter().enumerate() {
        assert_eq!(node.stage, Stage::Gone, "client {n}");
        assert!(node.allocated_at.unwrap() < Duration::from_secs(10), "client {n}: {:?}", node.allocated_at);
        delivered += node.heard.len();
    }
    assert_eq!(network.world.binds, usize::from(CLIENTS), "a retransmitted Allocate binds nothing");
    assert_eq!(network.world.server.allocation_count(), 0, "everybody left");
    // Four hops, each losing one in twenty: 81 % arrive but for chance.
    let sent = usize::from(CLIENTS) * usize::from(PACKETS);
    assert!(delivered * 100 > sent * 76, "{delivered} of {sent} came back");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the one setting of a test run")]
fn over_a_bad_network_everybody_gets_one_allocation_his_own_packets_and_leaves_nothing() {
    if let Ok(seed) = std::env::var("SIM_SEED") {
        return simulate(seed.parse().expect("SIM_SEED is a number"));
    }
    for seed in 0..40 {
        let outcome = std::panic::catch_unwind(|| simulate(seed));
        assert!(outcome.is_ok(), "run again with SIM_SEED={seed}");
    }
}
