//! What a decision costs without sockets: `cargo bench -p posthouse-turn`.
//!
//! Each line is the median and the least of 41 samples, in nanoseconds of wall clock per call. On a machine that does
//! other work believe the least.
#![allow(
    dead_code,
    unused_imports,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a stopwatch that prints"
)]

#[path = "../tests/it/answer.rs"]
mod answer;
#[path = "../tests/it/client.rs"]
mod client;
#[path = "../tests/it/world.rs"]
mod world;

use std::hint::black_box;
use std::time::Instant;

use posthouse_stun::{AttributeType, ChannelData, Message, Method, PasswordAlgorithm};
use posthouse_turn::{
    Bound, Now, Output, PeerTransportAddress, Quotas, Rates, RelayedTransportAddress, Server, Transport,
};
use world::{Client, World, address, channel, peer};

const SAMPLES: usize = 41;
const CALLS: u32 = 2_000;

const RELAYED: &str = "198.51.100.1:50000";

fn main() {
    println!("{:58} {:>8} {:>8}", "nanoseconds per call", "median", "least");
    parsing();
    relaying();
    answering();
    allocating();
}

fn parsing() {
    let mut client = Client::new(1);
    let binding = client.build(Method::BINDING, None, |_| ());
    report("parse a Binding request", || _ = black_box(Message::parse(black_box(&binding))));
    let mut world = World::new();
    let refresh = client.signed(&mut world, Method::REFRESH, |_| ());
    report("parse a signed Refresh and find its attributes", || {
        let message = Message::parse(black_box(&refresh)).expect("a message");
        _ = black_box((message.username(), message.realm(), message.nonce(), message.integrity()));
    });
    let data = channel_data();
    report("parse ChannelData", || _ = black_box(ChannelData::parse(black_box(&data))));
}

/// 1,500 allocations, each with a permission and a channel, asked in turn.
fn relaying() {
    let mut world = World::with(|settings| {
        settings.rates = no_limits();
        settings.quotas = Quotas { per_user: 0, per_prefix: 0, total: 0 };
    });
    let mut flows = Vec::new();
    for n in 0..1500u16 {
        let mut client = Client::at(address(&format!("203.0.113.{}:{}", n % 250, 5000 + n)), Transport::Udp);
        let id = client.allocate(&mut world);
        assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
        flows.push((client.at, id));
    }
    let data = channel_data();
    let send = Client::new(1).send_indication(|builder| {
        builder.xor_address(AttributeType::XOR_PEER_ADDRESS, peer()).attribute(AttributeType::DATA, &[7; 200]);
    });
    let (now, server) = (world.now, &mut world.server);
    let mut turns = (0..flows.len()).cycle();
    let mut next = || flows[turns.next().unwrap_or_default()];
    report("client to peer, ChannelData, 1,500 flows", || {
        assert!(server.handle_client(now, next().0, black_box(&data)).is_some());
    });
    report("client to peer, Send indication, 1,500 flows", || {
        assert!(server.handle_client(now, next().0, black_box(&send)).is_some());
    });
    let from = PeerTransportAddress(peer());
    report("peer to client, ChannelData, 1,500 flows", || {
        assert!(server.handle_peer(now, next().1, from, black_box(200)).is_some());
    });
    let other = PeerTransportAddress(std::net::SocketAddr::new(peer().ip(), 1));
    report("peer to client, Data indication, 1,500 flows", || {
        assert!(server.handle_peer(now, next().1, other, black_box(200)).is_some());
    });
}

fn answering() {
    let mut world = World::with(|settings| settings.rates = no_limits());
    let mut client = Client::new(1);
    let binding = client.build(Method::BINDING, None, |_| ());
    let unproven = client.build(Method::ALLOCATE, None, |_| ());
    client.allocate(&mut world);
    let refresh = client.signed(&mut world, Method::REFRESH, |_| ());
    let mut modern = Client::new(2);
    modern.algorithm = Some(PasswordAlgorithm::Sha256);
    modern.allocate(&mut world);
    let refresh_sha256 = modern.signed(&mut world, Method::REFRESH, |_| ());
    let mut wrong = Client::new(3).minted("bob", 3600);
    wrong.password.push('x');
    let forged = wrong.signed(&mut world, Method::ALLOCATE, |_| ());
    let (now, server) = (world.now, &mut world.server);
    for (name, at, request) in [
        ("answer a Binding request", client.at, &binding),
        ("answer an Allocate without proof: 401", client.at, &unproven),
        ("answer a Refresh, MD5 key, HMAC-SHA1", client.at, &refresh),
        ("answer a Refresh, SHA-256 key, HMAC-SHA256", modern.at, &refresh_sha256),
        ("derive a time-limited key, refuse a wrong proof: 401", wrong.at, &forged),
    ] {
        report(name, || {
            assert!(server.handle_client(now, at, black_box(request)).is_none());
            assert!(matches!(server.poll_output(), Some(Output::Respond { .. })));
            while server.poll_output().is_some() {}
        });
    }
}

/// An allocation as the server sees it made: 401, then Allocate with a socket that is bound at once. It ends by our own
/// word, as a client's last Refresh is remembered.
fn allocating() {
    let mut world = World::with(|settings| settings.rates = no_limits());
    let mut client = Client::new(1);
    let unproven = client.build(Method::ALLOCATE, None, |_| ());
    let allocate = client.signed(&mut world, Method::ALLOCATE, |builder| {
        builder.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    });
    let (now, server) = (world.now, &mut world.server);
    report("Allocate in two round trips, and its end", || {
        for (request, allocations) in [(&unproven, 0), (&allocate, 1)] {
            assert!(server.handle_client(now, client.at, black_box(request)).is_none());
            assert_eq!((bind_and_answer(server, now), server.allocation_count()), (1, allocations));
        }
        let id = server.relayed(RelayedTransportAddress(address(RELAYED))).expect("an allocation");
        server.end_allocation(id);
        bind_and_answer(server, now);
    });
}

/// How many answers there were.
fn bind_and_answer(server: &mut Server, now: Now) -> usize {
    let mut answers = 0;
    while let Some(output) = server.poll_output() {
        match output {
            Output::Respond { .. } => answers += 1,
            Output::BindRelayed(bind) => {
                let relayed = RelayedTransportAddress(address(RELAYED));
                server.handle_bound(now, bind.id, bind.family, Ok(Bound { relayed, reserved: None }));
            }
            _ => {}
        }
    }
    answers
}

fn report(name: &str, mut call: impl FnMut()) {
    (0..CALLS).for_each(|_| call());
    let mut sample = || {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    let mut samples: Vec<f64> = (0..SAMPLES).map(|_| sample()).collect();
    samples.sort_by(f64::total_cmp);
    println!("{name:58} {:8.1} {:8.1}", samples[SAMPLES / 2], samples[0]);
}

fn channel_data() -> Vec<u8> {
    let header = ChannelData::header(channel(0x4000), 200).expect("a short payload");
    [&header[..], &[7; 200]].concat()
}

fn no_limits() -> Rates {
    Rates { binding: 0, errors: 0, errors_per_prefix: 0, errors_total: 0, verified: 0 }
}
