//! Two nodes that share a store and a bus: nothing assumes one process.

use std::{sync::Arc, time::Duration};

use posthouse_rooms::{MemoryBus, MemoryStore};

use serde_json::json;

use crate::house::{BYE, House};
use crate::v1::Client;

async fn two() -> [House; 2] {
    let engines = (Arc::new(MemoryStore::new(100)), Arc::new(MemoryBus::default()));
    let brisk = |config: &mut posthouse_signaling::Config| config.rooms.resume = Duration::from_millis(300);
    [House::sharing(brisk, Some(engines.clone())).await, House::sharing(brisk, Some(engines)).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn members_on_different_nodes_hear_each_other_in_order() {
    let [here, there] = two().await;
    let (a, b) = (here.join("kitchen").await, there.join("kitchen").await);
    let (mut a_socket, mut b_socket) = (here.register(&a).await, there.register(&b).await);
    for number in 0..50 {
        a_socket.send(&number.to_string()).await;
    }
    for number in 0..50 {
        assert_eq!(b_socket.hear().await, number.to_string());
    }
    b_socket.kill();
    assert_eq!(a_socket.hear().await, BYE);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_comes_back_on_another_node_displaces_the_older_socket() {
    let [here, there] = two().await;
    let (a, b) = (here.join("kitchen").await, here.join("kitchen").await);
    let (mut a_socket, mut older) = (here.register(&a).await, here.register(&b).await);
    let mut newer = there.register(&b).await;
    assert_eq!(older.closed().await, Some(1000));
    a_socket.send("x").await;
    assert_eq!(newer.hear().await, "x");
    assert_eq!(a_socket.heard().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_of_every_node_is_told_who_was_kicked_and_who_left() {
    let [here, there] = two().await;
    let (mut a, _) = Client::join(&here, json!({"room": "r"})).await;
    let (mut b, _) = Client::join(&there, json!({"room": "r"})).await;
    a.done("kick", json!({"member": b.member})).await;
    assert_eq!(b.event().await["reason"], "kicked");
    assert_eq!(b.socket.closed().await, Some(4403));
    a.done("leave", json!({})).await;
    for house in [&here, &there] {
        assert_eq!(*house.relay.0.lock().unwrap(), [format!("{} revoked", b.member), a.member.clone()]);
    }
}
