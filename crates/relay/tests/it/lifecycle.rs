//! Started, told, stopped.

use std::sync::Arc;

use posthouse_relay::Config;
use posthouse_stun::ErrorCode;
use posthouse_turn::Settings;

use crate::client::{Client, Incoming};
use crate::world::{assert_silent, config, peer, settings, start, wait_for};

#[test]
fn the_allocations_of_a_user_end_at_once_and_no_others() {
    let relay = start(&Config { workers: 2, ..config(23600..=23699) });
    let server = relay.listening()[0];
    let mut alices: Vec<_> = (0..10).map(|_| Client::allocated(server, "alice")).collect();
    let mut bob = Client::allocated(server, "bob");
    let (friend, address) = peer("127.0.0.9");
    alices[0].permit(address).unwrap();
    assert!(relay.end_user("alice"));
    assert!(relay.allocations().iter().all(|a| &*a.user == "bob"));
    friend.send_to(b"too late", alices[0].relayed()).unwrap();
    for alice in &mut alices {
        assert_eq!(alice.refresh(600), Err(ErrorCode::ALLOCATION_MISMATCH));
    }
    assert_silent(&alices[0].socket);
    bob.refresh(600).unwrap();
    assert_eq!(relay.ports_taken(), 1);
}

#[test]
fn one_allocation_ends_by_its_name_and_once() {
    let relay = start(&Config { workers: 2, ..config(24400..=24499) });
    let server = relay.listening()[0];
    let mut clients: Vec<_> = (0..10).map(|_| Client::allocated(server, "alice")).collect();
    let all = relay.allocations();
    assert_eq!(all.len(), 10);
    let one = all.iter().find(|a| a.client.client == clients[3].socket.local_addr().unwrap()).unwrap();
    assert!(relay.end_allocation(one.worker, one.id));
    assert!(!relay.end_allocation(one.worker, one.id), "its name is nobody else's");
    assert!(!relay.end_allocation(99, one.id), "there is no such worker");
    for (n, client) in clients.iter_mut().enumerate() {
        let expected = if n == 3 { Err(ErrorCode::ALLOCATION_MISMATCH) } else { Ok(()) };
        assert_eq!(client.refresh(600).map(drop), expected, "client {n}");
    }
}

#[test]
fn new_settings_reach_every_worker() {
    let config = Config { workers: 2, ..config(23700..=23799) };
    let relay = start(&config);
    let server = relay.listening()[0];
    let (_peer, address) = peer("127.0.0.9");
    let mut clients: Vec<_> = (0..10).map(|_| Client::allocated(server, "alice")).collect();
    let mut narrow = settings(&config);
    narrow.peer_policy.deny.push("127.0.0.9/32".parse().unwrap());
    relay.apply(&Arc::new(narrow));
    // The workers have applied it when they answer what was asked after it.
    assert_eq!(relay.allocations().len(), 10);
    for client in &mut clients {
        assert_eq!(client.permit(address), Err(ErrorCode::FORBIDDEN));
    }
}

#[test]
fn a_draining_relay_takes_no_new_allocation_and_serves_the_old() {
    let relay = start(&Config { workers: 2, ..config(23800..=23899) });
    let server = relay.listening()[0];
    let mut old = Client::allocated(server, "alice");
    let (friend, address) = peer("127.0.0.9");
    old.permit(address).unwrap();
    relay.drain();
    assert_eq!(relay.allocations().len(), 1);
    for _ in 0..10 {
        assert_eq!(Client::new(server, "bob").allocate(|_| {}), Err(ErrorCode::INSUFFICIENT_CAPACITY));
    }
    friend.send_to(b"still", old.relayed()).unwrap();
    assert_eq!(old.incoming(), Incoming::Data(address, b"still".to_vec()));
    old.refresh(0).unwrap();
    assert!(relay.allocations().is_empty());
}

#[test]
fn shutdown_closes_every_socket() {
    let relay = start(&Config { workers: 2, ..config(23900..=23931) });
    let server = relay.listening()[0];
    let clients: Vec<_> = (0..10).map(|_| Client::allocated(server, "alice")).collect();
    assert!(relay.healthy());
    relay.shutdown();
    relay.shutdown();
    assert_eq!(relay.ports_taken(), 0);
    for address in clients.iter().map(Client::relayed).chain([server]) {
        std::net::UdpSocket::bind(address).expect("the address is free");
    }
}

#[test]
fn counters_tell_what_happened() {
    let relay = start(&config(23932..=23947));
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (friend, address) = peer("127.0.0.9");
    client.permit(address).unwrap();
    friend.send_to(b"12345", client.relayed()).unwrap();
    client.incoming();
    wait_for(&relay, "published", |s| s[0].turn.wrapped.packets == 1);
    let stats = relay.stats()[0];
    assert_eq!((stats.allocations, stats.relayed_sockets, stats.restarts), (1, 1, 0));
    assert_eq!((stats.counters.from_peers.packets, stats.counters.from_peers.bytes), (1, 5));
    assert_eq!(stats.turn.allocations_created, 1);
    assert_eq!(stats.counters.from_clients.packets, 3, "two Allocates and a CreatePermission");
    assert_eq!(stats.counters.to_clients.packets, 4, "three answers and a Data indication");
}

#[test]
fn an_allocation_ends_when_its_time_is_over_without_a_packet() {
    let config = config(23948..=23963);
    let short = std::time::Duration::from_millis(50);
    let settings = Settings { default_lifetime: short, max_lifetime: short, ..settings(&config) };
    let relay = posthouse_relay::Relay::start(&config, Arc::new(settings), posthouse_turn::Shared::new()).unwrap();
    let _client = Client::allocated(relay.listening()[0], "alice");
    let until = std::time::Instant::now() + crate::world::PATIENCE;
    while relay.ports_taken() > 0 {
        assert!(std::time::Instant::now() < until, "the port never came back");
        std::thread::yield_now();
    }
}
