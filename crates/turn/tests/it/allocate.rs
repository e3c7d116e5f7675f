//! Allocate (RFC 8656 §7.2).

use posthouse_stun::attribute::{AttributeType, Family};
use posthouse_stun::{Builder, Method};
use posthouse_turn::{BindError, Families, PortRequest, Quotas, Rates, RelayedTransportAddress, Shared, Transport};

use crate::world::{Client, Event, RELAY_V4, RELAY_V6, World, address, peer};

const FAMILY_V4: [u8; 4] = [1, 0, 0, 0];
const FAMILY_V6: [u8; 4] = [2, 0, 0, 0];

fn allocate(world: &mut World, n: u8, write: impl FnOnce(&mut Builder<'_>)) -> u16 {
    Client::new(n).allocate_with(world, write).code()
}

#[test]
fn a_success_carries_relayed_address_lifetime_and_mapped_address() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let answer = client.allocate_with(&mut world, |_| ());
    assert_eq!(answer.code(), 0);
    assert_eq!(answer.relayed().ip().to_string(), RELAY_V4);
    assert_eq!(answer.lifetime(), 600);
    assert_eq!(answer.message().xor_address(AttributeType::XOR_MAPPED_ADDRESS).unwrap(), Some(client.at.client));
    assert!(!answer.has(AttributeType::RESERVATION_TOKEN));
    assert_eq!(world.last_request, Some(PortRequest::Any));
}

#[test]
fn nothing_is_promised_before_the_socket_is_bound() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    world.hold = true;
    let bytes = client.signed(&mut world, Method::ALLOCATE, |b| {
        b.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    });
    world.packet(client.at, &bytes);
    assert_eq!((world.answer(), world.allocations()), (None, 0));
    world.packet(client.at, &bytes);
    assert_eq!(world.answer(), None, "a retransmission waits too");
    assert_eq!(world.held.len(), 1, "and binds nothing more");
    assert_eq!(client.refresh(&mut world, None).code(), 437, "there is no allocation yet");
    assert_eq!(client.allocate_with(&mut world, |_| ()).code(), 437, "but its 5-tuple is taken");
    let bind = world.held.remove(0);
    world.bind(bind);
    assert_eq!(world.answers.pop().unwrap().code(), 0);
    assert_eq!(world.allocations(), 1);
}

#[test]
fn a_retransmission_gets_the_same_bytes_and_makes_nothing() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let bytes = client.signed(&mut world, Method::ALLOCATE, |b| {
        b.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]).number(AttributeType::LIFETIME, 1234);
    });
    world.packet(client.at, &bytes);
    let first = world.answer().unwrap();
    world.pass(3);
    world.packet(client.at, &bytes);
    assert_eq!(world.answer().unwrap(), first);
    assert_eq!((world.allocations(), world.binds), (1, 1));
    assert_eq!(world.server.stats().allocations_created, 1);
}

#[test]
fn a_second_allocate_on_the_same_5_tuple_is_437() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    assert_eq!(client.allocate_with(&mut world, |_| ()).code(), 437);
    client = client.user("bob", "builder");
    assert_eq!(client.allocate_with(&mut world, |_| ()).code(), 437, "another user too");
    assert_eq!(world.allocations(), 1);
}

#[test]
fn the_5_tuple_has_three_parts() {
    let mut world = World::new();
    let mut clients = [Client::new(1), Client::new(1), Client::new(1)];
    clients[1].at.transport = Transport::Tls;
    clients[2].at.server.set_port(3479);
    for client in &mut clients {
        client.allocate(&mut world);
    }
    assert_eq!(world.allocations(), 3);
}

#[test]
fn requested_transport_must_be_there_and_be_udp() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    assert_eq!(client.code(&mut world, Method::ALLOCATE, |_| ()), 400);
    let mut with = |value: &[u8]| {
        client.code(&mut world, Method::ALLOCATE, |b| {
            b.attribute(AttributeType::REQUESTED_TRANSPORT, value);
        })
    };
    assert_eq!(with(&[17]), 400);
    assert_eq!(with(&[17, 0, 0, 0, 0]), 400);
    assert_eq!(with(&[6, 0, 0, 0]), 442);
    assert_eq!(with(&[0, 0, 0, 0]), 442);
    assert_eq!(with(&[17, 9, 9, 9]), 0, "the reserved bytes are ignored");
}

#[test]
fn a_lifetime_is_at_least_the_default_and_at_most_the_maximum() {
    for (n, (asked, granted)) in
        [(0, 600), (1, 600), (600, 600), (777, 777), (3600, 3600), (3601, 3600), (u32::MAX, 3600)]
            .into_iter()
            .enumerate()
    {
        let mut world = World::new();
        let answer = Client::new(n as u8).allocate_with(&mut world, |b| {
            b.number(AttributeType::LIFETIME, asked);
        });
        assert_eq!((answer.code(), answer.lifetime()), (0, granted), "{asked}");
        world.pass(u64::from(granted) - 1);
        assert_eq!(world.allocations(), 1);
        world.pass(1);
        assert_eq!(world.allocations(), 0);
    }
    let malformed = allocate(&mut World::new(), 1, |b| {
        b.attribute(AttributeType::LIFETIME, &[0, 0]);
    });
    assert_eq!(malformed, 400);
}

#[test]
fn a_family_is_given_as_asked_and_ipv4_when_not_asked() {
    let mut world = World::new();
    let relayed = |world: &mut World, n: u8, value: &[u8]| {
        let answer = Client::new(n).allocate_with(world, |b| {
            b.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, value);
        });
        assert_eq!(answer.code(), 0);
        answer.relayed().ip().to_string()
    };
    assert_eq!(relayed(&mut world, 1, &FAMILY_V4), RELAY_V4);
    assert_eq!(relayed(&mut world, 2, &FAMILY_V6), RELAY_V6);
}

#[test]
fn a_family_that_is_not_offered_or_not_known_is_440() {
    let mut world = World::with(|s| s.families = Families { v4: true, v6: false });
    let family = |value: &'static [u8]| {
        move |b: &mut Builder<'_>| {
            b.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, value);
        }
    };
    assert_eq!(allocate(&mut world, 1, family(&FAMILY_V6)), 440);
    assert_eq!(allocate(&mut world, 2, family(&[3, 0, 0, 0])), 440);
    assert_eq!(allocate(&mut world, 3, family(&[1])), 400);
    let mut world = World::with(|s| s.families = Families { v4: false, v6: true });
    assert_eq!(allocate(&mut world, 1, |_| ()), 440);
}

#[test]
fn an_additional_family_gives_both() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let answer = client.allocate_with(&mut world, |b| {
        b.attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY, &FAMILY_V6);
    });
    let relayed: Vec<_> = answer.all_relayed().iter().map(|a| a.ip().to_string()).collect();
    assert_eq!(relayed, [RELAY_V4, RELAY_V6]);
    assert!(!answer.has(AttributeType::ADDRESS_ERROR_CODE));
    assert_eq!(world.allocations(), 1);
    assert_eq!(client.permit(&mut world, &[peer(), address("[2a00::1]:1")]), 0);
}

#[test]
fn the_draft_s_number_of_the_additional_family_is_understood_where_the_right_one_is_absent() {
    let draft = AttributeType::DRAFT_ADDITIONAL_ADDRESS_FAMILY;
    let (mut world, mut client, mut both) = (World::new(), Client::new(1), Client::new(2));
    let answer = client.allocate_with(&mut world, |b| {
        b.attribute(draft, &FAMILY_V6);
    });
    assert_eq!(answer.all_relayed().len(), 2);
    let answer = both.allocate_with(&mut world, |b| {
        b.attribute(draft, &FAMILY_V4).attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY, &FAMILY_V6);
    });
    assert_eq!((answer.code(), answer.all_relayed().len()), (0, 2), "the draft's is not looked at");
}

#[test]
fn a_dual_allocation_survives_the_failure_of_one_family_and_says_so() {
    let dual = |b: &mut Builder<'_>| {
        b.attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY, &FAMILY_V6);
    };
    let mut offered_v4 = World::with(|s| s.families.v6 = false);
    let answer = Client::new(1).allocate_with(&mut offered_v4, dual);
    assert_eq!(answer.all_relayed().len(), 1);
    assert_eq!(answer.message().attribute(AttributeType::ADDRESS_ERROR_CODE), Some(&[2, 0, 4, 40][..]));

    let mut unlucky = World::new();
    unlucky.failing = vec![(Family::V4, BindError::NoPort)];
    let answer = Client::new(1).allocate_with(&mut unlucky, dual);
    assert_eq!(answer.relayed().ip().to_string(), RELAY_V6);
    assert_eq!(answer.message().attribute(AttributeType::ADDRESS_ERROR_CODE), Some(&[1, 0, 5, 8][..]));

    unlucky.failing = vec![(Family::V4, BindError::NoPort), (Family::V6, BindError::NoPort)];
    assert_eq!(Client::new(2).allocate_with(&mut unlucky, dual).code(), 508);
    assert_eq!(unlucky.allocations(), 1);
}

#[test]
fn contradictions_are_400() {
    const TOKEN: (AttributeType, &[u8]) = (AttributeType::RESERVATION_TOKEN, &[1; 8]);
    const EVEN: (AttributeType, &[u8]) = (AttributeType::EVEN_PORT, &[0]);
    const RESERVE: (AttributeType, &[u8]) = (AttributeType::EVEN_PORT, &[0x80]);
    const FAMILY: (AttributeType, &[u8]) = (AttributeType::REQUESTED_ADDRESS_FAMILY, &FAMILY_V4);
    const ADDITIONAL: (AttributeType, &[u8]) = (AttributeType::ADDITIONAL_ADDRESS_FAMILY, &FAMILY_V6);
    let pairs = [
        (TOKEN, EVEN),
        (TOKEN, RESERVE),
        (TOKEN, FAMILY),
        (TOKEN, ADDITIONAL),
        (FAMILY, ADDITIONAL),
        (ADDITIONAL, RESERVE),
    ];
    for (one, other) in pairs {
        let code = allocate(&mut World::new(), 1, |b| {
            b.attribute(one.0, one.1).attribute(other.0, other.1);
        });
        assert_eq!(code, 400, "{} with {}", one.0, other.0);
    }
    let additional_v4 = allocate(&mut World::new(), 1, |b| {
        b.attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY, &FAMILY_V4);
    });
    assert_eq!(additional_v4, 400);
}

#[test]
fn malformed_attributes_are_400() {
    for (kind, value) in [
        (AttributeType::EVEN_PORT, &[0, 0][..]),
        (AttributeType::RESERVATION_TOKEN, &[0; 7]),
        (AttributeType::DONT_FRAGMENT, &[0]),
        (AttributeType::ADDITIONAL_ADDRESS_FAMILY, &[2]),
    ] {
        let code = allocate(&mut World::new(), 1, |b| {
            b.attribute(kind, value);
        });
        assert_eq!(code, 400, "{kind}");
    }
}

#[test]
fn dont_fragment_is_understood() {
    let code = allocate(&mut World::new(), 1, |b| {
        b.attribute(AttributeType::DONT_FRAGMENT, &[]);
    });
    assert_eq!(code, 0);
}

#[test]
fn an_even_port_is_asked_of_the_shell() {
    let mut world = World::new();
    Client::new(1).allocate(&mut world);
    let answer = Client::new(2).allocate_with(&mut world, |b| {
        b.attribute(AttributeType::EVEN_PORT, &[0]);
    });
    assert_eq!(answer.relayed().port() % 2, 0);
    assert_eq!(world.last_request, Some(PortRequest::Even));
    assert!(!answer.has(AttributeType::RESERVATION_TOKEN));
}

fn reserve(world: &mut World, n: u8) -> ([u8; 8], std::net::SocketAddr) {
    let answer = Client::new(n).allocate_with(world, |b| {
        b.attribute(AttributeType::EVEN_PORT, &[0x80]);
    });
    (answer.message().reservation_token().unwrap().expect("RESERVATION-TOKEN"), answer.relayed())
}

fn claim(world: &mut World, client: &mut Client, token: [u8; 8]) -> crate::world::Answer {
    client.allocate_with(world, |b| {
        b.attribute(AttributeType::RESERVATION_TOKEN, &token);
    })
}

#[test]
fn a_reserved_port_goes_to_whoever_of_the_user_brings_the_token_once() {
    let mut world = World::new();
    let (token, even) = reserve(&mut world, 1);
    let mut bob = Client::new(2).user("bob", "builder");
    assert_eq!(claim(&mut world, &mut bob, token).code(), 508, "another user's token");
    let answer = claim(&mut world, &mut Client::new(3), token);
    assert_eq!((answer.code(), answer.relayed().port()), (0, even.port() + 1));
    assert_eq!(claim(&mut world, &mut Client::new(4), token).code(), 508, "already claimed");
    assert_eq!(claim(&mut world, &mut Client::new(5), [0; 8]).code(), 508, "never made");
    world.pass(31);
    assert_eq!(world.events, [], "it was claimed, so it is not released");
}

#[test]
fn a_reserved_port_is_released_after_thirty_seconds() {
    let shared = Shared::new();
    let mut world = World::sharing(&shared, |_| ());
    let (token, even) = reserve(&mut world, 1);
    assert_eq!(shared.allocations(), 2, "the neighbour counts");
    world.pass_asleep(30);
    assert_eq!(claim(&mut world, &mut Client::new(3), token).code(), 508, "expired to the second");
    world.pass(0);
    let neighbour = std::net::SocketAddr::new(even.ip(), even.port() + 1);
    assert!(world.events.contains(&Event::Released(RelayedTransportAddress(neighbour))));
    assert_eq!(shared.allocations(), 1);
}

#[test]
fn another_worker_may_claim_the_reserved_port() {
    let shared = Shared::new();
    let (mut one, mut two) = (World::sharing(&shared, |_| ()), World::sharing(&shared, |_| ()));
    let (token, even) = reserve(&mut one, 1);
    assert_eq!(claim(&mut two, &mut Client::new(2), token).relayed().port(), even.port() + 1);
    assert_eq!(shared.allocations(), 2);
}

#[test]
fn tokens_differ() {
    let mut world = World::new();
    let tokens = [1, 2, 3, 4].map(|n| reserve(&mut world, n).0);
    for (i, token) in tokens.iter().enumerate() {
        assert!(!tokens[..i].contains(token));
    }
}

#[test]
fn a_failed_bind_is_508_to_one_client_and_nothing_else() {
    let shared = Shared::new();
    let mut world = World::sharing(&shared, |_| ());
    for (error, code) in [(BindError::NoPort, 508), (BindError::NoResources, 508), (BindError::NoAddress, 440)] {
        world.failing = vec![(Family::V4, error)];
        assert_eq!(allocate(&mut world, 1, |_| ()), code);
        assert_eq!((world.allocations(), world.server.allocation_count(), shared.allocations()), (0, 0, 0));
        assert_eq!(world.server.poll_timeout(), None);
    }
    world.failing.clear();
    assert_eq!(allocate(&mut world, 1, |_| ()), 0, "the same 5-tuple may try again");
}

#[test]
fn quotas_are_counted_by_user_id_across_credentials_and_workers() {
    let shared = Shared::new();
    let mut worlds = [0, 1].map(|_| World::sharing(&shared, |_| ()));
    for n in 0..10 {
        let mut client = Client::new(n).minted("carol", 1000 + u64::from(n));
        assert_eq!(client.allocate_with(&mut worlds[usize::from(n % 2)], |_| ()).code(), 0);
    }
    let mut eleventh = Client::new(11).minted("carol", 5000);
    assert_eq!(eleventh.allocate_with(&mut worlds[0], |_| ()).code(), 486);
    assert_eq!(Client::new(12).minted("dave", 5000).allocate_with(&mut worlds[0], |_| ()).code(), 0);
    worlds[0].server.end_user(worlds[0].now, "carol");
    assert_eq!(eleventh.allocate_with(&mut worlds[0], |_| ()).code(), 0, "what ends is given back");
}

#[test]
fn a_name_of_nobody_has_no_user_quota() {
    let mut world = World::with(|s| s.quotas.per_user = 1);
    for n in 0..3 {
        assert_eq!(Client::new(n).minted("", 1000).allocate_with(&mut world, |_| ()).code(), 0);
    }
}

#[test]
fn quotas_are_counted_by_source_network() {
    let quotas = Quotas { per_user: 0, per_prefix: 2, total: 0 };
    let mut world = World::with(|s| s.quotas = quotas);
    let mut from = |text: &str| Client::at(address(text), Transport::Udp).allocate_with(&mut world, |_| ()).code();
    assert_eq!(from("192.0.2.1:1"), 0);
    assert_eq!(from("192.0.2.200:1"), 0);
    assert_eq!(from("192.0.2.3:1"), 486);
    assert_eq!(from("192.0.3.1:1"), 0);
    assert_eq!(from("[2a02:1:2:300::1]:1"), 0);
    assert_eq!(from("[2a02:1:2:3ff::1]:1"), 0);
    assert_eq!(from("[2a02:1:2:312::1]:1"), 486);
    assert_eq!(from("[2a02:1:2:400::1]:1"), 0);
}

#[test]
fn the_whole_is_limited_with_508() {
    let quotas = Quotas { per_user: 0, per_prefix: 0, total: 3 };
    let mut world = World::with(|s| s.quotas = quotas);
    for n in 0..3 {
        assert_eq!(allocate(&mut world, n, |_| ()), 0);
    }
    assert_eq!(allocate(&mut world, 9, |_| ()), 508);
}

#[test]
fn ten_thousand_allocations_that_come_and_go_leave_nothing() {
    let shared = Shared::new();
    let mut world = World::sharing(&shared, |_| ());
    let mut client = Client::new(1);
    for round in 0..10_000 {
        world.events.clear();
        let even = if round % 2 == 0 { 0x80 } else { 0 };
        let answer = client.allocate_with(&mut world, |b| {
            b.attribute(AttributeType::EVEN_PORT, &[even]);
        });
        assert_eq!(answer.code(), 0);
        assert_eq!(client.refresh(&mut world, Some(0)).code(), 0);
        if round % 4 == 0 {
            world.pass(31);
            client.nonce = None;
        }
    }
    world.pass(31);
    assert_eq!((shared.allocations(), world.server.allocation_count()), (0, 0));
    assert_eq!(world.server.poll_timeout(), None);
}

#[test]
fn a_draining_server_refuses_new_allocations_with_508_and_keeps_the_old() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    world.reload(|s| s.accept_allocations = false);
    assert_eq!(allocate(&mut world, 2, |_| ()), 508);
    assert_eq!(client.refresh(&mut world, None).code(), 0);
}

#[test]
fn a_client_behind_a_tunnel_is_403() {
    let mut world = World::new();
    for text in ["[2002:808:808::1]:1", "[2001:0:1:2::3]:1"] {
        assert_eq!(Client::at(address(text), Transport::Udp).allocate_with(&mut world, |_| ()).code(), 403);
    }
}

#[test]
fn unauthenticated_allocates_leave_nothing_behind() {
    let mut world = World::with(|s| s.rates = Rates { errors: 0, errors_per_prefix: 0, ..s.rates });
    for n in 0..5000u16 {
        let [high, low] = n.to_be_bytes();
        let mut client = Client::at(std::net::SocketAddr::from(([11, 22, high, low], 7)), Transport::Udp);
        client.greet(&mut world);
    }
    assert_eq!(world.server.allocation_count(), 0);
    assert_eq!(world.server.poll_timeout(), None);
}
