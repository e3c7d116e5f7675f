//! Answers to sources that may be forged are limited; nothing else is.

use std::time::Duration;

use posthouse_stun::Method;
use posthouse_turn::{Rates, Shared, Transport};

use crate::world::{Client, World, address};

/// How many of `tries` requests of one kind are answered.
fn answered(world: &mut World, client: &mut Client, method: Method, tries: u32) -> u32 {
    (0..tries).map(|_| u32::from(is_answered(world, client, method))).sum()
}

fn is_answered(world: &mut World, client: &mut Client, method: Method) -> bool {
    let bytes = client.build(method, None, |_| ());
    world.packet(client.at, &bytes);
    world.answer().is_some()
}

fn at(text: &str) -> Client {
    Client::at(address(text), Transport::Udp)
}

#[test]
fn an_address_gets_a_burst_of_20_errors_and_then_10_a_second() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    assert_eq!(answered(&mut world, &mut client, Method::ALLOCATE, 100), 20);
    client.at.client.set_port(6000);
    assert_eq!(answered(&mut world, &mut client, Method::REFRESH, 100), 0, "another port is the same address");
    world.pass_asleep(1);
    assert_eq!(answered(&mut world, &mut client, Method::ALLOCATE, 100), 10);
    assert_eq!(world.server.stats().drops.limited, 270);
    assert_eq!(world.server.stats().refusals.unauthenticated, 300, "what is not sent is counted all the same");
}

#[test]
fn an_ipv6_source_is_its_64_bit_network() {
    let mut world = World::new();
    assert_eq!(answered(&mut world, &mut at("[2a02::1]:1"), Method::ALLOCATE, 100), 20);
    assert_eq!(answered(&mut world, &mut at("[2a02::ffff:1]:1"), Method::ALLOCATE, 100), 0);
    assert_eq!(answered(&mut world, &mut at("[2a02:0:0:1::1]:1"), Method::ALLOCATE, 100), 20);
}

#[test]
fn a_network_gets_100_errors_and_then_50_a_second() {
    let mut world = World::new();
    let all = |world: &mut World| {
        (0..=255u8).map(|n| answered(world, &mut at(&format!("11.22.33.{n}:1")), Method::ALLOCATE, 1)).sum::<u32>()
    };
    assert_eq!(all(&mut world), 100);
    world.pass_asleep(1);
    assert_eq!(all(&mut world), 50);
    assert_eq!(answered(&mut world, &mut at("11.22.34.1:1"), Method::ALLOCATE, 1), 1);
}

#[test]
fn errors_are_limited_in_all() {
    let rates = Rates { errors_total: 100, ..Rates::default() };
    let mut world = World::with(|s| s.rates = rates);
    let total: u32 = (0..=255u8)
        .flat_map(|a| (0..4u8).map(move |b| format!("11.{a}.{b}.1:1")))
        .map(|text| answered(&mut world, &mut at(&text), Method::ALLOCATE, 1))
        .sum();
    assert_eq!(total, 200);
}

#[test]
fn a_flood_of_forged_allocates_from_one_network_is_mostly_silence() {
    let mut world = World::new();
    let total: u32 = (0..2000u16)
        .map(|n| answered(&mut world, &mut at(&format!("127.0.{}.{}:1", n / 250, n % 250)), Method::ALLOCATE, 1))
        .sum();
    assert!(total < 1000, "{total}");
}

#[test]
fn bindings_have_400_and_then_200_a_second() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    assert_eq!(answered(&mut world, &mut client, Method::BINDING, 1000), 400);
    world.pass_asleep(1);
    assert_eq!(answered(&mut world, &mut client, Method::BINDING, 1000), 200);
    assert_eq!(answered(&mut world, &mut client, Method::ALLOCATE, 100), 20, "another budget");
}

#[test]
fn a_source_that_showed_a_nonce_is_answered_a_thousand_times_a_second_for_ten_minutes() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.greet(&mut world);
    assert_eq!(client.refresh(&mut world, None).code(), 437);
    for _ in 0..5 {
        assert_eq!(answered(&mut world, &mut client, Method::ALLOCATE, 3000), 400, "at once");
        world.now = world.now.after(Duration::from_millis(400));
    }
    world.pass_asleep(597);
    assert_eq!(answered(&mut world, &mut client, Method::ALLOCATE, 3000), 400);
    world.pass_asleep(1);
    assert!(answered(&mut world, &mut client, Method::ALLOCATE, 3000) <= 20);
}

#[test]
fn a_nonce_of_somebody_else_exempts_nobody() {
    let (mut world, mut owner, mut thief) = (World::new(), Client::new(1), at("11.22.33.44:1"));
    owner.greet(&mut world);
    thief.nonce = owner.nonce.clone();
    assert_eq!(thief.refresh(&mut world, None).code(), 438);
    assert!(answered(&mut world, &mut thief, Method::ALLOCATE, 100) <= 20);
}

#[test]
fn signed_answers_and_streams_are_not_limited() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    for _ in 0..5000 {
        assert_eq!(client.refresh(&mut world, None).code(), 437);
    }
    let mut stream = Client::at(address("11.22.33.44:1"), Transport::Tcp);
    assert_eq!(answered(&mut world, &mut stream, Method::ALLOCATE, 1000), 1000);
    assert_eq!(answered(&mut world, &mut stream, Method::BINDING, 1000), 1000);
}

#[test]
fn a_rate_of_zero_is_no_limit() {
    let off = Rates { binding: 0, errors: 0, errors_per_prefix: 0, errors_total: 0, verified: 0 };
    let (mut world, mut client) = (World::with(|s| s.rates = off), Client::new(1));
    assert_eq!(answered(&mut world, &mut client, Method::ALLOCATE, 5000), 5000);
    assert_eq!(answered(&mut world, &mut client, Method::BINDING, 5000), 5000);
    client.greet(&mut world);
    client.refresh(&mut world, None);
    assert_eq!(answered(&mut world, &mut client, Method::ALLOCATE, 5000), 5000);
    assert_eq!(answered(&mut world, &mut client, Method::BINDING, 5000), 5000);
}

#[test]
fn a_proof_to_one_worker_counts_with_all_and_each_has_its_own_budget() {
    let shared = Shared::new();
    let (mut one, mut other) = (World::sharing(&shared, |_| ()), World::sharing(&shared, |_| ()));
    let mut client = Client::new(1);
    client.greet(&mut one);
    assert_eq!(client.refresh(&mut one, None).code(), 437);
    assert_eq!(answered(&mut other, &mut client, Method::ALLOCATE, 1000), 400);
    assert_eq!(answered(&mut one, &mut client, Method::ALLOCATE, 1000), 400);
}
