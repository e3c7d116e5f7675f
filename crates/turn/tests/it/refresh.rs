//! Refresh (RFC 8656 §8.2).

use posthouse_stun::attribute::{AttributeType, Family};
use posthouse_stun::{Builder, Method};

use crate::world::{Client, Event, World, address, peer};

#[test]
fn without_an_allocation_it_is_437() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    assert_eq!(client.refresh(&mut world, None).code(), 437);
    assert_eq!(client.refresh(&mut world, Some(0)).code(), 437);
}

#[test]
fn another_user_may_not_refresh_or_end_it() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    let mut other = Client::new(1).user("bob", "builder");
    for lifetime in [None, Some(0), Some(3600)] {
        assert_eq!(other.refresh(&mut world, lifetime).code(), 441);
    }
    let mut same_id = Client::new(1).minted("alice", 1000);
    assert_eq!(same_id.refresh(&mut world, Some(0)).code(), 441, "the same user name, not the same user id");
    assert_eq!(world.allocations(), 1);
}

#[test]
fn it_prolongs_by_the_clamped_lifetime() {
    for (asked, granted) in [(None, 600), (Some(1), 600), (Some(601), 601), (Some(9999), 3600)] {
        let (mut world, mut client) = (World::new(), Client::new(1));
        client.allocate(&mut world);
        world.pass(500);
        let answer = client.refresh(&mut world, asked);
        assert_eq!((answer.code(), answer.lifetime()), (0, granted));
        world.pass(u64::from(granted) - 1);
        assert_eq!(world.allocations(), 1);
        world.pass(1);
        assert_eq!(world.allocations(), 0);
    }
}

#[test]
fn it_may_also_shorten() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    assert_eq!(client.refresh_after(&mut world, 3600), 600);
    world.pass(600);
    assert_eq!(world.allocations(), 0);
}

impl Client {
    fn refresh_after(&mut self, world: &mut World, lifetime: u32) -> u32 {
        let answer = self.allocate_with(world, |b| {
            b.number(AttributeType::LIFETIME, lifetime);
        });
        assert_eq!(answer.lifetime(), lifetime);
        self.refresh(world, Some(600)).lifetime()
    }
}

#[test]
fn lifetime_zero_ends_at_once_and_answers_zero() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let id = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    world.events.clear();
    let answer = client.refresh(&mut world, Some(0));
    assert_eq!((answer.code(), answer.lifetime()), (0, 0));
    assert!(matches!(world.events[..], [Event::Removed(_), Event::Closed(closed)] if closed == id));
    assert_eq!(world.allocations(), 0);
    assert!(client.channel_data(&mut world, 0x4000, b"late").is_none());
    assert!(world.peer_sends(id, peer(), 4).is_none());
    assert_eq!(client.refresh(&mut world, Some(0)).code(), 437, "another request finds nothing (§5)");
    let again = client.allocate(&mut world);
    assert_ne!(again, id, "the place may be the same, the name is not");
}

#[test]
fn a_family_it_does_not_have_is_443() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    let mut with = |value: &[u8]| {
        client.code(&mut world, Method::REFRESH, |b| {
            b.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, value);
        })
    };
    assert_eq!(with(&[2, 0, 0, 0]), 443);
    assert_eq!(with(&[7, 0, 0, 0]), 443);
    assert_eq!(with(&[1, 0]), 400);
    assert_eq!(with(&[1, 0, 0, 0]), 0);
}

#[test]
fn a_malformed_lifetime_is_400() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    let code = client.code(&mut world, Method::REFRESH, |b| {
        b.attribute(AttributeType::LIFETIME, &[0]);
    });
    assert_eq!((code, world.allocations()), (400, 1));
}

#[test]
fn one_family_of_a_dual_allocation_may_end_alone() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate_with(&mut world, |b| {
        b.attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    let v6 = address("[2a00::5]:5");
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    assert_eq!(client.bind(&mut world, 0x4001, v6), 0);
    world.events.clear();
    let end_v6 = |b: &mut Builder<'_>| {
        b.number(AttributeType::LIFETIME, 0).attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    };
    assert_eq!(client.code(&mut world, Method::REFRESH, end_v6), 0);
    assert!(matches!(world.events[..], [Event::Removed(_), Event::ClosedFamily(_, Family::V6)]));
    assert!(client.channel_data(&mut world, 0x4000, b"goes on").is_some());
    assert!(client.channel_data(&mut world, 0x4001, b"ended").is_none());
    assert!(client.send(&mut world, v6, b"ended").is_none());
    assert_eq!(client.code(&mut world, Method::REFRESH, end_v6), 443);
    let end_v4 = |b: &mut Builder<'_>| {
        b.number(AttributeType::LIFETIME, 0).attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0]);
    };
    assert_eq!(client.code(&mut world, Method::REFRESH, end_v4), 0);
    assert_eq!(world.allocations(), 0, "the last family takes the allocation with it");
}

#[test]
fn a_retransmitted_end_is_answered_alike_for_forty_seconds_and_ends_nothing_newer() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    let end = client.signed(&mut world, Method::REFRESH, |b| {
        b.number(AttributeType::LIFETIME, 0);
    });
    world.packet(client.at, &end);
    let first = world.answer().expect("an answer").bytes;
    world.packet(client.at, &end);
    assert_eq!(world.answer().expect("an answer").bytes, first);
    client.allocate(&mut world);
    world.packet(client.at, &end);
    assert_eq!(world.answer().expect("an answer").bytes, first);
    assert_eq!(world.allocations(), 1, "what came after lives");
    let mut elsewhere = Client::new(2);
    elsewhere.greet(&mut world);
    let other = elsewhere.refresh(&mut world, Some(0));
    assert_eq!(other.code(), 437, "from another place it is another request");
    assert_eq!(client.refresh(&mut world, Some(0)).code(), 0);
    world.pass(40);
    world.packet(client.at, &end);
    assert_eq!(world.answer().expect("an answer").code(), 437);
}

#[test]
fn a_retransmitted_end_of_one_family_is_answered_alike_and_leaves_the_other() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate_with(&mut world, |b| {
        b.attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    let end = client.signed(&mut world, Method::REFRESH, |b| {
        b.number(AttributeType::LIFETIME, 0).attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    for _ in 0..3 {
        world.packet(client.at, &end);
        assert_eq!(world.answer().expect("an answer").code(), 0);
    }
    assert_eq!(world.allocations(), 1);
}

#[test]
fn ends_beyond_those_remembered_are_answered_437() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    let mut ends = Vec::new();
    for _ in 0..257 {
        client.allocate(&mut world);
        ends.push(client.signed(&mut world, Method::REFRESH, |b| {
            b.number(AttributeType::LIFETIME, 0);
        }));
        world.packet(client.at, ends.last().expect("one"));
        assert_eq!(world.answer().expect("an answer").code(), 0);
    }
    for (end, code) in [(&ends[0], 437), (&ends[1], 0), (&ends[256], 0)] {
        world.packet(client.at, end);
        assert_eq!(world.answer().expect("an answer").code(), code);
    }
}
