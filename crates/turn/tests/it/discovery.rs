//! NAT behaviour discovery (RFC 5780 §6.1, §7).

use std::net::SocketAddr;

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Builder, Fingerprint, Method};
use posthouse_turn::{Discovery, Transport};

use crate::world::{Answer, Client, World, address};

const PRIMARY: &str = "198.51.100.1:3478";
const ALTERNATE: &str = "198.51.100.2:3479";

fn discovery() -> Discovery {
    Discovery { primary: address(PRIMARY), alternate: address(ALTERNATE), external: None }
}

fn world() -> World {
    World::with(|s| s.discovery = vec![discovery()])
}

fn binding(world: &mut World, client: &mut Client, write: impl FnOnce(&mut Builder<'_>)) -> Answer {
    let bytes = client.build(Method::BINDING, None, write);
    world.packet(client.at, &bytes);
    world.answer().expect("an answer")
}

/// Asks at `at` with these flags.
fn ask(at: &str, flags: u32) -> Answer {
    let mut client = Client::new(1);
    client.at.server = address(at);
    binding(&mut world(), &mut client, |b| {
        b.number(AttributeType::CHANGE_REQUEST, flags);
    })
}

fn plain(answer: &Answer, kind: AttributeType) -> Option<SocketAddr> {
    answer.message().plain_address(kind).unwrap()
}

#[test]
fn every_answer_tells_source_origin_and_the_other_address() {
    let (mut world, mut client) = (world(), Client::new(1));
    let answer = binding(&mut world, &mut client, |_| ());
    assert_eq!(answer.to, client.at);
    assert_eq!(answer.message().xor_address(AttributeType::XOR_MAPPED_ADDRESS).unwrap(), Some(client.at.client));
    assert_eq!(plain(&answer, AttributeType::MAPPED_ADDRESS), Some(client.at.client));
    assert_eq!(plain(&answer, AttributeType::RESPONSE_ORIGIN), Some(address(PRIMARY)));
    assert_eq!(plain(&answer, AttributeType::OTHER_ADDRESS), Some(address(ALTERNATE)));
    assert_eq!(answer.bytes.len(), 68);
    assert!(!answer.has(AttributeType::PADDING));
}

#[test]
fn the_answer_comes_from_where_the_flags_say_at_each_of_the_four_addresses() {
    let (p, a) = ("198.51.100.1", "198.51.100.2");
    for (ip, other_ip) in [(p, a), (a, p)] {
        for (port, other_port) in [(3478, 3479), (3479, 3478)] {
            let origins = [(0, ip, port), (4, other_ip, port), (2, ip, other_port), (6, other_ip, other_port)];
            for (flags, from_ip, from_port) in origins {
                let answer = ask(&format!("{ip}:{port}"), flags);
                let from = address(&format!("{from_ip}:{from_port}"));
                assert_eq!((answer.code(), answer.to.server), (0, from), "{ip}:{port} asked with {flags}");
                assert_eq!(plain(&answer, AttributeType::RESPONSE_ORIGIN), Some(from));
                let other = address(&format!("{other_ip}:{other_port}"));
                assert_eq!(plain(&answer, AttributeType::OTHER_ADDRESS), Some(other), "whatever the flags");
            }
        }
    }
}

#[test]
fn behind_one_to_one_nat_clients_are_told_what_they_see_and_answered_from_what_is_bound() {
    let external = Some(["203.0.113.1".parse().unwrap(), "203.0.113.2".parse().unwrap()]);
    let mut world = World::with(|s| s.discovery = vec![Discovery { external, ..discovery() }]);
    let answer = binding(&mut world, &mut Client::new(1), |b| {
        b.number(AttributeType::CHANGE_REQUEST, 4);
    });
    assert_eq!(answer.to.server, address("198.51.100.2:3478"));
    assert_eq!(plain(&answer, AttributeType::RESPONSE_ORIGIN), Some(address("203.0.113.2:3478")));
    assert_eq!(plain(&answer, AttributeType::OTHER_ADDRESS), Some(address("203.0.113.2:3479")));
}

#[test]
fn each_family_has_addresses_of_its_own() {
    let v6 =
        Discovery { primary: address("[2001:db8::1]:3478"), alternate: address("[2001:db8::2]:3479"), external: None };
    let mut world = World::with(|s| s.discovery = vec![discovery(), v6]);
    let mut client = Client::at(address("[2a02::1]:5000"), Transport::Udp);
    let answer = binding(&mut world, &mut client, |b| {
        b.number(AttributeType::CHANGE_REQUEST, 6);
    });
    assert_eq!(answer.to.server, address("[2001:db8::2]:3479"));
    assert_eq!(answer.bytes.len(), 116);
}

#[test]
fn without_a_second_address_over_streams_and_at_other_listeners_it_is_unknown() {
    let cases = [
        (World::new(), PRIMARY, Transport::Udp),
        (world(), "198.51.100.1:443", Transport::Udp),
        (world(), PRIMARY, Transport::Tcp),
        (world(), PRIMARY, Transport::Tls),
    ];
    for (mut world, server, transport) in cases {
        let mut client = Client::new(1);
        (client.at.server, client.at.transport) = (address(server), transport);
        let answer = binding(&mut world, &mut client, |b| {
            b.number(AttributeType::CHANGE_REQUEST, 0)
                .attribute(AttributeType::RESPONSE_PORT, &[0, 80, 0, 0])
                .attribute(AttributeType::PADDING, &[0; 8]);
        });
        assert_eq!((answer.code(), answer.to), (420, client.at));
        let list = answer.message().attribute(AttributeType::UNKNOWN_ATTRIBUTES).unwrap();
        assert_eq!(list, [0, 0x03, 0, 0x27, 0, 0x26]);
        let plain_answer = binding(&mut world, &mut client, |_| ());
        assert_eq!(plain_answer.bytes.len(), 32, "nothing else is told either");
    }
}

#[test]
fn other_methods_do_not_know_it() {
    let (mut world, mut client) = (world(), Client::new(1));
    let answer = client.allocate_with(&mut world, |b| {
        b.number(AttributeType::CHANGE_REQUEST, 6);
    });
    assert_eq!((answer.code(), answer.to), (420, client.at));
    assert_eq!(answer.message().attribute(AttributeType::UNKNOWN_ATTRIBUTES).unwrap(), [0, 3]);
}

#[test]
fn what_is_really_unknown_is_listed_alone() {
    let answer = binding(&mut world(), &mut Client::new(1), |b| {
        b.number(AttributeType::CHANGE_REQUEST, 6).attribute(AttributeType(0x7ffe), b"?");
    });
    assert_eq!((answer.code(), answer.to.server), (420, address(PRIMARY)));
    assert_eq!(answer.message().attribute(AttributeType::UNKNOWN_ATTRIBUTES).unwrap(), [0x7f, 0xfe]);
}

#[test]
fn the_answer_goes_to_the_response_port_of_the_same_address() {
    let (mut world, mut client) = (world(), Client::new(1));
    let answer = binding(&mut world, &mut client, |b| {
        b.attribute(AttributeType::RESPONSE_PORT, &[0x1f, 0x90, 0, 0]);
    });
    assert_eq!(answer.to.client, SocketAddr::new(client.at.client.ip(), 8080));
    assert_eq!(answer.to.server, client.at.server);
    let mapped = answer.message().xor_address(AttributeType::XOR_MAPPED_ADDRESS).unwrap();
    assert_eq!(mapped, Some(client.at.client), "the source of the request, not of the answer's way");
}

#[test]
fn a_padded_answer_is_no_longer_than_its_request() {
    for (software, fingerprint) in [(None, false), (Some("Posthouse".to_owned()), true)] {
        let mut world = World::with(|s| (s.discovery, s.software) = (vec![discovery()], software.clone()));
        let mut client = Client::new(1);
        client.fingerprint = fingerprint;
        for asked in [0, 1, 3, 4, 100, 600, 1472, 1500, 1501, 9000, 60_000] {
            let bytes = client.build(Method::BINDING, None, |b| {
                b.attribute(AttributeType::PADDING, &vec![0xff; asked]);
            });
            world.packet(client.at, &bytes);
            let answer = world.answer().unwrap();
            let message = answer.message();
            let padding = message.attribute(AttributeType::PADDING).expect("PADDING is answered with PADDING");
            assert!(padding.is_empty() || answer.bytes.len() <= bytes.len(), "{asked}");
            assert!(padding.len() <= asked.min(1500) && padding.iter().all(|&byte| byte == 0));
            // Whoever pads for real gets a datagram that must be fragmented.
            assert_eq!(answer.bytes.len() + 28 > 1500, asked >= 1472, "{asked}");
            assert_eq!(message.fingerprint() == Fingerprint::Valid, fingerprint);
        }
    }
}

#[test]
fn what_contradicts_itself_or_is_malformed_is_400_from_where_it_was_asked() {
    let cases: [&[(AttributeType, &[u8])]; 4] = [
        &[(AttributeType::RESPONSE_PORT, &[0x1f, 0x90, 0, 0]), (AttributeType::PADDING, &[0; 400])],
        &[(AttributeType::RESPONSE_PORT, &[0, 0, 0, 0])],
        &[(AttributeType::RESPONSE_PORT, &[0x1f, 0x90])],
        &[(AttributeType::CHANGE_REQUEST, &[6])],
    ];
    for attributes in cases {
        let (mut world, mut client) = (world(), Client::new(1));
        let answer = binding(&mut world, &mut client, |b| {
            for (kind, value) in attributes {
                b.attribute(*kind, value);
            }
        });
        assert_eq!((answer.code(), answer.to), (400, client.at), "{attributes:?}");
    }
}

#[test]
fn the_limiter_counts_answers_whatever_they_ask_for() {
    let mut world = World::with(|s| {
        s.discovery = vec![discovery()];
        s.rates.binding = 5;
    });
    let mut client = Client::new(1);
    let mut answered = 0;
    for port in 1..=100_u16 {
        let [high, low] = port.to_be_bytes();
        let bytes = client.build(Method::BINDING, None, |b| {
            b.number(AttributeType::CHANGE_REQUEST, u32::from(port % 4) * 2)
                .attribute(AttributeType::RESPONSE_PORT, &[high, low, 0, 0]);
        });
        world.packet(client.at, &bytes);
        answered += usize::from(world.answer().is_some());
    }
    assert_eq!(answered, 10);
}
