//! Sockets that die, owners that come back, and goodbyes that are heard once.

use std::time::Duration;

use futures_util::SinkExt;
use posthouse_signaling::Config;
use tokio_tungstenite::tungstenite::Message;

use crate::house::{BYE, House};

/// Graces short enough to be waited for.
fn brisk(config: &mut Config) {
    config.rooms.resume = Duration::from_millis(300);
    config.rooms.linger = Duration::from_millis(300);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seat_of_a_killed_socket_is_free_after_the_grace_and_the_peer_hears_one_bye() {
    let house = House::with(brisk).await;
    let [(_, mut a_socket), (_, b_socket)] = house.call("kitchen").await;
    b_socket.kill();
    assert_eq!(a_socket.hear().await, BYE);
    let c = house.free_seat("kitchen").await;
    assert!(!c.initiator);
    assert_eq!(a_socket.heard().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seat_is_kept_for_its_owner_who_comes_back_to_what_was_said_meanwhile() {
    let house = House::open().await;
    let [(_, mut a_socket), (b, b_socket)] = house.call("kitchen").await;
    b_socket.kill();
    // Whether the loss has been noticed by now or not, nothing is lost and nobody else gets the seat.
    assert_eq!(house.join_result("kitchen").await, "FULL");
    while house.signaling.stats().sockets > 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    a_socket.send("1").await;
    a_socket.send("2").await;
    assert_eq!(a_socket.heard().await, [""; 0]);
    let mut b_socket = house.socket().await;
    b_socket.register("kitchen", &b.id).await;
    assert_eq!([b_socket.hear().await, b_socket.hear().await], ["1", "2"]);
    assert_eq!(a_socket.heard().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_socket_with_the_same_secret_wins_and_nobody_hears_a_bye() {
    let house = House::with(brisk).await;
    let [(_, mut a_socket), (b, mut older)] = house.call("kitchen").await;
    let mut newer = house.register(&b).await;
    assert_eq!(older.closed().await, Some(1000));
    a_socket.send("x").await;
    assert_eq!(newer.hear().await, "x");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(a_socket.heard().await, [""; 0]);
    assert_eq!(house.join_result("kitchen").await, "FULL");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_answers_no_ping_is_dead_and_the_partner_hears_it() {
    let brisk_and_attentive = |config: &mut Config| {
        brisk(config);
        config.timing.ping = Duration::from_millis(200);
        config.timing.dead = Duration::from_secs(3);
    };
    let house = House::with(brisk_and_attentive).await;
    let [(_, mut a_socket), (_, b_socket)] = house.call("kitchen").await;
    // Reading answers pings; b does not read, a does.
    assert_eq!(a_socket.hear().await, BYE);
    assert!(house.signaling.stats().dead_sockets >= 1);
    drop(b_socket);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_leaves_without_a_bye_is_said_goodbye_for() {
    let house = House::with(brisk).await;
    let [(_, mut a_socket), (b, mut b_socket)] = house.call("kitchen").await;
    house.post(&b.path("/leave"), "").await;
    assert_eq!(house.join("kitchen").await.messages, [""; 0]);
    assert_eq!(a_socket.hear().await, BYE);
    assert_eq!(b_socket.closed().await, Some(1000));
    assert_eq!(a_socket.heard().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_joins_and_vanishes_is_forgotten() {
    let house = House::with(|config| config.rooms.unregistered = Duration::from_secs(1)).await;
    for room in 0..50 {
        house.join(&format!("ghost-{room}")).await;
    }
    assert_eq!(house.signaling.stats().joins, 50);
    while house.signaling.stats().rooms > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(house.relay.0.lock().unwrap().len(), 50, "each one's relay is freed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_is_freed_once_when_a_membership_ends_and_not_before() {
    let house = House::with(brisk).await;
    let joined = house.post("/join/kitchen", "").await.json();
    let ice = joined["params"]["ice_servers"].as_str().unwrap();
    let ice: serde_json::Value = serde_json::from_str(ice).unwrap();
    let label = ice[1]["username"].as_str().unwrap().strip_prefix("1700003600:").unwrap().to_owned();
    let id = joined["params"]["client_id"].as_str().unwrap();
    assert_ne!(label, id, "the label is public, the id is not");
    let mut socket = house.socket().await;
    socket.register("kitchen", id).await;
    assert_eq!(socket.heard().await, [""; 0]);
    assert!(house.relay.0.lock().unwrap().is_empty());
    house.post(&format!("/leave/kitchen/{id}"), "").await;
    assert_eq!(*house.relay.0.lock().unwrap(), std::slice::from_ref(&label));
    socket.send(BYE).await;
    socket.close().await;
    house.ask("DELETE", &format!("/kitchen/{id}"), &[], "").await;
    assert_eq!(*house.relay.0.lock().unwrap(), [label]);
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_closes_sockets_with_1001_and_ends() {
    let house = House::open().await;
    let [(_, mut a_socket), (_, mut b_socket)] = house.call("kitchen").await;
    house.drain.send(true).unwrap();
    assert_eq!(a_socket.closed().await, Some(1001));
    assert_eq!(b_socket.closed().await, Some(1001));
    drop((a_socket, b_socket));
    house.served.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_closed_in_good_order_without_a_bye_keeps_its_seat_too() {
    let house = House::open().await;
    let [(_, mut a_socket), (b, mut b_socket)] = house.call("kitchen").await;
    b_socket.0.send(Message::Close(None)).await.unwrap();
    b_socket.closed().await;
    let mut b_socket = house.register(&b).await;
    a_socket.send("x").await;
    assert_eq!(b_socket.hear().await, "x");
}
