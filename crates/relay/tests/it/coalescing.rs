//! Packets that come densely may come together.

use std::time::{Duration, Instant};

use posthouse_relay::{Config, Relay};

use crate::client::{Client, Incoming};
use crate::world::{PATIENCE, config, payload, peer, receive, start, wait_for};

const CROWD: u32 = 20;

/// A crowd of packets there and back.
fn exchange(client: &Client, peer: &std::net::UdpSocket, round: u32) {
    let payloads: Vec<_> = (0..CROWD).map(|n| payload(round * CROWD + n, 100 + n as usize)).collect();
    for payload in &payloads {
        client.send_channel(0x4000, payload);
    }
    let came: Vec<_> = payloads.iter().map(|_| receive(peer)).collect();
    for ((bytes, from), sent) in came.iter().zip(&payloads) {
        assert_eq!(bytes, sent);
        peer.send_to(bytes, from).unwrap();
    }
    for sent in payloads {
        assert_eq!(client.incoming(), Incoming::Channel(0x4000, sent));
    }
}

fn pauses(relay: &Relay) -> u64 {
    relay.stats()[0].counters.calls.pause
}

#[test]
fn dense_packets_come_together_and_none_is_lost_on_the_way() {
    let relay = start(&Config { coalesce: Duration::from_millis(1), ..config(26200..=26203) });
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (socket, address) = peer("127.0.0.9");
    client.bind_channel(0x4000, address).unwrap();
    let (mut rounds, until) = (0, Instant::now() + PATIENCE);
    while pauses(&relay) == 0 {
        assert!(Instant::now() < until, "{:#?}", relay.stats());
        exchange(&client, &socket, rounds);
        rounds += 1;
    }
    let all = u64::from(rounds * CROWD);
    wait_for(&relay, "all is counted", |s| s[0].counters.to_clients.packets > all);
    let counters = relay.stats()[0].counters;
    assert_eq!((counters.to_peers.packets, counters.from_peers.packets), (all, all));
}

#[test]
fn without_a_window_no_packet_waits_for_another() {
    let relay = start(&Config { coalesce: Duration::ZERO, ..config(26204..=26207) });
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (socket, address) = peer("127.0.0.9");
    client.bind_channel(0x4000, address).unwrap();
    (0..100).for_each(|round| exchange(&client, &socket, round));
    wait_for(&relay, "all is counted", |s| s[0].counters.from_peers.packets == u64::from(100 * CROWD));
    assert_eq!(pauses(&relay), 0);
}
