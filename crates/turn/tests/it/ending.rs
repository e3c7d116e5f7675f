//! How allocations end, and what a reload does to the living.

use posthouse_turn::Transport;

use crate::world::{Client, Event, RELAY_V4, RELAY_V6, World, peer};

#[test]
fn an_allocation_ends_with_its_time_and_takes_everything_along() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let id = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    world.events.clear();
    world.pass(600);
    assert!(matches!(world.events[..], [Event::Removed(_), Event::Closed(closed)] if closed == id));
    assert_eq!(world.server.allocation_count(), 0);
    assert_eq!(world.server.poll_timeout(), None);
    let stats = world.server.stats();
    assert_eq!((stats.allocations_created, stats.allocations_ended), (1, 1));
}

#[test]
fn an_allocation_is_over_to_the_second_even_when_nobody_wakes_the_server() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let id = client.allocate(&mut world);
    world.pass_asleep(590);
    client.greet(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    world.pass_asleep(9);
    assert!(client.channel_data(&mut world, 0x4000, b"x").is_some());
    world.pass_asleep(1);
    assert!(client.channel_data(&mut world, 0x4000, b"x").is_none());
    assert!(client.send(&mut world, peer(), b"x").is_none());
    assert!(world.peer_sends(id, peer(), 1).is_none());
    assert_eq!(client.refresh(&mut world, None).code(), 437);
    client.allocate(&mut world);
}

#[test]
fn a_stream_client_that_disconnects_ends_its_allocation() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.at.transport = Transport::Tcp;
    let id = client.allocate(&mut world);
    world.server.handle_disconnect(world.now, client.at);
    world.drain();
    assert_eq!(world.events, [Event::Closed(id)]);
    world.server.handle_disconnect(world.now, client.at);
    world.drain();
    assert_eq!(world.events.len(), 1);
}

#[test]
fn a_client_that_disconnects_while_binding_leaves_nothing() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.at.transport = Transport::Tcp;
    client.greet(&mut world);
    world.hold = true;
    let bytes = client.signed(&mut world, posthouse_stun::Method::ALLOCATE, |b| {
        b.attribute(posthouse_stun::AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    });
    world.packet(client.at, &bytes);
    let bind = world.held[0];
    world.server.handle_disconnect(world.now, client.at);
    world.drain();
    assert_eq!(world.events, [Event::Closed(bind.id)]);
    world.bind(bind);
    assert_eq!((world.answers.len(), world.server.allocation_count()), (0, 0), "a late report is ignored");
}

#[test]
fn a_kick_ends_every_allocation_of_the_user_id() {
    let mut world = World::new();
    let mut clients = [
        Client::new(1).minted("carol", 100),
        Client::new(2).minted("carol", 200),
        Client::new(3).minted("carola", 100),
        Client::new(4),
        Client::new(5).minted("", 100),
    ];
    for client in &mut clients {
        client.allocate(&mut world);
    }
    world.server.end_user(world.now, "carol");
    world.drain();
    assert_eq!((world.events.len(), world.allocations()), (2, 3));
    world.server.end_user(world.now, "");
    world.drain();
    assert_eq!(world.allocations(), 3, "nobody is called nothing");
    world.server.end_user(world.now, "alice");
    world.drain();
    assert_eq!(world.allocations(), 2);
}

#[test]
fn a_vanished_relay_address_ends_what_was_on_it() {
    let mut world = World::new();
    let (mut four, mut six) = (Client::new(1), Client::new(2));
    four.allocate(&mut world);
    six.allocate_with(&mut world, |b| {
        b.attribute(posthouse_stun::AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    world.server.relayed_gone(world.now, RELAY_V6.parse().unwrap());
    world.drain();
    assert_eq!(six.refresh(&mut world, None).code(), 437);
    assert_eq!(four.refresh(&mut world, None).code(), 0);
    world.server.relayed_gone(world.now, RELAY_V4.parse().unwrap());
    world.drain();
    assert_eq!(four.refresh(&mut world, None).code(), 437);
}

#[test]
fn a_reload_that_denies_a_peer_ends_its_permission_and_channel_at_once() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let id = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    assert_eq!(client.permit(&mut world, &["8.8.8.8:1".parse().unwrap()]), 0);
    world.events.clear();
    world.reload(|s| s.peer_policy.deny = vec!["9.0.0.0/8".parse().unwrap()]);
    assert!(matches!(world.events[..], [Event::Removed(_)]));
    assert!(client.channel_data(&mut world, 0x4000, b"x").is_none());
    assert!(client.send(&mut world, peer(), b"x").is_none());
    assert!(world.peer_sends(id, peer(), 1).is_none());
    assert!(client.send(&mut world, "8.8.8.8:1".parse().unwrap(), b"x").is_some());
}

#[test]
fn a_reload_that_changes_nothing_changes_nothing() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let id = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    world.events.clear();
    for _ in 0..20 {
        world.reload(|_| ());
    }
    assert_eq!(world.events, []);
    assert!(client.channel_data(&mut world, 0x4000, b"x").is_some());
    assert!(world.peer_sends(id, peer(), 1).is_some());
    assert_eq!(client.refresh(&mut world, None).code(), 0);
}

#[test]
fn deadlines_are_reported_in_order_and_none_is_left() {
    let mut world = World::new();
    for n in 0..10 {
        Client::new(n).minted("carol", 1000).allocate_with(&mut world, |b| {
            b.number(posthouse_stun::AttributeType::LIFETIME, 3000 - u32::from(n) * 100);
        });
    }
    let mut last = world.now.instant;
    for left in (0..10).rev() {
        let next = world.server.poll_timeout().unwrap();
        assert!(next > last);
        world.pass(next.duration_since(world.now.instant).as_secs());
        assert_eq!(world.allocations(), left);
        last = next;
    }
    assert_eq!(world.server.poll_timeout(), None);
}
