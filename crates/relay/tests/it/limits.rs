//! Ports run out and come back.

use posthouse_relay::Config;
use posthouse_stun::{AttributeType as A, ErrorCode, Message};

use crate::client::Client;
use crate::world::{config, peer, receive, start};

#[test]
fn the_seventeenth_allocation_of_sixteen_ports_is_refused_and_a_freed_port_serves_again() {
    let relay = start(&Config { workers: 2, ..config(23500..=23515) });
    let server = relay.listening()[0];
    let mut clients: Vec<_> = (0..16).map(|_| Client::allocated(server, "alice")).collect();
    let mut ports: Vec<_> = clients.iter().map(|c| c.relayed().port()).collect();
    ports.sort_unstable();
    assert_eq!(ports, (23500..=23515).collect::<Vec<_>>());
    let mut late = Client::new(server, "bob");
    assert_eq!(late.allocate(|_| {}).unwrap_err(), ErrorCode::INSUFFICIENT_CAPACITY);
    clients[7].refresh(0).unwrap();
    late.allocate(|_| {}).unwrap();
    assert_eq!(late.relayed(), clients[7].relayed());
}

#[test]
fn a_thousand_allocations_that_come_and_go_lose_no_port() {
    let relay = start(&Config { workers: 2, ..config(23516..=23531) });
    let server = relay.listening()[0];
    for _ in 0..1000 {
        Client::allocated(server, "alice").refresh(0).unwrap();
    }
    assert_eq!(relay.ports_taken(), 0);
    let all: Vec<_> = (0..16).map(|_| Client::allocated(server, "alice")).collect();
    assert_eq!(relay.ports_taken(), all.len());
}

#[test]
fn a_port_of_another_program_is_stepped_around() {
    let _foreign: Vec<_> =
        (23532..=23546).map(|port| std::net::UdpSocket::bind(("127.0.0.1", port)).unwrap()).collect();
    let relay = start(&config(23532..=23547));
    let client = Client::allocated(relay.listening()[0], "alice");
    assert_eq!(client.relayed().port(), 23547);
    assert_eq!(Client::new(relay.listening()[0], "bob").allocate(|_| {}), Err(ErrorCode::INSUFFICIENT_CAPACITY));
    assert_eq!(relay.ports_taken(), 1);
}

#[test]
fn an_even_port_is_even() {
    let relay = start(&config(23549..=23556));
    let server = relay.listening()[0];
    let even = |client: &mut Client| {
        client.allocate(|b| {
            b.attribute(A::EVEN_PORT, &[0]);
        })
    };
    for _ in 0..4 {
        let mut client = Client::new(server, "alice");
        even(&mut client).unwrap();
        assert_eq!(client.relayed().port() % 2, 0);
    }
    assert_eq!(even(&mut Client::new(server, "alice")), Err(ErrorCode::INSUFFICIENT_CAPACITY));
}

#[test]
fn a_reserved_port_is_held_bound_and_handed_to_who_has_the_token() {
    let relay = start(&Config { workers: 2, ..config(23560..=23575) });
    let server = relay.listening()[0];
    let mut first = Client::new(server, "alice");
    let answer = first.allocate(|b| {
        b.attribute(A::EVEN_PORT, &[0x80]);
    });
    let token = Message::parse(&answer.unwrap()).unwrap().reservation_token().unwrap().expect("a token");
    let mut next = first.relayed();
    next.set_port(next.port() + 1);
    assert_eq!(relay.ports_taken(), 2);
    assert!(std::net::UdpSocket::bind(next).is_err(), "nobody else can bind it");
    // Of several clients some are another worker's than the one that made the reservation.
    let mut second = Client::new(server, "alice");
    let claim = |b: &mut posthouse_stun::Builder<'_>| {
        b.attribute(A::RESERVATION_TOKEN, &token);
    };
    second.allocate(claim).unwrap();
    assert_eq!(second.relayed(), next);
    let (socket, address) = peer("127.0.0.9");
    second.permit(address).unwrap();
    second.send(address, b"from the reserved port");
    assert_eq!(receive(&socket), (b"from the reserved port".to_vec(), next));
    first.refresh(0).unwrap();
    second.refresh(0).unwrap();
    assert_eq!(relay.ports_taken(), 0);
}
