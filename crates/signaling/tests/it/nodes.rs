//! Two nodes that share a store and a bus: nothing assumes one process.

use std::{sync::Arc, time::Duration};

use posthouse_rooms::{MemoryBus, MemoryStore};

use crate::house::{BYE, House};

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
