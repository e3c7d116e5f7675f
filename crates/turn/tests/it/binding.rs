//! Binding (RFC 8489 §3, §6.3), and what is never answered.

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Builder, Class, Fingerprint, Message, MessageType, Method, TransactionId};
use posthouse_turn::Transport;

use crate::world::{Client, World, address, build};

fn request(client: &mut Client) -> Vec<u8> {
    client.build(Method::BINDING, None, |_| ())
}

#[test]
fn a_binding_answer_is_32_bytes_and_tells_the_source() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let bytes = request(&mut client);
    assert_eq!(world.packet(client.at, &bytes), None);
    let answer = world.answer().unwrap();
    assert_eq!(answer.to, client.at);
    assert_eq!(answer.bytes.len(), 32);
    assert_eq!(answer.code(), 0);
    assert_eq!(answer.message().transaction_id().0, bytes[8..20]);
    assert_eq!(answer.message().xor_address(AttributeType::XOR_MAPPED_ADDRESS).unwrap(), Some(client.at.client));
}

#[test]
fn a_binding_answer_over_ipv6_is_44_bytes() {
    let mut world = World::new();
    let mut client = Client::at(address("[2a02::1]:5000"), Transport::Udp);
    let bytes = request(&mut client);
    world.packet(client.at, &bytes);
    let answer = world.answer().unwrap();
    assert_eq!(answer.bytes.len(), 44);
    assert_eq!(answer.message().xor_address(AttributeType::XOR_MAPPED_ADDRESS).unwrap(), Some(client.at.client));
}

#[test]
fn a_fingerprint_is_mirrored_and_none_is_not() {
    for (fingerprint, expected) in [(true, Fingerprint::Valid), (false, Fingerprint::Absent)] {
        let (mut world, mut client) = (World::new(), Client::new(1));
        client.fingerprint = fingerprint;
        let bytes = request(&mut client);
        world.packet(client.at, &bytes);
        assert_eq!(world.answer().unwrap().message().fingerprint(), expected);
    }
}

#[test]
fn a_wrong_fingerprint_is_dropped() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.fingerprint = true;
    let mut bytes = request(&mut client);
    *bytes.last_mut().unwrap() ^= 1;
    world.packet(client.at, &bytes);
    assert_eq!(world.answer(), None);
    assert_eq!(world.server.stats().drops.fingerprint, 1);
}

#[test]
fn software_is_absent_unless_configured() {
    for software in [None, Some("Posthouse".to_owned())] {
        let mut world = World::with(|s| s.software.clone_from(&software));
        let mut client = Client::new(1);
        let bytes = request(&mut client);
        world.packet(client.at, &bytes);
        let answer = world.answer().unwrap();
        assert_eq!(answer.message().attribute(AttributeType::SOFTWARE), software.as_deref().map(str::as_bytes));
    }
}

#[test]
fn an_unknown_attribute_that_must_be_understood_is_listed_in_420() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let bytes = client.build(Method::BINDING, None, |b| {
        b.attribute(AttributeType(0x7ffe), b"?").attribute(AttributeType(0xc001), b"!");
        b.attribute(AttributeType::CHANGE_REQUEST, &[0, 0, 0, 6]);
    });
    world.packet(client.at, &bytes);
    let answer = world.answer().unwrap();
    assert_eq!(answer.code(), 420);
    let list = answer.message().attribute(AttributeType::UNKNOWN_ATTRIBUTES).unwrap();
    assert_eq!(list, [0x7f, 0xfe, 0x00, 0x03], "the optional one is not listed");
}

#[test]
fn a_420_never_lists_more_than_sixteen() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let bytes = client.build(Method::BINDING, None, |b| {
        for kind in 0x7000..0x7100 {
            b.attribute(AttributeType(kind), b"");
        }
    });
    world.packet(client.at, &bytes);
    let answer = world.answer().unwrap();
    assert_eq!(answer.message().attribute(AttributeType::UNKNOWN_ATTRIBUTES).unwrap().len(), 32);
}

#[test]
fn a_classic_client_without_magic_cookie_gets_mapped_address() {
    let (mut world, client) = (World::new(), Client::new(1));
    let mut buffer = [0; 64];
    let kind = MessageType::new(Method::BINDING, Class::Request);
    let len = Builder::with_cookie(&mut buffer, kind, 0x0102_0304, TransactionId([9; 12])).finish().unwrap();
    world.packet(client.at, &buffer[..len]);
    let answer = world.answer().unwrap();
    let message = Message::parse_any_cookie(&answer.bytes).unwrap();
    assert_eq!((message.cookie(), message.transaction_id()), (0x0102_0304, TransactionId([9; 12])));
    assert_eq!(message.plain_address(AttributeType::MAPPED_ADDRESS).unwrap(), Some(client.at.client));
    assert!(message.attribute(AttributeType::XOR_MAPPED_ADDRESS).is_none());
}

#[test]
fn a_classic_client_that_wants_an_answer_from_elsewhere_gets_none() {
    let (mut world, client) = (World::new(), Client::new(1));
    for (flags, is_answered) in [(0, true), (2, false), (4, false), (6, false)] {
        let mut buffer = [0; 64];
        let kind = MessageType::new(Method::BINDING, Class::Request);
        let len = Builder::with_cookie(&mut buffer, kind, 0x0102_0304, TransactionId([9; 12]))
            .number(AttributeType::CHANGE_REQUEST, flags)
            .finish()
            .unwrap();
        world.packet(client.at, &buffer[..len]);
        assert_eq!(world.answer().is_some(), is_answered, "flags {flags}");
    }
}

#[test]
fn only_binding_may_lack_the_magic_cookie() {
    let (mut world, client) = (World::new(), Client::new(1));
    let mut buffer = [0; 64];
    let kind = MessageType::new(Method::ALLOCATE, Class::Request);
    let len = Builder::with_cookie(&mut buffer, kind, 0x0102_0304, TransactionId([9; 12])).finish().unwrap();
    world.packet(client.at, &buffer[..len]);
    assert_eq!(world.answer(), None);
}

#[test]
fn classes_and_methods_that_are_not_a_server_s_are_dropped() {
    let (mut world, client) = (World::new(), Client::new(1));
    let requests = [Method::SEND, Method::DATA, Method(0x002), Method(0x0ff), Method(0x07f), Method::CONNECT];
    let mut kinds: Vec<_> = requests.map(|m| MessageType::new(m, Class::Request)).into();
    for method in [Method::BINDING, Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND]
    {
        kinds.extend([Class::Indication, Class::Success, Class::Error].map(|c| MessageType::new(method, c)));
    }
    kinds.push(MessageType::new(Method::DATA, Class::Indication));
    for &kind in &kinds {
        let bytes = build(kind, TransactionId([1; 12]), None, false, |_| ());
        assert_eq!(world.packet(client.at, &bytes), None);
        assert_eq!(world.answer(), None, "{kind:?}");
    }
    assert_eq!(world.server.stats().drops.unexpected, kinds.len() as u64);
}

#[test]
fn bytes_that_are_no_message_are_dropped() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let good = request(&mut client);
    let mut long = good.clone();
    long.push(0);
    let mut odd = good.clone();
    odd[3] = 1;
    let garbage: [&[u8]; 8] = [&[], &[0], &[0; 19], &good[..19], &long, &odd, &[0x80; 40], b"GET / HTTP/1.1\r\n\r\n"];
    for bytes in garbage {
        assert_eq!(world.packet(client.at, bytes), None);
        assert_eq!(world.answer(), None, "{bytes:02x?}");
    }
    assert_eq!(world.server.stats().drops.malformed, 8);
}
