//! TCP allocations (RFC 6062 §5.1), and what is refused in them.

use posthouse_stun::Method;
use posthouse_stun::attribute::{AttributeType, Family};
use posthouse_turn::{BindError, PortRequest, RelayedTransportAddress, TicketKey, Transport};

use crate::tcp_client::{bob, client, world, world_with};
use crate::world::{Client, Event, RELAY_V4, World, address, peer, peer_v6};

#[test]
fn tcp_is_an_unknown_transport_unless_an_operator_wants_it() {
    let (mut world, mut client) = (World::new(), client(1));
    assert_eq!(client.allocate_tcp_with(&mut world, |_| ()).code(), 442);
    assert_eq!(world.binds, 0);
    for method in [Method::CONNECT, Method::CONNECTION_BIND] {
        let bytes = client.signed(&mut world, method, |b| {
            b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer()).number(AttributeType::CONNECTION_ID, 7);
        });
        world.packet(client.at, &bytes);
        assert_eq!(world.answers, [], "a method of nobody's is not answered");
    }
}

#[test]
fn other_transports_stay_unknown() {
    let (mut world, mut client) = (world(), client(1));
    for transport in [0, 1, 5, 7, 132, 255] {
        let answer = client.request(&mut world, Method::ALLOCATE, |b| {
            b.attribute(AttributeType::REQUESTED_TRANSPORT, &[transport, 0, 0, 0]);
        });
        assert_eq!(answer.code(), 442, "{transport}");
    }
}

#[test]
fn a_tcp_allocation_is_promised_when_its_address_listens() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let (mut world, mut client) = (world(), client(1));
        client.at.transport = transport;
        client.greet(&mut world);
        world.hold = true;
        let bytes = client.signed(&mut world, Method::ALLOCATE, |b| {
            b.attribute(AttributeType::REQUESTED_TRANSPORT, &[6, 0, 0, 0]);
        });
        world.packet(client.at, &bytes);
        assert_eq!((world.answers.len(), world.last_request), (0, Some(PortRequest::Listening)));
        let bind = world.held.pop().unwrap();
        world.bind(bind);
        let answer = world.answer().unwrap();
        assert_eq!((answer.code(), answer.relayed().ip()), (0, RELAY_V4.parse().unwrap()));
        assert!(!answer.has(AttributeType::RESERVATION_TOKEN));
    }
}

#[test]
fn what_cannot_listen_is_508() {
    let (mut world, mut client) = (world(), client(1));
    world.failing = vec![(Family::V4, BindError::NoPort)];
    assert_eq!(client.allocate_tcp_with(&mut world, |_| ()).code(), 508);
    assert_eq!(world.allocations(), 0);
}

#[test]
fn a_tcp_allocation_over_udp_is_400() {
    let (mut world, mut client) = (world(), Client::new(1));
    assert_eq!(client.allocate_tcp_with(&mut world, |_| ()).code(), 400);
    assert_eq!(world.binds, 0);
}

#[test]
fn what_speaks_of_datagrams_and_pairs_of_ports_is_400() {
    let (mut world, mut client) = (world(), client(1));
    let wrong: [(AttributeType, &[u8]); 4] = [
        (AttributeType::DONT_FRAGMENT, &[]),
        (AttributeType::EVEN_PORT, &[0]),
        (AttributeType::EVEN_PORT, &[0x80]),
        (AttributeType::RESERVATION_TOKEN, &[1, 2, 3, 4, 5, 6, 7, 8]),
    ];
    for (kind, value) in wrong {
        let code = client.allocate_tcp_with(&mut world, |b| {
            b.attribute(kind, value);
        });
        assert_eq!(code.code(), 400, "{kind:?}");
    }
    assert_eq!(world.binds, 0);
}

#[test]
fn a_tcp_allocation_may_have_either_family_or_both() {
    let mut world = world();
    for (n, kind, value, relayed) in [
        (1, AttributeType::REQUESTED_ADDRESS_FAMILY, [1, 0, 0, 0], 1),
        (2, AttributeType::REQUESTED_ADDRESS_FAMILY, [2, 0, 0, 0], 1),
        (3, AttributeType::ADDITIONAL_ADDRESS_FAMILY, [2, 0, 0, 0], 2),
    ] {
        let answer = client(n).allocate_tcp_with(&mut world, |b| {
            b.attribute(kind, &value);
        });
        assert_eq!((answer.code(), answer.all_relayed().len()), (0, relayed));
    }
}

#[test]
fn a_tcp_allocation_counts_in_the_quotas() {
    let mut world = world_with(|settings| settings.quotas.per_user = 1);
    client(1).allocate_tcp(&mut world);
    assert_eq!(client(2).allocate_tcp_with(&mut world, |_| ()).code(), 486);
    bob(3).allocate_tcp(&mut world);
}

#[test]
fn a_second_allocate_is_437_whatever_its_transport() {
    let (mut world, mut client) = (world(), client(1));
    client.allocate_tcp(&mut world);
    assert_eq!(client.allocate_tcp_with(&mut world, |_| ()).code(), 437);
    assert_eq!(client.allocate_with(&mut world, |_| ()).code(), 437);
}

#[test]
fn channels_and_send_indications_are_none_of_a_tcp_allocation() {
    let (mut world, mut client) = (world(), client(1));
    client.allocate_tcp(&mut world);
    assert_eq!(client.permit(&mut world, &[peer()]), 0);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 403);
    assert!(client.channel_data(&mut world, 0x4000, b"x").is_none());
    assert!(client.send(&mut world, peer(), b"x").is_none());
    assert_eq!(world.server.stats().drops.tcp_allocation, 1);
}

#[test]
fn a_datagram_for_a_tcp_allocation_finds_nobody() {
    let (mut world, mut tcp, mut udp) = (world(), client(1), Client::new(2));
    let id = tcp.allocate_tcp(&mut world);
    let view = world.server.allocations(world.now).find(|a| a.id == id).unwrap();
    let RelayedTransportAddress(relayed) = view.relayed_v4.unwrap();
    udp.allocate(&mut world);
    assert_eq!(udp.permit(&mut world, &[relayed]), 0);
    let forward = udp.send(&mut world, relayed, b"x").expect("it is a port of the relay");
    assert_eq!(world.server.relayed(RelayedTransportAddress(forward.to.0)), None);
}

#[test]
fn refresh_with_zero_ends_every_connection_of_the_allocation() {
    let (mut world, mut client, mut data) = (world(), client(1), client(2));
    let at = client.allocate_tcp(&mut world);
    client.permit(&mut world, &[peer()]);
    let connecting = client.connect(&mut world, address("9.9.9.9:1"));
    let connected = client.connected(&mut world, address("9.9.9.9:2"));
    let accepted = world.peer_connects(at, "9.9.9.9:3").unwrap();
    assert_eq!(data.bind_connection(&mut world, connected), 0);
    world.news();
    let bytes = client.signed(&mut world, Method::REFRESH, |b| {
        b.number(AttributeType::LIFETIME, 0);
    });
    world.packet(client.at, &bytes);
    let codes: Vec<_> = world.answers.iter().map(crate::world::Answer::code).collect();
    assert_eq!(codes, [0, 447], "the Refresh, and the Connect that was under way");
    let mut closed = [connecting, connected, accepted];
    closed.sort_unstable();
    assert_eq!(world.news(), [closed.map(Event::ClosedPeer).to_vec(), vec![Event::Closed(at)]].concat());
    assert_eq!(world.server.poll_timeout(), None);
}

#[test]
fn time_and_a_lost_control_connection_end_them_too() {
    for disconnects in [true, false] {
        let (mut world, mut client, mut data) = (world(), client(1), client(2));
        let at = client.allocate_tcp(&mut world);
        let id = client.connected(&mut world, peer());
        assert_eq!(data.bind_connection(&mut world, id), 0);
        world.news();
        if disconnects {
            world.server.handle_disconnect(world.now, client.at);
            world.drain();
        } else {
            world.pass(600);
        }
        assert_eq!(world.news(), [Event::ClosedPeer(id), Event::Closed(at)]);
    }
}

#[test]
fn refreshing_one_family_away_ends_the_connections_of_that_family_alone() {
    let (mut world, mut client) = (world(), client(1));
    let answer = client.allocate_tcp_with(&mut world, |b| {
        b.attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    assert_eq!(answer.code(), 0);
    let v4 = client.connected(&mut world, peer());
    let v6 = client.connected(&mut world, peer_v6());
    world.news();
    client.request(&mut world, Method::REFRESH, |b| {
        b.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]).number(AttributeType::LIFETIME, 0);
    });
    assert!(world.news().contains(&Event::ClosedPeer(v6)));
    assert_eq!(self::client(2).bind_connection(&mut world, v4), 0);
}

#[test]
fn a_reload_that_denies_a_peer_ends_its_connections() {
    let (mut world, mut client) = (world(), client(1));
    client.allocate_tcp(&mut world);
    let denied = client.connected(&mut world, peer());
    let other = client.connected(&mut world, address("8.8.8.8:53"));
    world.news();
    world.reload(|settings| settings.peer_policy.deny.push("9.9.9.0/24".parse().unwrap()));
    assert_eq!(world.news(), [Event::ClosedPeer(denied)]);
    assert_eq!(self::client(2).bind_connection(&mut world, other), 0);
}

#[test]
fn ending_a_user_ends_his_connections() {
    let (mut world, mut client) = (world(), client(1));
    let at = client.allocate_tcp(&mut world);
    let id = client.connected(&mut world, peer());
    world.news();
    world.server.end_user(world.now, "alice");
    world.drain();
    assert_eq!(world.news(), [Event::ClosedPeer(id), Event::Closed(at)]);
}

#[test]
fn a_tcp_allocation_does_not_move() {
    let mut world = world_with(|settings| settings.mobility = Some(TicketKey::new([5; 32])));
    let code = client(1).allocate_tcp_with(&mut world, |b| {
        b.attribute(AttributeType::MOBILITY_TICKET, &[]);
    });
    assert_eq!(code.code(), 405);
    client(1).allocate_tcp(&mut world);
}

#[test]
fn a_reload_that_withdraws_tcp_allocations_ends_them_and_no_others() {
    let (mut world, mut tcp, mut udp) = (world(), client(1), client(2));
    let at = tcp.allocate_tcp(&mut world);
    let id = tcp.connected(&mut world, peer());
    udp.allocate(&mut world);
    world.news();
    world.reload(|settings| settings.tcp_allocations = false);
    assert_eq!(world.news(), [Event::ClosedPeer(id), Event::Closed(at)]);
    assert_eq!(world.allocations(), 1);
}
