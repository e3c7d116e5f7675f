//! ChannelBind (RFC 8656 §12.2).

use std::net::SocketAddr;

use posthouse_stun::Method;
use posthouse_stun::attribute::AttributeType;

use crate::world::{Client, Event, RELAY_V4, World, address, channel, channel_value, peer, peer_v6};

fn ready() -> (World, Client) {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    world.events.clear();
    (world, client)
}

fn other() -> SocketAddr {
    address("9.9.9.10:4000")
}

#[test]
fn without_an_allocation_it_is_437_and_for_another_user_441() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 437);
    client.allocate(&mut world);
    assert_eq!(Client::new(1).user("bob", "builder").bind(&mut world, 0x4000, peer()), 441);
    assert!(client.channel_data(&mut world, 0x4000, b"no").is_none());
}

#[test]
fn number_and_peer_must_be_there_and_well_formed() {
    let (mut world, mut client) = ready();
    let mut with = |number: Option<&[u8]>, peer: Option<&[u8]>| {
        client.code(&mut world, Method::CHANNEL_BIND, |b| {
            if let Some(value) = number {
                b.attribute(AttributeType::CHANNEL_NUMBER, value);
            }
            if let Some(value) = peer {
                b.attribute(AttributeType::XOR_PEER_ADDRESS, value);
            }
        })
    };
    let (number, peer): (&[u8], &[u8]) = (&[0x40, 0, 0, 0], &[0, 1, 0x33, 0x33, 9, 9, 9, 9]);
    assert_eq!(with(None, Some(peer)), 400);
    assert_eq!(with(Some(number), None), 400);
    assert_eq!(with(Some(&[0x40, 0]), Some(peer)), 400);
    assert_eq!(with(Some(number), Some(&[0, 1, 0, 1, 9])), 400);
    assert_eq!(with(Some(number), Some(&[0, 3, 0x33, 0x33, 9, 9, 9, 9])), 400);
}

#[test]
fn numbers_from_0x4000_to_0x4fff_are_channels_and_no_others() {
    let (mut world, mut client) = ready();
    for number in [0, 0x3fff, 0x5000, 0x7fff, 0xffff] {
        assert_eq!(client.bind(&mut world, number, peer()), 400, "{number:#06x}");
    }
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    assert_eq!(client.bind(&mut world, 0x4fff, other()), 0);
}

#[test]
fn a_port_of_zero_is_400() {
    let (mut world, mut client) = ready();
    assert_eq!(client.bind(&mut world, 0x4000, address("9.9.9.9:0")), 400);
}

#[test]
fn a_denied_peer_is_403_and_a_foreign_family_443() {
    let (mut world, mut client) = ready();
    assert_eq!(client.bind(&mut world, 0x4000, address("127.0.0.1:80")), 403);
    assert_eq!(client.bind(&mut world, 0x4000, peer_v6()), 443);
}

#[test]
fn on_this_machine_only_relay_ports_may_be_bound() {
    let (mut world, mut client) = ready();
    let own = |port| SocketAddr::new(RELAY_V4.parse().unwrap(), port);
    for port in [22, 80, 3478, 49151] {
        assert_eq!(client.bind(&mut world, 0x4000, own(port)), 403, "{port}");
    }
    assert_eq!(client.bind(&mut world, 0x4000, own(49152)), 0);
    assert_eq!(client.bind(&mut world, 0x4001, own(65535)), 0);
}

#[test]
fn a_number_has_one_peer_and_a_peer_one_number() {
    let (mut world, mut client) = ready();
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0, "the same again is a refresh");
    assert_eq!(client.bind(&mut world, 0x4000, other()), 400);
    assert_eq!(client.bind(&mut world, 0x4001, peer()), 400);
    assert_eq!(client.bind(&mut world, 0x4001, address("9.9.9.9:4001")), 0, "another port is another peer");
    assert_eq!(client.bind(&mut world, 0x4000, address("9.9.9.9:4001")), 400, "crosswise");
}

#[test]
fn two_allocations_have_their_own_channels() {
    let (mut world, mut client) = ready();
    let mut second = Client::new(2);
    second.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    assert_eq!(second.bind(&mut world, 0x4000, other()), 0);
    assert_eq!(client.channel_data(&mut world, 0x4000, b"x").unwrap().to.0, peer());
    assert_eq!(second.channel_data(&mut world, 0x4000, b"x").unwrap().to.0, other());
}

#[test]
fn a_binding_lasts_ten_minutes_and_its_permission_five() {
    let (mut world, mut client) = ready();
    client.refresh(&mut world, Some(3600));
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    world.pass(299);
    assert!(client.channel_data(&mut world, 0x4000, b"x").is_some());
    world.pass(1);
    assert!(client.channel_data(&mut world, 0x4000, b"x").is_none(), "the permission is over");
    assert_eq!(client.permit(&mut world, &[peer()]), 0);
    world.pass_asleep(299);
    assert!(client.channel_data(&mut world, 0x4000, b"x").is_some());
    world.pass_asleep(1);
    client.greet(&mut world);
    assert_eq!(client.permit(&mut world, &[peer()]), 0);
    assert!(client.channel_data(&mut world, 0x4000, b"x").is_none(), "now the binding is over");
    assert_eq!(world.server.stats().drops.no_channel, 1);
}

#[test]
fn when_a_binding_has_ended_its_number_and_its_peer_are_free() {
    let (mut world, mut client) = ready();
    client.refresh(&mut world, Some(3600));
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    world.pass(599);
    assert_eq!(client.bind(&mut world, 0x4000, other()), 400, "the number");
    assert_eq!(client.bind(&mut world, 0x4001, peer()), 400, "the peer");
    world.pass(1);
    client.greet(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, other()), 0);
    assert_eq!(client.bind(&mut world, 0x4001, peer()), 0);
    assert_eq!(client.channel_data(&mut world, 0x4000, b"x").unwrap().to.0, other());
    assert_eq!(client.channel_data(&mut world, 0x4001, b"x").unwrap().to.0, peer());
}

#[test]
fn channels_that_have_ended_take_no_room_and_their_end_is_told_before_what_comes_after() {
    let mut world = World::with(|s| s.max_channels = 1);
    let mut client = Client::new(1);
    client.allocate(&mut world);
    client.refresh(&mut world, Some(3600));
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    world.events.clear();
    world.pass_asleep(600);
    client.greet(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, other()), 0, "though nobody woke the server");
    let [Event::Removed(old), Event::Installed(new)] = world.events[..] else { panic!("{:?}", world.events) };
    assert_eq!((old.peer.0, new.peer.0), (peer(), other()));
}

#[test]
fn the_shell_hears_of_every_binding_and_of_its_end() {
    let (mut world, mut client) = ready();
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    let [Event::Installed(binding)] = world.events[..] else { panic!("{:?}", world.events) };
    assert_eq!((binding.client, binding.channel, binding.peer.0), (client.at, channel(0x4000), peer()));
    assert_eq!(world.server.relayed(binding.relayed), Some(binding.id));
    assert_eq!(binding.expires, world.now.instant + std::time::Duration::from_secs(600));
    client.refresh(&mut world, Some(3600));
    world.events.clear();
    world.pass(599);
    assert_eq!(world.events, []);
    world.pass(1);
    assert_eq!(world.events, [Event::Removed(binding)]);
    world.pass(2000);
    assert_eq!(world.events, [Event::Removed(binding)], "once");
}

#[test]
fn more_channels_than_allowed_are_508() {
    let mut world = World::with(|s| s.max_channels = 2);
    let mut client = Client::new(1);
    client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, address("9.9.9.1:1")), 0);
    assert_eq!(client.bind(&mut world, 0x4001, address("9.9.9.2:1")), 0);
    assert_eq!(client.bind(&mut world, 0x4002, address("9.9.9.3:1")), 508);
    assert_eq!(client.bind(&mut world, 0x4001, address("9.9.9.2:1")), 0);
    assert!(client.send(&mut world, address("9.9.9.3:1"), b"x").is_none(), "a refused binding permits nothing");
}

#[test]
fn a_refused_binding_installs_no_permission() {
    let (mut world, mut client) = ready();
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    assert_eq!(client.bind(&mut world, 0x4000, other()), 400);
    assert!(client.send(&mut world, other(), b"x").is_none());
}

#[test]
fn the_reserved_half_of_the_number_is_ignored() {
    let (mut world, mut client) = ready();
    let mut value = channel_value(0x4000);
    value[2..].copy_from_slice(&[0xff, 0xff]);
    let code = client.code(&mut world, Method::CHANNEL_BIND, |b| {
        b.attribute(AttributeType::CHANNEL_NUMBER, &value).xor_address(AttributeType::XOR_PEER_ADDRESS, peer());
    });
    assert_eq!(code, 0);
}
