//! Connect (RFC 6062 §5.2) and connections that peers make (§5.3).

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use posthouse_stun::Method;
use posthouse_stun::attribute::AttributeType;
use posthouse_turn::{Route, Shared};

use crate::tcp_client::{bob, client, world, world_with};
use crate::world::{Client, Event, RELAY_V4, World, address, peer, peer_v6};

#[test]
fn a_connect_is_answered_when_the_connection_stands() {
    let (mut world, mut client) = (world(), client(1));
    let at = client.allocate_tcp(&mut world);
    let id = client.connect(&mut world, peer());
    assert_eq!(world.news(), [Event::Connect { id, from: at, to: peer(), route: Route::Peer }]);
    let answer = world.connected(id, true).unwrap();
    assert_eq!((answer.code(), answer.connection(), answer.message().method()), (0, id, Method::CONNECT));
    assert_eq!(answer.to, client.at);
    assert_eq!(world.connected(id, true), None, "said once");
    assert_eq!(world.server.stats().connections.connected, 1);
}

#[test]
fn a_connect_that_fails_is_447_and_may_be_tried_again() {
    let (mut world, mut client) = (world(), client(1));
    client.allocate_tcp(&mut world);
    let id = client.connect(&mut world, peer());
    assert_eq!(world.connected(id, false).unwrap().code(), 447);
    client.connected(&mut world, peer());
}

#[test]
fn a_connect_without_an_end_is_447_after_thirty_seconds() {
    let (mut world, mut client) = (world(), client(1));
    client.allocate_tcp(&mut world);
    let (a, b) = (client.connect(&mut world, peer()), client.connect(&mut world, address("9.9.9.9:1")));
    world.pass(29);
    assert_eq!(world.answers, []);
    world.news();
    world.pass(1);
    let codes: Vec<_> = world.answers.iter().map(crate::world::Answer::code).collect();
    assert_eq!(codes, [447, 447], "each of the two that were due at one moment");
    let mut closed = [a, b];
    closed.sort_unstable();
    assert_eq!(world.news(), closed.map(Event::ClosedPeer), "and both are called off");
    assert_eq!(world.connected(a, true), None, "what comes too late means nothing");
}

#[test]
fn without_an_allocation_connect_is_437_and_of_another_user_441() {
    let (mut world, mut client) = (world(), client(1));
    assert_eq!(client.connect_code(&mut world, peer()), 437);
    client.allocate_tcp(&mut world);
    let mut other = bob(1);
    assert_eq!(other.connect_code(&mut world, peer()), 441);
}

#[test]
fn in_an_allocation_of_datagrams_connect_is_403() {
    let (mut world, mut client) = (world(), client(1));
    client.allocate(&mut world);
    assert_eq!(client.connect_code(&mut world, peer()), 403);
}

#[test]
fn a_connect_needs_a_peer_that_can_be_connected_to() {
    let (mut world, mut client) = (world(), client(1));
    client.allocate_tcp(&mut world);
    assert_eq!(client.code(&mut world, Method::CONNECT, |_| ()), 400, "no XOR-PEER-ADDRESS");
    let broken = client.code(&mut world, Method::CONNECT, |b| {
        b.attribute(AttributeType::XOR_PEER_ADDRESS, &[0, 1, 2]);
    });
    assert_eq!(broken, 400);
    assert_eq!(client.connect_code(&mut world, address("9.9.9.9:0")), 400);
    assert_eq!(client.connect_code(&mut world, peer_v6()), 443);
}

#[test]
fn a_second_connect_to_one_peer_is_446_for_as_long_as_the_first_is_there() {
    let (mut world, mut client, mut data) = (world(), client(1), client(2));
    client.allocate_tcp(&mut world);
    let id = client.connect(&mut world, peer());
    assert_eq!(client.connect_code(&mut world, peer()), 446, "under way");
    world.connected(id, true);
    assert_eq!(client.connect_code(&mut world, peer()), 446, "pending");
    assert_eq!(data.bind_connection(&mut world, id), 0);
    assert_eq!(client.connect_code(&mut world, peer()), 446, "active");
    client.connected(&mut world, address("9.9.9.9:4001"));
    world.server.handle_connection_closed(id);
    client.connected(&mut world, peer());
}

#[test]
fn a_connect_while_that_peer_itself_has_connected_is_446() {
    let (mut world, mut client) = (world(), client(1));
    let at = client.allocate_tcp(&mut world);
    client.permit(&mut world, &[peer()]);
    world.peer_connects(at, &peer().to_string()).unwrap();
    assert_eq!(client.connect_code(&mut world, peer()), 446);
}

#[test]
fn no_denied_network_is_connected_to_however_it_is_spelt() {
    let (mut world, mut v4, mut v6) = (world(), client(1), client(2));
    v4.allocate_tcp(&mut world);
    v6.allocate_tcp_with(&mut world, |b| {
        b.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    for inner in ["0.0.0.0", "127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.100.100.200", "224.0.0.1"]
    {
        assert_eq!(v4.connect_code(&mut world, address(&format!("{inner}:80"))), 403, "{inner}");
        for spelling in spellings(inner.parse().unwrap()) {
            let code = v6.connect_code(&mut world, (spelling.parse::<IpAddr>().unwrap(), 80).into());
            // In its mapped form it may be read as IPv4, which that allocation does not have.
            assert!(code == 403 || code == 443, "{inner} as {spelling}: {code}");
        }
    }
    for ip in ["::", "::1", "fe80::1", "fc00::1", "ff02::1", "fd00:ec2::254", "2001:db8::5"] {
        assert_eq!(v6.connect_code(&mut world, address(&format!("[{ip}]:80"))), 403, "{ip}");
    }
    assert!(!world.news().iter().any(|event| matches!(event, Event::Connect { .. })));
}

/// An IPv4 address as IPv6 may carry it.
fn spellings(ip: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = ip.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    vec![
        format!("::ffff:{ip}"),
        format!("::ffff:0:{high:x}:{low:x}"),
        format!("64:ff9b::{high:x}:{low:x}"),
        format!("64:ff9b:1::{high:x}:{low:x}"),
        format!("2002:{high:x}:{low:x}::1"),
        format!("2001:0:1:2:3:4:{:x}:{:x}", !high, !low),
        format!("2a00:1450::5efe:{high:x}:{low:x}"),
    ]
}

#[test]
fn no_listener_of_ours_is_connected_to_whatever_is_excepted() {
    let own: IpAddr = RELAY_V4.parse().unwrap();
    let mut world = world_with(|settings| {
        settings.own_ports = vec![3478, 8080];
        settings.peer_policy.allow = vec!["127.0.0.0/8".parse().unwrap(), "198.51.100.0/24".parse().unwrap()];
        settings.peer_policy.allow_dangerous = true;
    });
    let mut client = client(1);
    client.allocate_tcp(&mut world);
    for port in [3478, 8080] {
        for ip in [own, "127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap(), "127.255.3.4".parse().unwrap()] {
            assert_eq!(client.connect_code(&mut world, (ip, port).into()), 403, "{ip} {port}");
        }
    }
    // What is excepted is open otherwise.
    client.connected(&mut world, address("127.0.0.2:9000"));
    client.connected(&mut world, (own, 9000).into());
}

#[test]
fn of_this_machine_only_relayed_addresses_are_connected_to_and_never_its_own() {
    let (mut world, mut client) = (world(), client(1));
    let answer = client.allocate_tcp_with(&mut world, |_| ());
    let own = answer.relayed();
    assert_eq!(client.connect_code(&mut world, own), 403, "itself");
    assert_eq!(client.connect_code(&mut world, (own.ip(), 22).into()), 403);
    let id = client.connect(&mut world, (own.ip(), own.port() + 1).into());
    assert!(matches!(world.news()[..], [.., Event::Connect { id: asked, route: Route::Relay, .. }] if asked == id));
}

#[test]
fn connects_under_way_and_connections_in_all_are_bounded() {
    let mut world = world_with(|settings| settings.max_connections = 20);
    let mut client = client(1);
    let at = client.allocate_tcp(&mut world);
    let peer = |port| address(&format!("9.9.9.9:{port}"));
    let ids: Vec<_> = (1..=16).map(|port| client.connect(&mut world, peer(port))).collect();
    assert_eq!(client.connect_code(&mut world, peer(17)), 508, "sixteen at a time");
    for id in ids {
        assert_eq!(world.connected(id, true).unwrap().code(), 0);
    }
    for port in 17..=20 {
        client.connected(&mut world, peer(port));
    }
    assert_eq!(client.connect_code(&mut world, peer(21)), 508, "twenty in all");
    client.permit(&mut world, &[peer(22)]);
    assert_eq!(world.peer_connects(at, "9.9.9.9:22"), None);
    world.pass(30);
    client.connected(&mut world, peer(23));
}

#[test]
fn connection_ids_are_unique_and_say_nothing_about_each_other() {
    let shared = Shared::new();
    let mut ids = BTreeSet::new();
    for number in 0..3 {
        let mut world = World::sharing(&shared, |settings| {
            settings.tcp_allocations = true;
            settings.max_connections = 1000;
        });
        world.server = world.server.numbered(number).among(3);
        let mut client = client(number);
        client.allocate_tcp(&mut world);
        let mut own = BTreeSet::new();
        for port in 1..=200 {
            let id = client.connected(&mut world, address(&format!("9.9.9.9:{port}")));
            assert_eq!(id.0 % 3, u32::from(number), "the remainder names the server");
            assert!(own.insert(id.0) && ids.insert(id), "{id:?} twice");
        }
        let steps: BTreeSet<_> = own.iter().zip(own.iter().skip(1)).map(|(a, b)| b - a).collect();
        assert!(steps.len() > 190 && own.last() > Some(&(u32::MAX / 2)), "drawn from all 32 bits");
    }
}

#[test]
fn a_peer_with_a_permission_is_announced_with_its_address_and_the_connection() {
    let (mut world, mut client) = (world(), client(1));
    let at = client.allocate_tcp(&mut world);
    assert_eq!(client.permit(&mut world, &[peer()]), 0);
    // Permissions are for addresses: any port will do.
    let id = world.peer_connects(at, "9.9.9.9:777").unwrap();
    let attempt = world.answer().unwrap();
    assert!(attempt.is_attempt());
    assert_eq!((attempt.to, attempt.connection()), (client.at, id));
    assert_eq!(attempt.message().xor_peer_address().unwrap(), Some(address("9.9.9.9:777")));
}

#[test]
fn a_peer_without_a_permission_is_closed_at_once_and_nobody_hears_of_it() {
    let (mut world, mut client) = (world(), client(1));
    let at = client.allocate_tcp(&mut world);
    assert_eq!(world.peer_connects(at, "9.9.9.9:777"), None);
    client.permit(&mut world, &[peer()]);
    assert_eq!(world.peer_connects(at, "9.9.9.10:777"), None);
    world.pass(300);
    assert_eq!(world.peer_connects(at, "9.9.9.9:777"), None, "the permission is over");
    assert_eq!(world.answers, []);
    assert_eq!(world.server.stats().connections.refused, 3);
}

#[test]
fn a_connect_needs_no_permission_and_gives_none() {
    let (mut world, mut client) = (world(), client(1));
    let at = client.allocate_tcp(&mut world);
    client.connected(&mut world, peer());
    assert_eq!(world.peer_connects(at, "9.9.9.9:777"), None);
}

#[test]
fn peers_do_not_connect_to_allocations_of_datagrams() {
    let (mut world, mut client) = (world(), Client::new(1));
    let at = client.allocate(&mut world);
    client.permit(&mut world, &[peer()]);
    assert_eq!(world.peer_connects(at, "9.9.9.9:777"), None);
}
