//! Packets both ways (RFC 8656 §11, §12.6, §12.7).

use std::net::SocketAddr;

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Class, Fingerprint, Message, MessageType, Method};
use posthouse_turn::{AllocationId, Route, Transport, Wrap, WrapHeader};

use crate::world::{Client, RELAY_V4, World, address, channel_data, peer, peer_v6};

fn ready() -> (World, Client, AllocationId) {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let id = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    (world, client, id)
}

/// The bytes that go to the client.
fn whole(wrap: &Wrap, payload: &[u8]) -> Vec<u8> {
    let mut bytes = wrap.header.as_bytes().to_vec();
    bytes.extend_from_slice(payload);
    bytes.extend(std::iter::repeat_n(0, wrap.padding.into()));
    bytes
}

#[test]
fn channel_data_goes_to_the_bound_peer() {
    let (mut world, mut client, id) = ready();
    for payload in [&b""[..], b"x", b"four", &[7; 1200], &[7; 65_000]] {
        let forward = client.channel_data(&mut world, 0x4000, payload).unwrap();
        assert_eq!((forward.from, forward.to.0, forward.route), (id, peer(), Route::Peer));
        assert!(!forward.dont_fragment);
    }
}

#[test]
fn padding_behind_channel_data_is_not_forwarded() {
    let (mut world, client, _) = ready();
    let mut bytes = channel_data(0x4000, b"abcde");
    bytes.extend([0; 3]);
    let forward = world.packet(client.at, &bytes).unwrap();
    assert_eq!(&bytes[forward.payload], b"abcde");
}

#[test]
fn channel_data_that_lies_about_its_length_or_number_is_dropped() {
    let (mut world, mut client, _) = ready();
    let mut bytes = channel_data(0x4000, b"abcd");
    bytes[3] = 5;
    assert!(world.packet(client.at, &bytes).is_none());
    assert!(world.packet(client.at, &bytes[..3]).is_none());
    assert!(client.channel_data(&mut world, 0x4001, b"x").is_none());
    assert!(Client::new(2).channel_data(&mut world, 0x4000, b"x").is_none());
    let drops = world.server.stats().drops;
    assert_eq!((drops.malformed, drops.no_channel, drops.no_allocation), (2, 1, 1));
}

#[test]
fn a_send_indication_goes_where_it_says_if_permitted() {
    let (mut world, mut client, id) = ready();
    let forward = client.send(&mut world, address("9.9.9.9:7"), b"hello").unwrap();
    assert_eq!((forward.from, forward.to.0, forward.route), (id, address("9.9.9.9:7"), Route::Peer));
    assert!(client.send(&mut world, address("9.9.9.9:7"), b"").is_some(), "empty data is data");
    assert!(client.send(&mut world, address("8.8.8.8:7"), b"hello").is_none());
    assert!(client.send(&mut world, address("9.9.9.9:0"), b"hello").is_none(), "port 0");
    assert!(client.send(&mut world, address("[::ffff:9.9.9.9]:7"), b"hello").is_none());
    assert!(Client::new(2).send(&mut world, peer(), b"hello").is_none());
    assert!(client.send(&mut world, peer(), b"after all that").is_some());
}

#[test]
fn a_send_indication_may_ask_not_to_be_fragmented() {
    let (mut world, mut client, _) = ready();
    let bytes = client.send_indication(|b| {
        b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer())
            .attribute(AttributeType::DONT_FRAGMENT, &[])
            .attribute(AttributeType::DATA, b"x");
    });
    assert!(world.packet(client.at, &bytes).unwrap().dont_fragment);
}

#[test]
fn an_incomplete_or_misunderstood_send_indication_is_dropped() {
    let (mut world, mut client, _) = ready();
    let no_data = client.send_indication(|b| {
        b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer());
    });
    let no_peer = client.send_indication(|b| {
        b.attribute(AttributeType::DATA, b"x");
    });
    let bad_peer = client.send_indication(|b| {
        b.attribute(AttributeType::XOR_PEER_ADDRESS, &[0, 1, 2]).attribute(AttributeType::DATA, b"x");
    });
    let unknown = client.send_indication(|b| {
        b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer()).attribute(AttributeType::DATA, b"x");
        b.attribute(AttributeType(0x7fff), b"");
    });
    for bytes in [no_data, no_peer, bad_peer, unknown] {
        assert!(world.packet(client.at, &bytes).is_none());
        assert_eq!(world.answer(), None);
    }
    assert_eq!(world.server.stats().drops.indication, 4);
    client.fingerprint = true;
    let mut bytes = client.send_indication(|b| {
        b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer()).attribute(AttributeType::DATA, b"x");
    });
    assert!(world.packet(client.at, &bytes).is_some());
    *bytes.last_mut().unwrap() ^= 1;
    assert!(world.packet(client.at, &bytes).is_none());
}

#[test]
fn a_peer_with_a_channel_arrives_as_channel_data() {
    let (mut world, client, id) = ready();
    for payload in [&b""[..], b"x", b"four", &[7; 1200]] {
        let wrap = world.peer_sends(id, peer(), payload.len()).unwrap();
        assert_eq!(wrap.to, client.at);
        assert_eq!(whole(&wrap, payload), channel_data(0x4000, payload), "never padded over UDP");
    }
}

#[test]
fn over_a_stream_channel_data_is_padded_to_four_bytes() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let (mut world, mut client) = (World::new(), Client::new(1));
        client.at.transport = transport;
        let id = client.allocate(&mut world);
        assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
        for (len, padding) in [(0, 0), (1, 3), (2, 2), (3, 1), (4, 0)] {
            assert_eq!(world.peer_sends(id, peer(), len).unwrap().padding, padding);
        }
    }
}

#[test]
fn a_peer_without_a_channel_arrives_as_a_data_indication() {
    let (mut world, mut client, id) = ready();
    let from = address("9.9.9.9:77");
    let mut transactions = Vec::new();
    for payload in [&b""[..], b"x", b"four", &[7; 1200]] {
        let wrap = world.peer_sends(id, from, payload.len()).unwrap();
        assert_eq!(wrap.to, client.at);
        let bytes = whole(&wrap, payload);
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.message_type(), MessageType::new(Method::DATA, Class::Indication));
        assert_eq!(message.xor_peer_address().unwrap(), Some(from));
        assert_eq!(message.data(), Some(payload));
        assert_eq!(message.fingerprint(), Fingerprint::Absent);
        assert!(!transactions.contains(&message.transaction_id()));
        transactions.push(message.transaction_id());
    }
    assert_eq!(client.bind(&mut world, 0x4001, from), 0);
    assert_eq!(world.peer_sends(id, from, 4).unwrap().header.as_bytes().len(), 4, "from now on by channel");
}

#[test]
fn a_data_indication_of_ipv6_fills_the_head_room_exactly() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate_with(&mut world, |b| {
        b.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    let id = world.server.allocations(world.now).next().unwrap().id;
    assert_eq!(client.permit(&mut world, &[peer_v6()]), 0);
    let wrap = world.peer_sends(id, peer_v6(), 5).unwrap();
    assert_eq!(wrap.header.as_bytes().len(), WrapHeader::MAX);
    let bytes = whole(&wrap, b"hello");
    assert_eq!(Message::parse(&bytes).unwrap().xor_peer_address().unwrap(), Some(peer_v6()));
    assert!(client.send(&mut world, peer_v6(), b"x").is_some());
}

#[test]
fn a_peer_without_permission_is_not_heard() {
    let (mut world, _, id) = ready();
    assert!(world.peer_sends(id, address("8.8.8.8:4000"), 4).is_none());
    assert_eq!(world.server.stats().drops.no_permission, 1);
}

#[test]
fn what_no_message_can_carry_is_dropped() {
    let (mut world, _, id) = ready();
    assert!(world.peer_sends(id, peer(), 65_535).is_some(), "ChannelData can");
    assert!(world.peer_sends(id, peer(), 65_536).is_none());
    assert!(world.peer_sends(id, address("9.9.9.9:1"), 65_507).is_some(), "the largest datagram there is");
    assert!(world.peer_sends(id, address("9.9.9.9:1"), 65_535).is_none());
    assert_eq!(world.server.stats().drops.too_long, 2);
}

#[test]
fn packets_and_bytes_are_counted_for_the_server_and_the_allocation() {
    let (mut world, mut client, id) = ready();
    client.channel_data(&mut world, 0x4000, &[0; 100]);
    client.send(&mut world, peer(), &[0; 10]);
    world.peer_sends(id, peer(), 1000);
    let view = world.server.allocations(world.now).next().unwrap();
    for (forwarded, wrapped) in [(view.forwarded, view.wrapped), {
        let stats = world.server.stats();
        (stats.forwarded, stats.wrapped)
    }] {
        assert_eq!((forwarded.packets, forwarded.bytes), (2, 110));
        assert_eq!((wrapped.packets, wrapped.bytes), (1, 1000));
    }
    assert_eq!((view.user, view.permissions, view.channels), ("alice", 1, 1));
}

/// Two clients of this server, each with a relayed address of its own.
fn two_relays() -> (World, [Client; 2], [SocketAddr; 2], [AllocationId; 2]) {
    let mut world = World::new();
    let mut clients = [Client::new(1), Client::new(2)];
    let relayed = [0, 1].map(|i: usize| clients[i].allocate_with(&mut world, |_| ()).relayed());
    let ids = relayed.map(|address| world.server.relayed(posthouse_turn::RelayedTransportAddress(address)).unwrap());
    (world, clients, relayed, ids)
}

#[test]
fn relay_to_relay_is_delivered_in_process_with_both_permissions() {
    let (mut world, [mut one, mut two], relayed, ids) = two_relays();
    assert_eq!(one.bind(&mut world, 0x4000, relayed[1]), 0);
    let forward = one.channel_data(&mut world, 0x4000, b"hello").unwrap();
    assert_eq!((forward.from, forward.to.0, forward.route), (ids[0], relayed[1], Route::Relay));
    let receiver = world.server.relayed(posthouse_turn::RelayedTransportAddress(forward.to.0)).unwrap();
    let family = posthouse_stun::attribute::Family::V4;
    let sender = world.server.relayed_address(forward.from, family).unwrap();
    assert_eq!((receiver, sender.0), (ids[1], relayed[0]));
    assert!(world.peer_sends(receiver, sender.0, 5).is_none(), "the receiver has not permitted the sender");
    assert_eq!(two.permit(&mut world, &[relayed[0]]), 0);
    let wrap = world.peer_sends(receiver, sender.0, 5).unwrap();
    assert_eq!(wrap.to, two.at);
    let bytes = whole(&wrap, b"hello");
    assert_eq!(Message::parse(&bytes).unwrap().xor_peer_address().unwrap(), Some(relayed[0]));
}

#[test]
fn a_send_to_this_machine_reaches_relay_ports_and_nothing_else() {
    let (mut world, [mut one, _], relayed, _) = two_relays();
    let own = |port| SocketAddr::new(RELAY_V4.parse().unwrap(), port);
    assert_eq!(one.permit(&mut world, &[own(0)]), 0);
    assert_eq!(one.send(&mut world, relayed[1], b"x").unwrap().route, Route::Relay);
    for port in [0, 22, 80, 443, 3478, 5349, 9641, 49151] {
        assert!(one.send(&mut world, own(port), b"x").is_none(), "{port}");
    }
    assert_eq!(world.server.stats().drops.denied_port, 8);
}

#[test]
fn nobody_is_at_a_relay_port_that_no_allocation_has() {
    let (world, ..) = two_relays();
    let nobody = posthouse_turn::RelayedTransportAddress(SocketAddr::new(RELAY_V4.parse().unwrap(), 60_000));
    assert_eq!(world.server.relayed(nobody), None);
}
