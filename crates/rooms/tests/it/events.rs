//! What somebody who watches a room is told.

use posthouse_rooms::{Departure, Ended, Label, Roll, RoomEvent};

use crate::house::{House, SECOND};

fn joined(member: &str, members: usize) -> RoomEvent {
    RoomEvent::MemberJoined { member: member.into(), members }
}

fn left(member: &str, why: Departure, members: usize) -> RoomEvent {
    RoomEvent::MemberLeft { member: member.into(), why: Some(why), members }
}

/// What is told of one step.
fn told(house: &mut House, step: impl FnOnce(&mut House)) -> Vec<RoomEvent> {
    let (before, known) = (Roll::from(&house.room), house.ended.len());
    step(house);
    let ended = house.ended[known..].iter();
    let ended: Vec<Ended> =
        ended.map(|(label, why)| Ended { label: Some(Label(label.as_str().into())), why: *why }).collect();
    before.events(&Roll::from(&house.room), &ended)
}

#[test]
fn a_room_opens_and_closes_once_and_each_member_comes_and_goes_once() {
    let mut house = House::default();
    let first = told(&mut house, |house| drop(house.join("alice")));
    assert_eq!(first, [RoomEvent::RoomOpened, joined("alice", 1)]);
    assert_eq!(told(&mut house, |house| drop(house.join("bob"))), [joined("bob", 2)]);
    assert_eq!(told(&mut house, |house| drop(house.join("carol"))), [], "a refusal is no event");
    assert_eq!(told(&mut house, |house| assert!(house.register("alice", 1).is_ok())), []);
    assert_eq!(told(&mut house, |house| assert!(house.send("alice", "x").is_ok())), []);
    assert_eq!(told(&mut house, |house| house.leave("bob")), [left("bob", Departure::Left, 1)]);
    let last = told(&mut house, |house| house.delete("alice"));
    assert_eq!(last, [left("alice", Departure::Deleted, 0), RoomEvent::RoomClosed]);
}

#[test]
fn a_lost_socket_is_an_event_when_its_seat_is_given_up_and_not_before() {
    let mut house = House::in_a_call();
    assert_eq!(told(&mut house, |house| house.lose("bob", 2)), []);
    assert_eq!(told(&mut house, |house| house.pass(SECOND * 11)), [left("bob", Departure::Lost, 1)]);
}

#[test]
fn who_is_evicted_leaves_before_the_newcomer_joins() {
    let mut house = House::default();
    house.join("alice").unwrap();
    house.register("alice", 1).unwrap();
    house.join("ghost").unwrap();
    house.now = house.now.after(SECOND * 11);
    let events = told(&mut house, |house| drop(house.join("bob")));
    assert_eq!(events, [left("ghost", Departure::Evicted, 2), joined("bob", 2)]);
}
