//! Random operations, and a naive model that must agree with the server on every outcome.
//!
//! The model is lists and full walks, with the rules in the RFC's order; the server is indexes and cached deadlines.

use std::net::SocketAddr;

use posthouse_stun::Method;
use posthouse_stun::attribute::AttributeType;
use posthouse_turn::Rates;
use proptest::prelude::*;

use crate::world::{Client, World, channel_data};

const CLIENTS: usize = 3;

fn peers() -> [SocketAddr; 6] {
    ["9.9.9.1:1", "9.9.9.1:2", "9.9.9.2:1", "9.9.9.3:1", "10.0.0.1:1", "198.51.100.1:80"].map(|p| p.parse().unwrap())
}

#[derive(Debug, Clone)]
enum Operation {
    Allocate { client: usize, lifetime: u32 },
    Refresh { client: usize, lifetime: u32 },
    CreatePermission { client: usize, peers: Vec<usize> },
    ChannelBind { client: usize, channel: u16, peer: usize },
    Send { client: usize, peer: usize },
    ChannelData { client: usize, channel: u16 },
    FromPeer { client: usize, peer: usize },
    Pass { seconds: u64, awake: bool },
}

fn operation() -> impl Strategy<Value = Operation> {
    let (client, peer, channel) = (0..CLIENTS, 0..peers().len(), 0x3fff..0x4004u16);
    let lifetime = prop_oneof![Just(0), Just(1), 600..1500u32];
    prop_oneof![
        3 => (client.clone(), lifetime.clone()).prop_map(|(client, lifetime)| Operation::Allocate { client, lifetime }),
        2 => (client.clone(), lifetime).prop_map(|(client, lifetime)| Operation::Refresh { client, lifetime }),
        3 => (client.clone(), prop::collection::vec(peer.clone(), 0..3))
            .prop_map(|(client, peers)| Operation::CreatePermission { client, peers }),
        5 => (client.clone(), channel.clone(), peer.clone())
            .prop_map(|(client, channel, peer)| Operation::ChannelBind { client, channel, peer }),
        5 => (client.clone(), peer.clone()).prop_map(|(client, peer)| Operation::Send { client, peer }),
        5 => (client.clone(), channel).prop_map(|(client, channel)| Operation::ChannelData { client, channel }),
        5 => (client, peer).prop_map(|(client, peer)| Operation::FromPeer { client, peer }),
        4 => (prop_oneof![0..10u64, 250..350u64], any::<bool>())
            .prop_map(|(seconds, awake)| Operation::Pass { seconds, awake }),
    ]
}

/// What an operation led to: an error code (0 is success), where a packet went, or nothing.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Code(u16),
    ToPeer(SocketAddr),
    ToClientByChannel(u16),
    ToClientByIndication,
    Nothing,
}

#[derive(Default)]
struct Model {
    now: u64,
    allocations: Vec<(usize, Allocation)>,
}

#[derive(Default)]
struct Allocation {
    expires: u64,
    permissions: Vec<(std::net::IpAddr, u64)>,
    channels: Vec<(u16, SocketAddr, u64)>,
}

impl Model {
    fn apply(&mut self, operation: &Operation) -> Outcome {
        let now = self.now;
        self.allocations.retain(|(_, a)| now < a.expires);
        let peers = peers();
        match operation {
            Operation::Pass { seconds, .. } => {
                self.now += seconds;
                Outcome::Nothing
            }
            Operation::Allocate { client, lifetime } => {
                if self.find(*client).is_some() {
                    return Outcome::Code(437);
                }
                let expires = now + clamp(*lifetime);
                self.allocations.push((*client, Allocation { expires, ..Allocation::default() }));
                Outcome::Code(0)
            }
            Operation::Refresh { client, lifetime: 0 } => {
                let before = self.allocations.len();
                self.allocations.retain(|(owner, _)| owner != client);
                Outcome::Code(if self.allocations.len() < before { 0 } else { 437 })
            }
            Operation::Refresh { client, lifetime } => self.on(*client, |a| {
                a.expires = now + clamp(*lifetime);
                0
            }),
            Operation::CreatePermission { client, peers: chosen } => self.on(*client, |a| {
                let chosen: Vec<_> = chosen.iter().map(|&p| peers[p]).collect();
                match () {
                    () if chosen.is_empty() => return 400,
                    () if chosen.iter().any(|p| is_private(*p)) => return 403,
                    () => chosen.iter().for_each(|p| a.permit(now, *p)),
                }
                0
            }),
            Operation::ChannelBind { client, channel, peer } => {
                self.on(*client, |a| a.bind(now, *channel, peers[*peer]))
            }
            Operation::Send { client, peer } => self.packet(*client, |a| {
                let peer = peers[*peer];
                (a.permits(now, peer) && !is_own(peer)).then_some(Outcome::ToPeer(peer))
            }),
            Operation::ChannelData { client, channel } => self.packet(*client, |a| {
                let (_, peer, _) = a.channels.iter().find(|(number, _, end)| number == channel && now < *end)?;
                a.permits(now, *peer).then_some(Outcome::ToPeer(*peer))
            }),
            Operation::FromPeer { client, peer } => self.packet(*client, |a| {
                let peer = peers[*peer];
                let channel = a.channels.iter().find(|(_, bound, end)| *bound == peer && now < *end);
                let outcome = channel.map_or(Outcome::ToClientByIndication, |c| Outcome::ToClientByChannel(c.0));
                a.permits(now, peer).then_some(outcome)
            }),
        }
    }

    fn find(&mut self, client: usize) -> Option<&mut Allocation> {
        self.allocations.iter_mut().find(|(owner, _)| *owner == client).map(|(_, a)| a)
    }

    fn on(&mut self, client: usize, change: impl FnOnce(&mut Allocation) -> u16) -> Outcome {
        Outcome::Code(self.find(client).map_or(437, change))
    }

    fn packet(&mut self, client: usize, look: impl FnOnce(&Allocation) -> Option<Outcome>) -> Outcome {
        self.find(client).and_then(|a| look(a)).unwrap_or(Outcome::Nothing)
    }
}

impl Allocation {
    fn permits(&self, now: u64, peer: SocketAddr) -> bool {
        self.permissions.iter().any(|(ip, end)| *ip == peer.ip() && now < *end)
    }

    fn permit(&mut self, now: u64, peer: SocketAddr) {
        self.permissions.retain(|(ip, _)| *ip != peer.ip());
        self.permissions.push((peer.ip(), now + 300));
    }

    fn bind(&mut self, now: u64, number: u16, peer: SocketAddr) -> u16 {
        if !(0x4000..=0x4fff).contains(&number) {
            return 400;
        }
        if is_private(peer) || is_own(peer) {
            return 403;
        }
        self.channels.retain(|(_, _, end)| now < *end);
        let conflicts = |(n, p, _): &&(u16, SocketAddr, u64)| (*n == number) != (*p == peer);
        if self.channels.iter().any(|c| conflicts(&c)) {
            return 400;
        }
        self.channels.retain(|(n, _, _)| *n != number);
        self.channels.push((number, peer, now + 600));
        self.permit(now, peer);
        0
    }
}

fn clamp(lifetime: u32) -> u64 {
    u64::from(lifetime).clamp(600, 3600)
}

fn is_private(peer: SocketAddr) -> bool {
    peer.ip().to_string() == "10.0.0.1"
}

fn is_own(peer: SocketAddr) -> bool {
    peer.ip().to_string() == "198.51.100.1"
}

/// The server's side of the same operation.
fn apply(world: &mut World, clients: &mut [Client], operation: &Operation) -> Outcome {
    let peers = peers();
    match *operation {
        Operation::Pass { seconds, awake: true } => world.pass(seconds),
        Operation::Pass { seconds, awake: false } => world.pass_asleep(seconds),
        Operation::Allocate { client, lifetime } => {
            let answer = fresh(world, clients, client).allocate_with(world, |b| {
                b.number(AttributeType::LIFETIME, lifetime);
            });
            return Outcome::Code(answer.code());
        }
        Operation::Refresh { client, lifetime } => {
            return Outcome::Code(fresh(world, clients, client).refresh(world, Some(lifetime)).code());
        }
        Operation::CreatePermission { client, peers: ref chosen } => {
            let chosen: Vec<_> = chosen.iter().map(|&p| peers[p]).collect();
            return Outcome::Code(fresh(world, clients, client).permit(world, &chosen));
        }
        Operation::ChannelBind { client, channel, peer } => {
            return Outcome::Code(fresh(world, clients, client).bind(world, channel, peers[peer]));
        }
        Operation::Send { client, peer } => {
            let forward = clients[client].send(world, peers[peer], b"payload");
            return forward.map_or(Outcome::Nothing, |f| Outcome::ToPeer(f.to.0));
        }
        Operation::ChannelData { channel: 0x3fff, .. } => {}
        Operation::ChannelData { client, channel } => {
            let forward = world.packet(clients[client].at, &channel_data(channel, b"payload"));
            return forward.map_or(Outcome::Nothing, |f| Outcome::ToPeer(f.to.0));
        }
        Operation::FromPeer { client, peer } => {
            let id = world.server.allocations(world.now).find(|a| a.client == clients[client].at).map(|a| a.id);
            let Some(wrap) = id.and_then(|id| world.peer_sends(id, peers[peer], 7)) else { return Outcome::Nothing };
            return match *wrap.header.as_bytes() {
                [high, low, 0, 7] => Outcome::ToClientByChannel(u16::from_be_bytes([high, low])),
                _ => Outcome::ToClientByIndication,
            };
        }
    }
    Outcome::Nothing
}

fn fresh<'c>(world: &mut World, clients: &'c mut [Client], client: usize) -> &'c mut Client {
    clients[client].greet(world);
    &mut clients[client]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_server_and_a_naive_model_agree(operations in prop::collection::vec(operation(), 1..120)) {
        let mut world = World::with(|s| s.rates = Rates { errors: 0, errors_per_prefix: 0, ..s.rates });
        let mut clients: Vec<_> = (0..CLIENTS as u8).map(Client::new).collect();
        let mut model = Model::default();
        for (step, operation) in operations.iter().enumerate() {
            let expected = model.apply(operation);
            prop_assert_eq!(apply(&mut world, &mut clients, operation), expected, "step {}: {:?}", step, operation);
            let living = model.allocations.iter().filter(|(_, a)| model.now < a.expires).count();
            prop_assert_eq!(world.allocations(), living, "step {}: {:?}", step, operation);
        }
        // Whatever happened, time ends it all and leaves nothing.
        world.pass(4000);
        prop_assert_eq!(world.server.allocation_count(), 0);
        prop_assert_eq!(world.server.poll_timeout(), None);
        prop_assert!(clients[0].code(&mut world, Method::REFRESH, |_| ()) >= 437);
    }
}
