//! A client that does not read costs nobody but itself.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stops_is_closed_with_1013_and_other_rooms_go_on() {
    let flood = |config: &mut posthouse_signaling::Config| config.rates.socket_messages.per_second = 0;
    let house = House::with(flood).await;
    let [(_, sender), (_, mut slow)] = house.call("kitchen").await;
    let [(_, mut carol), (_, mut dave)] = house.call("parlour").await;
    let (mut sending, _answers) = sender.0.split();
    let flooding = tokio::spawn(async move {
        let frame = serde_json::json!({"cmd": "send", "msg": "x".repeat(60_000)}).to_string();
        for _ in 0..400 {
            if sending.send(Message::text(frame.clone())).await.is_err() {
                break;
            }
        }
    });
    for round in 0..50 {
        carol.send(&round.to_string()).await;
        assert_eq!(dave.hear().await, round.to_string());
    }
    while house.signaling.stats().slow_readers == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Now it reads on, and learns why it was closed.
    assert_eq!(slow.closed().await, Some(1013));
    carol.send("still here").await;
    assert_eq!(dave.hear().await, "still here");
    flooding.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_of_a_thousand_messages_is_not_a_slow_reader() {
    let flood = |config: &mut posthouse_signaling::Config| config.rates.socket_messages.per_second = 0;
    let house = House::with(flood).await;
    let (a, b) = (house.join("kitchen").await, house.join("kitchen").await);
    let mut a_socket = house.register(&a).await;
    for number in 0..1024 {
        a_socket.send(&number.to_string()).await;
    }
    assert_eq!(a_socket.heard().await, [""; 0]);
    let mut b_socket = house.socket().await;
    b_socket.register("kitchen", &b.id).await;
    for number in 0..1024 {
        assert_eq!(b_socket.hear().await, number.to_string());
    }
}
