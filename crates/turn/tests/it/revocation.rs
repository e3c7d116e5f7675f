//! Credentials that were taken back.

use posthouse_stun::Method;
use posthouse_stun::attribute::AttributeType;
use posthouse_turn::Shared;

use crate::world::{Client, START, World};

#[test]
fn a_revoked_user_gets_401_for_everything_on_every_server_until_its_credentials_have_expired() {
    let shared = Shared::new();
    let mut worlds = [World::sharing(&shared, |_| ()), World::sharing(&shared, |_| ())];
    let mut first = Client::new(1).minted("carol", 100);
    let mut renewed = Client::new(2).minted("carol", 200);
    let mut others = [Client::new(3).minted("carola", 200), Client::new(4), Client::new(5).minted("", 200)];
    first.allocate(&mut worlds[0]);
    for client in &mut others {
        client.allocate(&mut worlds[0]);
    }
    assert_eq!(shared.revoke(worlds[0].now, "carol", START + 200), None);
    for method in [Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND] {
        assert_eq!(first.code(&mut worlds[0], method, |_| ()), 401, "with the allocation still there");
    }
    worlds[0].server.end_user(worlds[0].now, "carol");
    worlds[0].drain();
    let [here, there] = &mut worlds;
    for world in [here, there] {
        for client in [&mut first, &mut renewed] {
            client.greet(world);
            let answer = client.request(world, Method::ALLOCATE, |b| {
                b.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            });
            assert_eq!(answer.code(), 401);
            assert!(answer.has(AttributeType::NONCE) && answer.has(AttributeType::REALM), "RFC 8489 §9.2.4");
            assert!(!answer.has(AttributeType::MESSAGE_INTEGRITY), "as for a name that nobody has");
        }
    }
    assert_eq!(worlds[0].allocations(), 3, "nobody else's end");
    for client in &mut others {
        assert_eq!(client.refresh(&mut worlds[0], None).code(), 0);
    }
}

#[test]
fn a_static_user_and_nobody_in_particular_are_not_revoked() {
    let shared = Shared::new();
    let mut world = World::sharing(&shared, |_| ());
    shared.revoke(world.now, "alice", START + 1000);
    shared.revoke(world.now, "", START + 1000);
    Client::new(1).allocate(&mut world);
    Client::new(2).minted("", 100).allocate(&mut world);
    assert_eq!(world.allocations(), 2);
}

#[test]
fn a_credential_that_outlives_the_revocation_of_its_user_is_good_after_it() {
    let shared = Shared::new();
    let mut world = World::sharing(&shared, |_| ());
    let mut client = Client::new(1).minted("carol", 300);
    shared.revoke(world.now, "carol", START + 200);
    client.greet(&mut world);
    assert_eq!(client.refresh(&mut world, None).code(), 401);
    world.pass(200);
    assert_eq!(client.refresh(&mut world, None).code(), 437, "it has no allocation, but it may ask");
}
