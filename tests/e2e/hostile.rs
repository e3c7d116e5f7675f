//! What somebody without credentials can do to a running server: nothing that lasts.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use posthouse_probe::{Leg, Plan, Way, echo};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::harness::{Server, Settings};

const KIB_PER_MIB: u64 = 1024;

/// An Allocate without credentials: REQUESTED-TRANSPORT UDP and nothing else.
fn anonymous_allocate(number: u32) -> [u8; 28] {
    let mut message = *b"\x00\x03\x00\x08\x21\x12\xA4\x42transaction!\x00\x19\x00\x04\x11\x00\x00\x00";
    message[16..20].copy_from_slice(&number.to_be_bytes());
    message
}

#[tokio::test]
async fn five_thousand_strangers_leave_neither_memory_nor_descriptors_behind() {
    let server = Server::start(&Settings::default());
    // Once through every path, so that what is measured is not the first page of code and stack.
    assert!(echo(&server.target("alice"), &Plan::default()).await.unwrap().is_whole());
    let (memory, descriptors) = (server.resident(), server.descriptors());

    for number in 0..5000_u32 {
        let [_, _, high, low] = number.to_be_bytes();
        let source = UdpSocket::bind((Ipv4Addr::new(127, 9, high, low), 0)).expect("a loopback source");
        source.send_to(&anonymous_allocate(number), server.relay).expect("sent");
        if number % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    let report = echo(&server.target("alice"), &Plan::default()).await.unwrap();
    assert!(report.is_whole(), "{report}");

    let (memory_after, descriptors_after) = (server.resident(), server.descriptors());
    eprintln!("{memory} then {memory_after} KiB, {descriptors} then {descriptors_after} descriptors");
    assert!(memory_after <= memory + 2 * KIB_PER_MIB, "{memory} KiB before, {memory_after} KiB after");
    assert!(descriptors_after <= descriptors + 8, "{descriptors} descriptors before, {descriptors_after} after");
}

#[tokio::test]
async fn twenty_thousand_datagrams_of_garbage_cost_a_running_call_nothing() {
    let server = Server::start(&Settings::default());
    let seed: u64 = rand::random();
    eprintln!("seed {seed}");
    let garbage = std::thread::spawn({
        let to = server.relay;
        move || throw_garbage(to, seed)
    });
    let legs = vec![Leg::RelayToRelay(Way::Channel), Leg::RelayToRelay(Way::Indication), Leg::Clients];
    let plan = Plan { legs, payloads: 400, ..Plan::default() };
    let report = echo(&server.target("alice"), &plan).await.unwrap();
    assert!(report.is_whole(), "seed {seed}: {report}");
    garbage.join().unwrap();
    assert!(echo(&server.target("alice"), &Plan::default()).await.unwrap().is_whole(), "seed {seed}");
}

/// From 20 sources in bursts of 20: enough to be a nuisance, not so fast that this machine's own queues overflow.
fn throw_garbage(to: SocketAddr, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let bind = |last: u8| UdpSocket::bind((Ipv4Addr::new(127, 8, 0, last), 0)).expect("a loopback source");
    let sources: Vec<UdpSocket> = (1..=20).map(bind).collect();
    for _ in 0..1000 {
        for source in &sources {
            source.send_to(&garbage(&mut random), to).expect("sent");
        }
        std::thread::sleep(Duration::from_millis(4));
    }
}

/// Noise, and lies that look more and more like STUN.
fn garbage(random: &mut StdRng) -> Vec<u8> {
    let mut bytes = vec![0; random.random_range(0..600)];
    random.fill_bytes(&mut bytes);
    let kind = random.random_range(0..5);
    let header: &[u8] = match kind {
        0 => &[],
        // A Binding request whose length lies.
        1 => b"\x00\x01\x02\x03\x21\x12\xA4\x42",
        // An Allocate of random attributes.
        2 => b"\x00\x03",
        // ChannelData on a channel that nobody bound.
        3 => b"\x40\x01\x00\x10",
        // A Send indication without an allocation.
        _ => b"\x00\x16\x00\x08\x21\x12\xA4\x42",
    };
    let len = bytes.len().max(header.len());
    bytes.resize(len, 0);
    bytes[..header.len()].copy_from_slice(header);
    if kind == 2 && len >= 20 {
        let length = ((len - 20) & !3) as u16;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        bytes[4..8].copy_from_slice(b"\x21\x12\xA4\x42");
    }
    bytes
}
