//! Goodbyes: exactly one, whatever the order.

use posthouse_rooms::{Closing, Departure, Refusal, Sent};

use crate::house::{BYE, House, SECOND, SYNTHETIC};

#[test]
fn after_leave_the_goodbye_on_the_socket_still_reaches_the_peer_once() {
    let mut house = House::in_a_call();
    house.leave("bob");
    assert_eq!(house.room.occupancy(), 1);
    assert_eq!(house.send("bob", BYE), Ok(Sent::Relayed(1)));
    assert_eq!(house.send("bob", BYE), Ok(Sent::Ignored));
    house.lose("bob", 2);
    house.delete("bob");
    house.pass(60 * SECOND);
    assert_eq!(house.heard(1), [BYE]);
}

#[test]
fn a_goodbye_before_leave_is_heard_once() {
    let mut house = House::in_a_call();
    house.send("bob", BYE).unwrap();
    house.leave("bob");
    house.lose("bob", 2);
    house.pass(60 * SECOND);
    assert_eq!(house.heard(1), [BYE]);
    assert_eq!(house.ended, [("bob".to_owned(), Departure::Bye)]);
}

#[test]
fn one_who_leaves_without_a_goodbye_is_said_goodbye_for() {
    for ending in [|house: &mut House| house.lose("bob", 2), |house: &mut House| house.pass(3 * SECOND)] {
        let mut house = House::in_a_call();
        house.leave("bob");
        assert!(house.heard(1).is_empty());
        ending(&mut house);
        house.pass(60 * SECOND);
        assert_eq!(house.heard(1), [SYNTHETIC]);
    }
}

#[test]
fn the_socket_of_one_who_left_is_closed_after_a_while() {
    let mut house = House::in_a_call();
    house.leave("bob");
    house.pass(3 * SECOND);
    assert_eq!(house.closed, [(2, Closing::Left)]);
}

#[test]
fn delete_closes_the_socket_and_says_the_goodbye() {
    let mut house = House::in_a_call();
    house.delete("bob");
    assert_eq!(house.closed, [(2, Closing::Deleted)]);
    assert_eq!(house.heard(1), [SYNTHETIC]);
    house.lose("bob", 2);
    house.pass(60 * SECOND);
    assert_eq!(house.heard(1), [SYNTHETIC]);
}

#[test]
fn delete_right_after_leave_does_not_cost_the_goodbye() {
    let mut house = House::in_a_call();
    house.leave("bob");
    house.delete("bob");
    assert_eq!(house.heard(1), [SYNTHETIC]);
    assert_eq!(house.send("bob", BYE), Err(Refusal::UnknownClient));
    assert_eq!(house.heard(1), [SYNTHETIC]);
}

#[test]
fn strangers_who_leave_or_delete_change_nothing() {
    let mut house = House::in_a_call();
    let before = house.room.clone();
    house.leave("mallory");
    house.delete("mallory");
    assert_eq!(house.room, before);
}

#[test]
fn one_who_joined_since_does_not_hear_the_goodbye_of_one_who_left_before() {
    let mut house = House::in_a_call();
    house.leave("bob");
    house.join("carol").unwrap();
    house.register("carol", 3).unwrap();
    assert_eq!(house.send("bob", BYE), Ok(Sent::Ignored));
    assert_eq!(house.heard(3), [""; 0]);
    assert_eq!(house.heard(1), [SYNTHETIC]);
}

#[test]
fn the_goodbye_of_one_who_left_is_heard_before_anything_a_newcomer_says() {
    let mut house = House::in_a_call();
    house.leave("bob");
    house.join("carol").unwrap();
    house.register("carol", 3).unwrap();
    house.send("carol", "answer").unwrap();
    house.send("bob", BYE).unwrap();
    house.pass(60 * SECOND);
    assert_eq!(house.heard(1), [SYNTHETIC, "answer"]);
}

#[test]
fn a_lone_member_that_says_goodbye_takes_its_stored_messages_along() {
    let mut house = House::default();
    house.join("alice").unwrap();
    house.send("alice", "offer").unwrap();
    assert_eq!(house.send("alice", BYE), Ok(Sent::Ignored));
    assert!(house.room.is_empty());
    let joined = house.join("bob").unwrap();
    assert!(joined.messages.is_empty());
}

#[test]
fn the_survivor_s_next_offer_waits_for_the_next_joiner() {
    let mut house = House::in_a_call();
    house.leave("bob");
    house.send("bob", BYE).unwrap();
    assert_eq!(house.send("alice", "new offer"), Ok(Sent::Stored));
    assert_eq!(&*house.join("bob-again").unwrap().messages[0], "new offer");
}

#[test]
fn a_goodbye_by_request_counts_as_one_on_the_socket() {
    let mut house = House::in_a_call();
    house.post("bob", BYE).unwrap();
    assert_eq!(house.heard(1), [BYE]);
    assert_eq!(house.room.occupancy(), 1);
}

#[test]
fn every_end_of_a_membership_is_told_once_for_its_relay() {
    let mut house = House::in_a_call();
    house.leave("bob");
    house.send("bob", BYE).unwrap();
    house.delete("bob");
    house.lose("alice", 1);
    house.pass(60 * SECOND);
    assert_eq!(house.ended, [("bob".to_owned(), Departure::Left), ("alice".to_owned(), Departure::Lost)]);
    assert!(house.room.is_empty());
}
