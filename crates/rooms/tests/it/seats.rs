//! Seats: kept for their owners, free of ghosts.

use std::time::Duration;

use posthouse_rooms::{Closing, Departure, Refusal, Sent};

use crate::house::{House, SECOND, SYNTHETIC};

#[test]
fn the_seat_of_a_lost_socket_is_kept_for_its_owner_and_then_free() {
    let mut house = House::in_a_call();
    house.lose("bob", 2);
    house.pass(9 * SECOND);
    assert_eq!(house.join("carol"), Err(Refusal::Full));
    house.pass(SECOND);
    assert_eq!(house.ended, [("bob".to_owned(), Departure::Lost)]);
    assert_eq!(house.heard(1), [SYNTHETIC]);
    house.join("carol").unwrap();
}

#[test]
fn an_owner_who_comes_back_in_time_gets_seat_and_messages_and_nobody_hears_a_bye() {
    let mut house = House::in_a_call();
    house.lose("bob", 2);
    house.send("alice", "meanwhile").unwrap();
    house.pass(9 * SECOND);
    house.register("bob", 3).unwrap();
    house.pass(60 * SECOND);
    assert_eq!(house.heard(3), ["meanwhile"]);
    assert!(house.heard(1).is_empty());
}

#[test]
fn a_join_at_the_very_end_of_the_grace_needs_no_timer_to_run_first() {
    let mut house = House::in_a_call();
    house.lose("bob", 2);
    house.now = house.now.after(10 * SECOND);
    house.join("carol").unwrap();
    assert_eq!(house.heard(1), [SYNTHETIC]);
}

#[test]
fn the_newest_socket_that_knows_the_secret_is_its_owner() {
    let mut house = House::in_a_call();
    assert!(house.register("bob", 3).unwrap().displaced.is_some());
    assert_eq!(house.closed, [(2, Closing::Displaced)]);
    house.lose("bob", 2);
    house.pass(60 * SECOND);
    house.send("alice", "x").unwrap();
    assert_eq!(house.heard(3), ["x"]);
    assert!(house.heard(1).is_empty(), "the partner sees no bye");
}

#[test]
fn where_clients_choose_ids_the_first_socket_keeps_its_own() {
    let mut house = House::collider();
    house.register("alice", 1).unwrap();
    assert_eq!(house.register("alice", 2), Err(Refusal::DuplicateRegistration));
    assert!(house.closed.is_empty());
}

#[test]
fn one_who_never_registers_gives_way_when_the_room_is_full_otherwise() {
    let mut house = House::default();
    house.join("alice").unwrap();
    house.register("alice", 1).unwrap();
    house.join("ghost").unwrap();
    house.pass(9 * SECOND);
    assert_eq!(house.join("carol"), Err(Refusal::Full));
    house.pass(SECOND);
    assert!(!house.room.is_full(&house.policy, house.now));
    house.join("carol").unwrap();
    assert_eq!(house.ended, [("ghost".to_owned(), Departure::Evicted)]);
    assert_eq!(house.heard(1), [SYNTHETIC]);
}

#[test]
fn a_live_socket_is_never_evicted() {
    let mut house = House::in_a_call();
    house.pass(Duration::from_secs(86_400 * 30));
    assert_eq!(house.join("carol"), Err(Refusal::Full));
    assert_eq!(house.room.occupancy(), 2);
}

#[test]
fn one_who_joins_and_vanishes_is_forgotten_within_a_minute() {
    let mut house = House::default();
    house.join("ghost").unwrap();
    let deadline = house.room.poll_timeout(&house.policy).unwrap();
    assert!(house.now.until(deadline) <= 60 * SECOND);
    house.pass(house.now.until(deadline));
    assert!(house.room.is_empty());
    assert_eq!(house.ended, [("ghost".to_owned(), Departure::NeverRegistered)]);
}

#[test]
fn one_who_speaks_by_requests_alone_stays() {
    let mut house = House::default();
    house.join("alice").unwrap();
    for _ in 0..10 {
        house.pass(40 * SECOND);
        house.send("alice", "still here").unwrap();
    }
    assert_eq!(house.room.occupancy(), 1);
}

#[test]
fn a_collider_client_that_never_joins_holds_a_seat_and_hears_what_waited() {
    let mut house = House::collider();
    house.register("alice", 1).unwrap();
    assert_eq!(house.send("alice", "offer"), Ok(Sent::Stored));
    house.register("bob", 2).unwrap();
    assert_eq!(house.heard(2), ["offer"]);
    assert_eq!(house.register("carol", 3), Err(Refusal::Full));
}

#[test]
fn a_post_takes_a_seat_only_where_nobody_need_join_and_only_for_a_while() {
    let mut house = House::collider();
    house.post("alice", "offer").unwrap();
    house.post("bob", "answer").unwrap();
    assert_eq!(house.post("carol", "x"), Err(Refusal::Full));
    house.pass(10 * SECOND);
    house.post("carol", "x").unwrap();
    assert_eq!(house.room.occupancy(), 2);
}

#[test]
fn a_stranger_does_not_register_where_joining_is_required() {
    let mut house = House::in_a_call();
    assert_eq!(house.register("mallory", 9), Err(Refusal::UnknownClient));
    assert_eq!(House::default().register("mallory", 9), Err(Refusal::UnknownRoom));
}
