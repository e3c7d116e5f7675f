//! A stand-alone Collider: nobody joins.

use std::time::Duration;

use crate::house::{BYE, House};

async fn house() -> House {
    House::with(|config| {
        config.rooms.require_join = false;
        config.rooms.resume = Duration::from_millis(300);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_register_and_talk_without_a_join() {
    let house = house().await;
    let (mut a, mut b) = (house.socket().await, house.socket().await);
    a.register("any room, really", "alice").await;
    a.send("offer").await;
    assert_eq!(a.heard().await, [""; 0]);
    b.register("any room, really", "bob").await;
    assert_eq!(b.hear().await, "offer");
    b.send("answer").await;
    assert_eq!(a.hear().await, "answer");
    assert_eq!(house.ask("POST", "/any%20room,%20really/bob", &[], "candidate").await.body, "OK\n");
    assert_eq!(a.hear().await, "candidate");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_client_finds_no_room_and_a_second_socket_no_seat() {
    let house = house().await;
    let (mut a, mut b) = (house.socket().await, house.socket().await);
    a.register("r1", "alice").await;
    b.register("r1", "bob").await;
    assert_eq!((a.heard().await.len(), b.heard().await.len()), (0, 0));
    let mut third = house.socket().await;
    third.register("r1", "carol").await;
    assert_eq!(third.error().await, "Max room capacity reached");
    assert_eq!(third.closed().await, Some(1008));
    let mut second = house.socket().await;
    second.register("r1", "alice").await;
    assert_eq!(second.error().await, "Duplicated registration");
    assert!(second.closed().await.is_some());
    let full = house.post("/r1/carol", "x").await;
    assert_eq!((full.status, full.body.as_str()), (500, "Failed to send the message: Max room capacity reached\n"));
    b.send("still here").await;
    assert_eq!(a.hear().await, "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_client_is_closed_with_1000_and_its_seat_is_free() {
    let house = house().await;
    let (mut a, mut b) = (house.socket().await, house.socket().await);
    a.register("r1", "alice").await;
    b.register("r1", "bob").await;
    assert_eq!((a.heard().await.len(), b.heard().await.len()), (0, 0));
    assert_eq!(house.ask("DELETE", "/r1/bob", &[], "").await.body, "OK\n");
    assert_eq!(b.closed().await, Some(1000));
    assert_eq!(a.hear().await, BYE);
    let mut carol = house.socket().await;
    carol.register("r1", "carol").await;
    carol.send("hello").await;
    assert_eq!(a.hear().await, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_joined_and_clients_that_did_not_meet() {
    let house = house().await;
    let mut a = house.socket().await;
    a.register("mixed", "alice").await;
    a.send("offer").await;
    assert_eq!(a.heard().await, [""; 0]);
    let b = house.join("mixed").await;
    assert_eq!((b.initiator, b.messages.as_slice()), (false, ["offer".to_owned()].as_slice()));
    let mut b_socket = house.register(&b).await;
    b_socket.send("answer").await;
    assert_eq!(a.hear().await, "answer");
}
