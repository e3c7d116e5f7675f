//! ICMP errors about relayed datagrams (RFC 8656 §11.5, §18.13).

use std::time::Duration;

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Class, Method};
use posthouse_turn::{AllocationId, Icmp, Transport};

use crate::world::{Answer, Client, World, address, peer, peer_v6};

const PORT_UNREACHABLE: Icmp = Icmp { kind: 3, code: 3, data: 0 };

fn ready() -> (World, Client, AllocationId) {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let id = client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, &[peer()]), 0);
    (world, client, id)
}

fn ready_v6() -> (World, Client, AllocationId) {
    let mut world = World::new();
    let mut client = Client::at(address("[2a02::1]:5000"), Transport::Udp);
    let answer = client.allocate_with(&mut world, |b| {
        b.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    let id = world.server.relayed(posthouse_turn::RelayedTransportAddress(answer.relayed())).unwrap();
    assert_eq!(client.permit(&mut world, &[peer_v6()]), 0);
    (world, client, id)
}

fn reported(answer: &Answer) -> (u8, u16, u32) {
    answer.message().icmp().unwrap().unwrap()
}

#[test]
fn an_error_reaches_the_client_as_a_data_indication_without_data() {
    let (mut world, client, id) = ready();
    let answer = world.icmp(id, peer(), PORT_UNREACHABLE).unwrap();
    assert_eq!(answer.to, client.at);
    let message = answer.message();
    assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
    assert_eq!(message.xor_peer_address().unwrap(), Some(peer()));
    assert_eq!(message.data(), None);
    assert_eq!(reported(&answer), (3, 3, 0));
    assert_eq!(answer.bytes.len(), 20 + 12 + 12);
    assert_eq!(world.server.stats().icmp_reported, 1);
}

#[test]
fn only_the_types_of_the_rfc_are_reported() {
    for kind in 0..=255 {
        let (mut world, _, id) = ready();
        let answer = world.icmp(id, peer(), Icmp { kind, code: 1, data: 7 });
        assert_eq!(answer.is_some(), matches!(kind, 3 | 11), "ICMP type {kind}");
        let (mut world, _, id) = ready_v6();
        let answer = world.icmp(id, peer_v6(), Icmp { kind, code: 0, data: 7 });
        assert_eq!(answer.is_some(), matches!(kind, 1..=3), "ICMPv6 type {kind}");
        assert_eq!(world.server.stats().drops.icmp, u64::from(answer.is_none()));
    }
}

#[test]
fn the_error_data_is_the_mtu_of_the_two_that_have_one_and_zero_for_the_rest() {
    for (kind, code, data) in [(3, 4, 1400), (3, 1, 0), (11, 0, 0)] {
        let (mut world, _, id) = ready();
        let answer = world.icmp(id, peer(), Icmp { kind, code, data: 1400 }).unwrap();
        assert_eq!(reported(&answer), (kind, code.into(), data));
    }
    for (kind, code, data) in [(2, 0, 1280), (1, 4, 0), (3, 0, 0)] {
        let (mut world, _, id) = ready_v6();
        let answer = world.icmp(id, peer_v6(), Icmp { kind, code, data: 1280 }).unwrap();
        assert_eq!(reported(&answer), (kind, code.into(), data));
    }
}

#[test]
fn without_a_living_permission_nothing_is_reported() {
    let (mut world, mut client, id) = ready();
    assert_eq!(world.icmp(id, address("8.8.8.8:4000"), PORT_UNREACHABLE), None);
    world.pass(299);
    assert!(world.icmp(id, peer(), PORT_UNREACHABLE).is_some());
    world.pass(1);
    assert_eq!(world.icmp(id, peer(), PORT_UNREACHABLE), None, "the permission's time is over");
    assert_eq!(world.server.stats().drops.no_permission, 2);
    client.refresh(&mut world, Some(0));
    assert_eq!(world.icmp(id, peer(), PORT_UNREACHABLE), None);
    assert_eq!(world.server.stats().drops.no_allocation, 1);
}

#[test]
fn each_peer_is_reported_once_a_second_at_most() {
    let (mut world, mut client, id) = ready();
    let other = address("8.8.8.8:4000");
    client.permit(&mut world, &[other]);
    let mut reports = 0;
    for _ in 0..1000 {
        world.now = world.now.after(Duration::from_millis(10));
        reports += u32::from(world.icmp(id, peer(), PORT_UNREACHABLE).is_some());
        // Neither another port nor a refreshed permission makes it more.
        reports += u32::from(world.icmp(id, address("9.9.9.9:1"), PORT_UNREACHABLE).is_some());
        client.permit(&mut world, &[peer()]);
    }
    assert_eq!(reports, 10);
    assert!(world.icmp(id, other, PORT_UNREACHABLE).is_some(), "another peer has a second of his own");
}

#[test]
fn an_error_ends_nothing() {
    let (mut world, mut client, id) = ready();
    for _ in 0..100 {
        world.icmp(id, peer(), PORT_UNREACHABLE);
    }
    assert!(client.send(&mut world, peer(), b"still here").is_some());
    assert!(world.peer_sends(id, peer(), 10).is_some());
}
