//! What waits, for whom, and how much of it.

use posthouse_rooms::{Body, Message, Refusal, Sent};

use crate::house::{House, SYNTHETIC, client, socket};

#[test]
fn what_a_lone_member_says_is_in_the_answer_to_the_next_join_once() {
    let mut house = House::default();
    house.join("alice").unwrap();
    for text in ["offer", "candidate", ""] {
        assert_eq!(house.send("alice", text), Ok(Sent::Stored));
    }
    let messages = house.join("bob").unwrap().messages;
    assert_eq!(messages.iter().map(|m| &**m).collect::<Vec<_>>(), ["offer", "candidate", ""]);
    house.register("bob", 2).unwrap();
    assert!(house.heard(2).is_empty(), "never by both ways");
    house.leave("bob");
    assert!(house.join("carol").unwrap().messages.is_empty());
}

#[test]
fn what_is_said_between_join_and_register_comes_on_the_socket_in_order() {
    let mut house = House::default();
    house.join("alice").unwrap();
    house.send("alice", "1").unwrap();
    assert_eq!(house.join("bob").unwrap().messages.len(), 1);
    house.send("alice", "2").unwrap();
    house.send("alice", "3").unwrap();
    house.register("bob", 2).unwrap();
    house.send("alice", "4").unwrap();
    assert_eq!(house.heard(2), ["2", "3", "4"]);
}

#[test]
fn the_1025th_stored_message_is_refused() {
    let mut house = House::default();
    house.join("alice").unwrap();
    for _ in 0..1024 {
        house.send("alice", "x").unwrap();
    }
    assert_eq!(house.send("alice", "x"), Err(Refusal::QueueFull));
    assert_eq!(house.join("bob").unwrap().messages.len(), 1024);
}

#[test]
fn no_more_than_256_kib_wait_for_one_member() {
    let mut house = House::default();
    house.join("alice").unwrap();
    house.join("bob").unwrap();
    let message = "x".repeat(64 * 1024);
    for _ in 0..4 {
        house.send("alice", &message).unwrap();
    }
    assert_eq!(house.send("alice", "x"), Err(Refusal::QueueFull));
    house.register("bob", 2).unwrap();
    assert_eq!(house.heard(2).len(), 4);
    house.send("alice", "after").unwrap();
    assert_eq!(house.heard(2)[4], "after");
}

#[test]
fn a_message_over_64_kib_is_refused() {
    let mut house = House::in_a_call();
    assert_eq!(house.send("alice", &"x".repeat(64 * 1024 + 1)), Err(Refusal::MessageTooLarge));
    assert!(house.heard(2).is_empty());
}

#[test]
fn a_full_mailbox_still_takes_the_goodbye() {
    let mut house = House::in_a_call();
    house.lose("bob", 2);
    for _ in 0..1024 {
        house.send("alice", "x").unwrap();
    }
    house.send("alice", crate::house::BYE).unwrap();
    house.register("bob", 3).unwrap();
    assert_eq!(house.heard(3).len(), 1025);
    assert_eq!(house.heard(3)[1024], SYNTHETIC);
}

#[test]
fn what_a_lost_socket_did_not_write_comes_first_on_the_next() {
    let mut house = House::in_a_call();
    house.send("alice", "1").unwrap();
    house.send("alice", "2").unwrap();
    house.lose_unsent("bob", 2, 1);
    house.send("alice", "3").unwrap();
    house.register("bob", 3).unwrap();
    assert_eq!(house.heard(3), ["2", "3"]);
}

#[test]
fn a_message_handed_back_late_is_never_put_behind_a_newer_one() {
    let mut house = House::in_a_call();
    house.send("alice", "1").unwrap();
    house.lose("bob", 2);
    house.send("alice", "2").unwrap();
    house.register("bob", 3).unwrap();
    let late = vec![Message { seq: 0, body: Body::from("1") }];
    let outcome = house.room.hand_back(&house.policy, &client("bob"), socket(2), late);
    assert!(outcome.effects.deliveries.is_empty());
    assert_eq!(house.heard(3), ["2"]);
}

#[test]
fn a_stranger_reaches_nobody_and_makes_nothing() {
    let mut house = House::default();
    assert_eq!(house.post("mallory", "x"), Err(Refusal::UnknownRoom));
    assert!(house.room.is_empty());
    let mut house = House::in_a_call();
    assert_eq!(house.send("mallory", "x"), Err(Refusal::UnknownClient));
    assert_eq!(house.post("mallory", "x"), Err(Refusal::UnknownClient));
    assert!(house.heard(1).is_empty() && house.heard(2).is_empty());
}

#[test]
fn nothing_comes_back_out_of_order_over_three_sockets() {
    let mut house = House::in_a_call();
    let from =
        |house: &House, at: u64, seq: u64| (socket(at), house.messages[&at].iter().find(|m| m.seq == seq).cloned());
    house.send("alice", "0").unwrap();
    let (first, zero) = from(&house, 2, 0);
    // Bob is back before his first socket is known dead, reads on the second, loses that too.
    house.register("bob", 3).unwrap();
    house.send("alice", "1").unwrap();
    let (second, one) = from(&house, 3, 1);
    house.lose("bob", 3);
    let late = |house: &mut House, gone, message: Option<Message>| {
        let back = house.room.hand_back(&house.policy, &client("bob"), gone, message.into_iter().collect());
        back.effects.deliveries.len()
    };
    assert_eq!(late(&mut house, first, zero.clone()), 0);
    house.register("bob", 4).unwrap();
    assert_eq!(house.heard(4), [""; 0], "what the first socket did not write is older than what the second did");
    assert_eq!(late(&mut house, first, zero), 0, "nor on the third, which was given nothing yet");
    assert_eq!(late(&mut house, second, one), 1, "what the second did not write is still in order");
}
