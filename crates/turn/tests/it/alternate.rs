//! Another server to ask instead (RFC 8489 §10, §14.15, §14.16).

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Integrity, Method, PasswordAlgorithm};
use posthouse_turn::{Alternate, Settings, Transport};

use crate::world::{Answer, Client, World, address, peer};

const V4: &str = "198.51.100.77:3478";
const V6: &str = "[2001:db8::77]:3478";

fn alternate() -> Alternate {
    Alternate { v4: V4.parse().ok(), v6: V6.parse().ok(), domain: Some("other.example.org".into()) }
}

fn with(alternate: Alternate) -> impl FnOnce(&mut Settings) {
    |settings| settings.alternate = Some(alternate)
}

/// Every ALTERNATE-SERVER as its raw value: family, port, address.
fn servers(answer: &Answer) -> Vec<Vec<u8>> {
    let all = answer.message().attributes().filter(|a| a.kind == AttributeType::ALTERNATE_SERVER);
    all.map(|a| a.value.to_vec()).collect()
}

#[test]
fn an_allocate_is_answered_300_with_the_server_of_the_client_s_family_first() {
    let mut world = World::with(with(alternate()));
    let answer = Client::new(1).allocate_with(&mut world, |_| ());
    assert_eq!(answer.code(), 300);
    assert_eq!(answer.message().plain_address(AttributeType::ALTERNATE_SERVER).unwrap(), Some(address(V4)));
    assert_eq!(servers(&answer).iter().map(|s| s[1]).collect::<Vec<_>>(), [1, 2]);
    let mut v6 = Client::at(address("[2a02::1]:5000"), Transport::Udp);
    let answer = v6.allocate_with(&mut world, |_| ());
    assert_eq!(answer.message().plain_address(AttributeType::ALTERNATE_SERVER).unwrap(), Some(address(V6)));
    assert_eq!(servers(&answer).iter().map(|s| s[1]).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((world.binds, world.allocations()), (0, 0));
    assert_eq!(world.server.stats().refusals.try_alternate, 2);
}

#[test]
fn it_is_signed_and_a_stranger_is_asked_for_his_credentials_first() {
    for algorithm in [None, Some(PasswordAlgorithm::Sha256)] {
        let mut world = World::with(with(alternate()));
        let mut client = Client::new(1);
        client.algorithm = algorithm;
        // `greet` expects the 401.
        client.greet(&mut world);
        let answer = client.allocate_with(&mut world, |_| ());
        assert_eq!(answer.code(), 300);
        let integrity = if algorithm.is_some() { Integrity::Sha256 } else { Integrity::Sha1 };
        assert!(answer.message().verify_integrity(integrity, client.proof().key.as_bytes()));
        let wrong = client.user("alice", "not her password").allocate_with(&mut world, |_| ());
        assert_eq!((wrong.code(), servers(&wrong).len()), (401, 0));
    }
}

#[test]
fn only_over_tls_is_the_domain_told() {
    for (transport, told) in [(Transport::Udp, false), (Transport::Tcp, false), (Transport::Tls, true)] {
        let mut world = World::with(with(alternate()));
        let mut client = Client::at(address("203.0.113.1:5000"), transport);
        let answer = client.allocate_with(&mut world, |_| ());
        let domain = answer.message().attribute(AttributeType::ALTERNATE_DOMAIN);
        assert_eq!(domain, told.then_some(&b"other.example.org"[..]));
    }
    let mut world = World::with(with(Alternate { domain: None, ..alternate() }));
    let answer = Client::at(address("203.0.113.1:5000"), Transport::Tls).allocate_with(&mut world, |_| ());
    assert!(answer.code() == 300 && !answer.has(AttributeType::ALTERNATE_DOMAIN));
}

#[test]
fn a_family_without_an_alternate_is_served_here() {
    let mut world = World::with(with(Alternate { v4: None, ..alternate() }));
    Client::new(1).allocate(&mut world);
    let mut v6 = Client::at(address("[2a02::1]:5000"), Transport::Udp);
    assert_eq!(v6.allocate_with(&mut world, |_| ()).code(), 300);
}

#[test]
fn what_cannot_be_had_here_may_be_had_there() {
    let mut world = World::with(|s| {
        s.alternate = Some(alternate());
        s.accept_allocations = false;
        s.families.v6 = false;
    });
    let answer = Client::new(1).allocate_with(&mut world, |b| {
        b.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    assert_eq!(answer.code(), 300);
    let malformed = Client::new(2).request(&mut world, Method::ALLOCATE, |_| ());
    assert_eq!(malformed.code(), 400, "what is wrong everywhere is refused here");
}

#[test]
fn what_lives_here_lives_on_to_its_end() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let reserving = client.allocate_with(&mut world, |b| {
        b.attribute(AttributeType::EVEN_PORT, &[0x80]);
    });
    let token = reserving.message().reservation_token().unwrap().unwrap();
    world.reload(with(alternate()));
    assert_eq!(client.permit(&mut world, &[peer()]), 0);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    assert_eq!(client.refresh(&mut world, Some(600)).code(), 0);
    assert!(client.channel_data(&mut world, 0x4000, b"hello").is_some());
    let claimed = Client::new(2).allocate_with(&mut world, |b| {
        b.attribute(AttributeType::RESERVATION_TOKEN, &token);
    });
    assert_eq!(claimed.code(), 0, "the reserved port is here");
    assert_eq!(client.refresh(&mut world, Some(0)).code(), 0);
    assert_eq!(client.allocate_with(&mut world, |_| ()).code(), 300);
    let binding = client.build(Method::BINDING, None, |_| ());
    world.packet(client.at, &binding);
    assert_eq!(world.answer().unwrap().code(), 0, "Binding is answered as ever");
}

#[test]
fn a_retransmission_of_what_was_granted_is_answered_as_before() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let bytes = client.signed(&mut world, Method::ALLOCATE, |b| {
        b.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    });
    world.packet(client.at, &bytes);
    let first = world.answer().unwrap();
    world.reload(with(alternate()));
    world.packet(client.at, &bytes);
    assert_eq!(world.answer().unwrap(), first);
}
