//! Clients that move (RFC 8016): to other ports, so to other workers, and to other transports.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use posthouse_relay::{Config, Relay};
use posthouse_stun::{AttributeType as A, Builder, ErrorCode, Message, Method};
use posthouse_turn::{Settings, Shared, TicketKey};

use crate::client::{Client, Incoming};
use crate::stream_client::{BOTH, Door, StreamClient};
use crate::world::{PATIENCE, assert_silent, config, payload, peer, receive, settings, wait_for};

/// Moves of one client: each has an even chance to reach the worker that has the allocation, or the other one.
const MOVES: u32 = 40;

fn start(config: &Config, shared: &Shared) -> Relay {
    let settings = Settings { mobility: Some(TicketKey::new([9; 32])), ..settings(config) };
    Relay::start(config, Arc::new(settings), shared.clone()).unwrap()
}

fn two_workers(ports: std::ops::RangeInclusive<u16>) -> Config {
    Config { workers: 2, ..config(ports) }
}

fn ticket(answer: &[u8]) -> Vec<u8> {
    Message::parse(answer).unwrap().mobility_ticket().expect("MOBILITY-TICKET").to_vec()
}

fn with_ticket(ticket: &[u8]) -> impl Fn(&mut Builder<'_>) {
    |b| {
        b.attribute(A::MOBILITY_TICKET, ticket);
    }
}

/// A mobile allocation with a channel to `peer`, and its first ticket.
fn allocated(relay: &Relay, peer: SocketAddr) -> (Client, Vec<u8>) {
    let mut client = Client::new(relay.listening()[0], "alice");
    let answer = client.allocate(with_ticket(&[])).unwrap();
    client.bind_channel(0x4000, peer).unwrap();
    (client, ticket(&answer))
}

fn resumed(relay: &Relay, ticket: &[u8]) -> (Client, Vec<u8>) {
    let mut client = Client::new(relay.listening()[0], "alice");
    let answer = client.request(Method::REFRESH, with_ticket(ticket)).unwrap();
    (client, self::ticket(&answer))
}

/// So many packets each way, all of which arrive, in order.
fn exchange(client: &Client, (peer, address): &(UdpSocket, SocketAddr), relayed: SocketAddr, first: u32) {
    for n in first..first + 20 {
        client.send_channel(0x4000, &payload(n, 500));
    }
    for n in first..first + 20 {
        assert_eq!(receive(peer), (payload(n, 500), relayed));
    }
    for n in first..first + 20 {
        peer.send_to(&payload(n, 700), relayed).unwrap();
    }
    for n in first..first + 20 {
        assert_eq!(client.incoming(), Incoming::Channel(0x4000, payload(n, 700)));
    }
    assert_eq!(address.ip().to_string(), "127.0.0.9");
}

fn worker(relay: &Relay) -> usize {
    let all = relay.allocations();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].worker
}

#[test]
fn an_allocation_follows_its_client_over_workers_and_loses_nothing() {
    let shared = Shared::new();
    let relay = start(&two_workers(26000..=26015), &shared);
    let peer = peer("127.0.0.9");
    let (client, mut ticket) = allocated(&relay, peer.1);
    let relayed = client.relayed();
    // Sockets that are no longer used stay open, so that no port comes twice.
    let mut been = vec![client];
    let (mut stayed, mut changed) = (0, 0);
    for n in 0..MOVES {
        let before = worker(&relay);
        let (client, next) = resumed(&relay, &ticket);
        // Make before break: until the new place is used, the old one is served, in both directions.
        let old = been.last().unwrap();
        exchange(old, &peer, relayed, n * 1000);
        exchange(&client, &peer, relayed, n * 1000 + 100);
        let after = worker(&relay);
        *if before == after { &mut stayed } else { &mut changed } += 1;
        assert_silent(&old.socket);
        old.send_channel(0x4000, b"no longer");
        assert_eq!(shared.allocations(), 1);
        been.push(client);
        ticket = next;
    }
    assert!(stayed > 0 && changed > 0, "{stayed} and {changed} of {MOVES}");
    been.last_mut().unwrap().refresh(0).unwrap();
    assert_eq!((shared.allocations(), relay.allocations().len()), (0, 0));
    wait_for(&relay, "no socket is left", |workers| workers.iter().all(|w| w.relayed_sockets == 0));
    wait_for(&relay, "every move is counted", |workers| {
        workers.iter().map(|w| w.turn.allocations_moved).sum::<u64>() == u64::from(MOVES)
    });
    assert_eq!(relay.ports_taken(), 0);
    assert_silent(&peer.0);
}

#[test]
fn what_a_peer_sends_during_the_move_arrives_at_one_place_or_the_other() {
    let relay = start(&two_workers(26016..=26031), &Shared::new());
    let peer = peer("127.0.0.9");
    let (mut client, mut ticket) = allocated(&relay, peer.1);
    let relayed = client.relayed();
    for n in 0..MOVES {
        let (new, next) = resumed(&relay, &ticket);
        let (first, last) = (n * 1000, n * 1000 + 60);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in first..last {
                    peer.0.send_to(&payload(n, 300), relayed).unwrap();
                }
            });
            new.send_channel(0x4000, &payload(n, 100));
        });
        let mut come = come_to([&client, &new], (last - first) as usize);
        come.sort();
        let mut sent: Vec<_> = (first..last).map(|n| payload(n, 300)).collect();
        sent.sort();
        assert_eq!(come, sent, "move {n}");
        assert_eq!(receive(&peer.0).0, payload(n, 100));
        (client, ticket) = (new, next);
    }
}

/// So many packets at either of two places.
fn come_to(places: [&Client; 2], count: usize) -> Vec<Vec<u8>> {
    let (mut come, until) = (Vec::new(), Instant::now() + PATIENCE);
    places.iter().for_each(|at| at.socket.set_nonblocking(true).unwrap());
    while come.len() < count && Instant::now() < until {
        for at in places {
            let mut buffer = [0; 2048];
            if let Ok(len) = at.socket.recv(&mut buffer) {
                come.push(buffer[4..len].to_vec());
            }
        }
    }
    places.iter().for_each(|at| at.socket.set_nonblocking(false).unwrap());
    come
}

#[test]
fn a_thief_gets_nothing_on_either_worker() {
    let relay = start(&two_workers(26032..=26047), &Shared::new());
    let peer = peer("127.0.0.9");
    let (client, ticket) = allocated(&relay, peer.1);
    let mut thieves: Vec<_> = (0..20).map(|_| Client::new(relay.listening()[0], "bob")).collect();
    for thief in &mut thieves {
        let refused = thief.request(Method::REFRESH, with_ticket(&ticket)).unwrap_err();
        assert_eq!(refused, ErrorCode::WRONG_CREDENTIALS);
        thief.send_channel(0x4000, b"mine");
        let forged = thief.request(Method::REFRESH, with_ticket(&[b'A'; 32])).unwrap_err();
        assert_eq!(forged, ErrorCode::BAD_REQUEST);
    }
    exchange(&client, &peer, client.relayed(), 0);
}

#[test]
fn a_used_ticket_is_of_no_use_on_either_worker() {
    let relay = start(&two_workers(26048..=26063), &Shared::new());
    let peer = peer("127.0.0.9");
    let (old, first) = allocated(&relay, peer.1);
    let (client, _) = resumed(&relay, &first);
    exchange(&client, &peer, old.relayed(), 0);
    for _ in 0..20 {
        let mut late = Client::new(relay.listening()[0], "alice");
        let refused = late.request(Method::REFRESH, with_ticket(&first)).unwrap_err();
        assert_eq!(refused, ErrorCode::ALLOCATION_MISMATCH);
    }
}

#[test]
fn a_kick_finds_an_allocation_wherever_it_went() {
    let shared = Shared::new();
    let relay = start(&two_workers(26064..=26079), &shared);
    let peer = peer("127.0.0.9");
    let mut been = Vec::new();
    for n in 0..10 {
        let (old, ticket) = allocated(&relay, peer.1);
        let (client, _) = resumed(&relay, &ticket);
        exchange(&client, &peer, old.relayed(), n * 100);
        been.extend([old, client]);
        assert!(relay.end_user("alice"));
        assert_eq!((relay.allocations().len(), shared.allocations()), (0, 0));
    }
}

fn stream_resumed(client: &mut StreamClient, ticket: &[u8]) -> Vec<u8> {
    self::ticket(&client.request(Method::REFRESH, with_ticket(ticket)).unwrap())
}

#[test]
fn a_client_moves_between_udp_tcp_and_tls() {
    let (shared, door) = (Shared::new(), Door::new());
    let relay = start(&two_workers(26080..=26095), &shared);
    let (peer, address) = peer("127.0.0.9");
    let (client, mut ticket) = allocated(&relay, address);
    let relayed = client.relayed();
    let mut been = vec![client];
    for n in 0..10 {
        for over in BOTH {
            let mut stream = door.connect(&relay, over, "alice");
            ticket = stream_resumed(&mut stream, &ticket);
            peer.send_to(b"the old way", relayed).unwrap();
            assert_eq!(been.last().unwrap().incoming(), Incoming::Channel(0x4000, b"the old way".to_vec()));
            stream.send_channel(0x4000, &payload(n, 1000));
            assert_eq!(receive(&peer), (payload(n, 1000), relayed));
            peer.send_to(&payload(n, 1001), relayed).unwrap();
            assert_eq!(stream.incoming(), Incoming::Channel(0x4000, payload(n, 1001)));
            // And away from it, while it stays open or after it has broken.
            let mut stream = Some(stream).filter(|_| n % 2 == 0);
            if stream.is_none() {
                wait_for(&relay, "the connection is gone", |workers| workers.iter().all(|w| w.streams == 0));
            }
            let (client, next) = resumed(&relay, &ticket);
            exchange(&client, &(peer.try_clone().unwrap(), address), relayed, n * 100);
            drop(stream.take());
            wait_for(&relay, "the connection is gone", |workers| workers.iter().all(|w| w.streams == 0));
            exchange(&client, &(peer.try_clone().unwrap(), address), relayed, n * 100 + 50);
            been.push(client);
            ticket = next;
        }
    }
    assert_eq!((shared.allocations(), worker(&relay) < 2), (1, true));
}
