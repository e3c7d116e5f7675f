//! CreatePermission (RFC 8656 §10.2) and permissions (§9).

use std::net::SocketAddr;

use posthouse_stun::Method;
use posthouse_stun::attribute::AttributeType;

use crate::world::{Client, RELAY_V4, World, address, peer, peer_v6};

#[test]
fn without_an_allocation_it_is_437_and_for_another_user_441() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    assert_eq!(client.permit(&mut world, &[peer()]), 437);
    client.allocate(&mut world);
    assert_eq!(Client::new(1).user("bob", "builder").permit(&mut world, &[peer()]), 441);
    assert!(client.send(&mut world, peer(), b"no").is_none());
}

#[test]
fn no_peer_or_a_malformed_one_is_400() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, &[]), 400);
    for value in [
        &[][..],
        &[0, 1, 0, 0],
        &[0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0, 2, 0, 0, 1, 2, 3, 4],
        &[0, 9, 0, 0, 1, 2, 3, 4],
    ] {
        let code = client.code(&mut world, Method::CREATE_PERMISSION, |b| {
            b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer()).attribute(AttributeType::XOR_PEER_ADDRESS, value);
        });
        assert_eq!(code, 400, "{value:?}");
    }
    assert!(client.send(&mut world, peer(), b"no").is_none(), "the good one beside it was not installed");
}

#[test]
fn a_permission_is_for_an_address_whatever_the_port() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let id = client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, &[SocketAddr::new(peer().ip(), 0)]), 0);
    for port in [1, 4000, 65535] {
        let peer = SocketAddr::new(peer().ip(), port);
        assert!(client.send(&mut world, peer, b"out").is_some());
        assert!(world.peer_sends(id, peer, 4).is_some());
    }
    assert!(client.send(&mut world, address("9.9.9.10:4000"), b"no").is_none());
    assert!(world.peer_sends(id, address("9.9.9.10:4000"), 4).is_none());
}

#[test]
fn a_permission_lasts_exactly_five_minutes_even_when_nobody_wakes_the_server() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let id = client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, &[peer()]), 0);
    world.pass_asleep(299);
    assert!(client.send(&mut world, peer(), b"yes").is_some());
    assert!(world.peer_sends(id, peer(), 1).is_some());
    world.pass_asleep(1);
    assert!(client.send(&mut world, peer(), b"no").is_none());
    assert!(world.peer_sends(id, peer(), 1).is_none());
    assert_eq!(world.server.stats().drops.no_permission, 2);
}

#[test]
fn traffic_does_not_refresh_a_permission_and_a_new_request_does() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let id = client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, &[peer()]), 0);
    world.pass(200);
    assert!(client.send(&mut world, peer(), b"x").is_some() && world.peer_sends(id, peer(), 1).is_some());
    world.pass(100);
    assert!(client.send(&mut world, peer(), b"x").is_none());
    assert_eq!(client.permit(&mut world, &[peer()]), 0);
    world.pass(299);
    assert!(client.send(&mut world, peer(), b"x").is_some());
}

#[test]
fn one_denied_peer_among_many_means_none_is_installed() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, &[peer(), address("10.0.0.1:1"), address("8.8.8.8:1")]), 403);
    assert!(client.send(&mut world, peer(), b"no").is_none());
    assert!(client.send(&mut world, address("8.8.8.8:1"), b"no").is_none());
    assert_eq!(client.permit(&mut world, &[peer(), address("8.8.8.8:1")]), 0);
    assert!(client.send(&mut world, peer(), b"yes").is_some());
}

#[test]
fn a_peer_of_another_family_is_443() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, &[peer_v6()]), 443);
    assert_eq!(client.permit(&mut world, &[peer(), peer_v6()]), 443);
    assert_eq!(client.permit(&mut world, &[address("[::ffff:9.9.9.9]:1")]), 443, "a spelling is not a family");
    let mut six = Client::new(2);
    six.allocate_with(&mut world, |b| {
        b.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    assert_eq!(six.permit(&mut world, &[peer()]), 443);
    assert_eq!(six.permit(&mut world, &[peer_v6()]), 0);
}

#[test]
fn own_addresses_may_be_permitted_for_relay_to_relay() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, &[SocketAddr::new(RELAY_V4.parse().unwrap(), 49160)]), 0);
}

#[test]
fn more_permissions_than_allowed_are_508_and_repetitions_do_not_count() {
    let mut world = World::with(|s| s.max_permissions = 3);
    let mut client = Client::new(1);
    client.allocate(&mut world);
    let of = |n: u8| SocketAddr::from(([9, 9, 9, n], 1));
    assert_eq!(client.permit(&mut world, &[of(1), of(1), of(1), of(1)]), 0);
    assert_eq!(client.permit(&mut world, &[of(1), of(2), of(3)]), 0);
    assert_eq!(client.permit(&mut world, &[of(3), of(4)]), 508);
    assert_eq!(client.bind(&mut world, 0x4000, of(4)), 508, "a channel needs a permission too");
    assert_eq!(client.permit(&mut world, &[of(2), of(3)]), 0, "refreshing is always possible");
    world.pass(299);
    assert_eq!(client.permit(&mut world, &[of(2), of(3)]), 0);
    world.pass(1);
    assert_eq!(client.permit(&mut world, &[of(4)]), 0, "what expired makes room");
}

#[test]
fn the_answer_has_nothing_but_its_signature() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    let answer = client.request(&mut world, Method::CREATE_PERMISSION, |b| {
        b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer());
    });
    assert_eq!((answer.code(), answer.bytes.len()), (0, 20 + 24));
}
