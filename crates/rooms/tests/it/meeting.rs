//! Joining, and who begins.

use posthouse_rooms::{ClientId, Refusal, Role, RoomId, Sent};

use crate::house::{House, client};

#[test]
fn the_first_is_the_initiator_and_the_second_is_not() {
    let mut house = House::default();
    assert_eq!(house.join("alice").unwrap().role, Role::Initiator);
    assert_eq!(house.join("bob").unwrap().role, Role::Joiner);
}

#[test]
fn a_third_finds_the_room_full_until_somebody_leaves() {
    let mut house = House::in_a_call();
    assert_eq!(house.join("carol"), Err(Refusal::Full));
    house.leave("bob");
    assert_eq!(house.join("carol").unwrap().role, Role::Joiner);
}

#[test]
fn a_room_for_five_takes_five() {
    let mut house = House::of(5);
    for id in ["1", "2", "3", "4", "5"] {
        house.join(id).unwrap();
        assert_eq!(house.initiators(), 1);
    }
    assert_eq!(house.join("6"), Err(Refusal::Full));
}

#[test]
fn everybody_else_hears_what_one_of_five_says() {
    let mut house = House::of(5);
    for (at, id) in (1..).zip(["1", "2", "3", "4", "5"]) {
        house.join(id).unwrap();
        house.register(id, at).unwrap();
    }
    assert_eq!(house.send("2", "hello"), Ok(Sent::Relayed(4)));
    for at in [1, 3, 4, 5] {
        assert_eq!(house.heard(at), ["hello"]);
    }
    assert_eq!(house.heard(2), [""; 0]);
}

#[test]
fn the_same_id_does_not_join_twice() {
    let mut house = House::default();
    house.join("alice").unwrap();
    assert_eq!(house.join("alice"), Err(Refusal::DuplicateClient));
}

#[test]
fn when_the_initiator_leaves_the_survivor_becomes_it() {
    let mut house = House::in_a_call();
    house.leave("alice");
    assert_eq!(house.room.members()[0].role, Role::Initiator);
    assert_eq!(house.join("carol").unwrap().role, Role::Joiner);
    assert_eq!(house.initiators(), 1);
}

#[test]
fn a_loopback_pair_fills_the_room_and_leaves_as_one() {
    let mut house = House::default();
    assert_eq!(house.join_loopback("alice").unwrap().role, Role::Initiator);
    assert_eq!(house.join("bob"), Err(Refusal::Full));
    house.leave("alice");
    assert_eq!(house.room.occupancy(), 0);
    assert_eq!(house.join("bob").unwrap().role, Role::Initiator);
}

#[test]
fn a_loopback_pair_hears_itself_in_either_spelling() {
    for spelling in ["LOOPBACK_CLIENT_ID", "loopback_client_id"] {
        let mut house = House::default();
        house.join_loopback("alice").unwrap();
        house.register("alice", 1).unwrap();
        house.send("alice", "early").unwrap();
        house.register(spelling, 2).unwrap();
        house.send("alice", "late").unwrap();
        assert_eq!(house.heard(2), ["early", "late"]);
        house.send(spelling, "late").unwrap();
        assert_eq!(house.heard(1), ["late"]);
    }
}

#[test]
fn nobody_takes_the_known_loopback_id_from_its_socket() {
    let mut house = House::default();
    house.join_loopback("alice").unwrap();
    house.register("loopback_client_id", 2).unwrap();
    assert_eq!(house.register("LOOPBACK_CLIENT_ID", 3), Err(Refusal::DuplicateRegistration));
}

#[test]
fn the_loopback_id_means_nothing_in_an_ordinary_room() {
    let mut house = House::in_a_call();
    assert_eq!(house.register("LOOPBACK_CLIENT_ID", 9), Err(Refusal::UnknownClient));
}

#[test]
fn names_of_rooms_are_plain_and_bounded() {
    for good in ["a", "Kitchen_2-b", "__proto__", &"x".repeat(128)] {
        assert!(RoomId::parse(good).is_ok(), "{good}");
    }
    for bad in ["", ".", "..", "a b", "a/b", "é", "\0", "a%20b", &"x".repeat(129)] {
        assert!(RoomId::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_client_id_is_never_printed() {
    assert_eq!(format!("{:?}", client("12345678")), "ClientId(..)");
    assert!(ClientId::parse("a\nb").is_err());
}
