//! What the operator does to a room.

use std::borrow::Cow;

use posthouse_rooms::{Closing, Departure, Refusal};

use crate::house::{House, SECOND, SYNTHETIC};

#[test]
fn one_who_is_kicked_loses_seat_and_socket_and_the_other_hears_one_goodbye() {
    let mut house = House::in_a_call();
    assert_eq!(house.kick("bob"), Ok(()));
    assert_eq!(house.closed, [(2, Closing::Deleted)]);
    assert_eq!(house.ended, [("bob".to_owned(), Departure::Kicked)]);
    assert_eq!(house.kick("bob"), Err(Refusal::UnknownClient));
    house.lose("bob", 2);
    house.pass(60 * SECOND);
    assert_eq!(house.heard(1), [SYNTHETIC]);
    house.join("carol").unwrap();
    assert_eq!((house.room.occupancy(), house.initiators()), (2, 1));
}

#[test]
fn one_without_a_public_name_is_kicked_by_the_number_of_its_socket() {
    let mut house = House::collider();
    house.register("1", 7).unwrap();
    let names: Vec<_> = house.room.members().iter().map(|one| one.public_name().map(Cow::into_owned)).collect();
    assert_eq!(names, [Some("socket-7".to_owned())]);
    assert_eq!(house.kick("1"), Err(Refusal::UnknownClient), "an id is not a name");
    assert_eq!(house.kick("socket-7"), Ok(()));
    assert!(house.room.is_empty());
}

#[test]
fn a_room_that_is_closed_is_as_if_it_had_never_been() {
    for ending in [|_: &mut House| (), |house: &mut House| house.leave("bob")] {
        let mut house = House::in_a_call();
        ending(&mut house);
        assert_eq!(house.close(), Ok(()));
        assert!(house.room.is_empty());
        let mut closed: Vec<u64> = house.closed.iter().map(|(at, _)| *at).collect();
        closed.sort_unstable();
        assert_eq!(closed, [1, 2]);
        assert_eq!(house.ended.len(), 2);
        assert_eq!(house.ended.last().unwrap().1, Departure::Kicked);
        assert_eq!(house.close(), Err(Refusal::UnknownRoom));
    }
}

#[test]
fn a_loopback_pair_goes_as_one() {
    let mut house = House::default();
    house.join_loopback("alice").unwrap();
    house.register("alice", 1).unwrap();
    assert_eq!(house.close(), Ok(()));
    assert!(house.room.is_empty());
}
