//! Two clients of this server that meet at their relayed transport addresses.

use std::net::SocketAddr;

use posthouse_relay::{Config, Relay, RelayAddress};

use crate::client::{Client, Incoming};
use crate::world::{RELAY, assert_silent, config, payload, start, wait_for};

/// Two clients that two workers have, or that one has.
fn pair(relay: &Relay, same_worker: bool) -> (Client, Client) {
    let server = relay.listening()[0];
    let worker_of = |client: &Client| {
        let all = relay.allocations();
        all.iter().find(|a| a.client.client == client.own_address()).map(|a| a.worker).expect("it is listed")
    };
    let alice = Client::allocated(server, "alice");
    let home = worker_of(&alice);
    // The kernel spreads clients by a hash: one in two is the other kind.
    for _ in 0..64 {
        let bob = Client::allocated(server, "bob");
        if (worker_of(&bob) == home) == same_worker {
            return (alice, bob);
        }
    }
    panic!("64 clients, and the kernel never chose the other worker");
}

fn two_workers(ports: std::ops::RangeInclusive<u16>, address: RelayAddress) -> Relay {
    start(&Config { relay_addresses: vec![address], workers: 2, ..config(ports) })
}

fn both_ways(alice: &mut Client, bob: &mut Client) {
    let (at_alice, at_bob): (SocketAddr, SocketAddr) = (alice.relayed(), bob.relayed());
    alice.permit(at_bob).unwrap();
    bob.permit(at_alice).unwrap();
    for len in [0, 1, 4, 1000, 30_000] {
        alice.send(at_bob, &vec![1; len]);
        assert_eq!(bob.incoming(), Incoming::Data(at_alice, vec![1; len]));
        bob.send(at_alice, &vec![2; len]);
        assert_eq!(alice.incoming(), Incoming::Data(at_bob, vec![2; len]));
    }
    alice.bind_channel(0x4000, at_bob).unwrap();
    bob.bind_channel(0x4001, at_alice).unwrap();
    for n in 0..100 {
        alice.send_channel(0x4000, &payload(n, 300));
        assert_eq!(bob.incoming(), Incoming::Channel(0x4001, payload(n, 300)));
        bob.send_channel(0x4001, &payload(n, 200));
        assert_eq!(alice.incoming(), Incoming::Channel(0x4000, payload(n, 200)));
    }
}

fn in_process(relay: &Relay) -> u64 {
    relay.stats().iter().map(|s| s.counters.in_process.packets).sum()
}

#[test]
fn clients_of_one_worker_meet_without_a_socket() {
    let relay = start(&config(22000..=22099));
    let mut alice = Client::allocated(relay.listening()[0], "alice");
    let mut bob = Client::allocated(relay.listening()[0], "bob");
    both_ways(&mut alice, &mut bob);
    wait_for(&relay, "all in process", |s| s[0].counters.in_process.packets == 210);
    assert_eq!(relay.stats()[0].counters.to_peers.packets, 0);
}

#[test]
fn clients_of_two_workers_meet_through_the_kernel() {
    let relay = two_workers(22100..=22299, RELAY.into());
    let (mut alice, mut bob) = pair(&relay, false);
    both_ways(&mut alice, &mut bob);
    assert_eq!(in_process(&relay), 0);
}

#[test]
fn behind_one_to_one_nat_clients_meet_at_the_external_address() {
    let address = RelayAddress { local: RELAY, external: "11.1.1.7".parse().unwrap() };
    let relay = two_workers(22300..=22599, address);
    for same_worker in [true, false] {
        let (mut alice, mut bob) = pair(&relay, same_worker);
        assert_eq!(alice.relayed().ip(), address.external);
        both_ways(&mut alice, &mut bob);
    }
    wait_for(&relay, "half in process", |s| s.iter().map(|s| s.counters.in_process.packets).sum::<u64>() == 210);
}

#[test]
fn the_receiver_must_have_permitted_the_sender() {
    let relay = two_workers(22600..=22899, RELAY.into());
    for same_worker in [true, false] {
        let (mut alice, mut bob) = pair(&relay, same_worker);
        alice.permit(bob.relayed()).unwrap();
        for _ in 0..20 {
            alice.send(bob.relayed(), b"unasked");
        }
        // Alice's next answer proves that her packets were dealt with; Bob's that his worker has been round since.
        alice.refresh(600).unwrap();
        bob.refresh(600).unwrap();
        bob.refresh(600).unwrap();
        assert_silent(&bob.socket);
    }
}

#[test]
fn a_dead_relayed_address_gets_nothing() {
    let relay = two_workers(22900..=23199, RELAY.into());
    for same_worker in [true, false] {
        let (mut alice, mut bob) = pair(&relay, same_worker);
        let gone = bob.relayed();
        alice.permit(gone).unwrap();
        bob.refresh(0).unwrap();
        // The port now belongs to somebody who is no relay.
        let squatter = std::net::UdpSocket::bind(gone).unwrap();
        for _ in 0..20 {
            alice.send(gone, b"to nobody");
        }
        alice.refresh(600).unwrap();
        assert_silent(&squatter);
    }
}
