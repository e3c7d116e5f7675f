//! Rooms seen from outside (security corpus R01 to R26).

use std::{collections::HashSet, sync::Arc};

use serde_json::Value;

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn client_ids_are_32_digits_and_never_repeat() {
    let house = House::with(|config| config.rooms.capacity = 500).await;
    let mut ids = HashSet::new();
    let mut counts = [0_usize; 10];
    for _ in 0..500 {
        let id = house.join("crowd").await.id;
        assert_eq!(id.len(), 32);
        id.bytes().for_each(|digit| counts[usize::from(digit - b'0')] += 1);
        assert!(ids.insert(id));
    }
    // 16,000 digits; a fair count is off by more than 400 of 1600 once in 10^20 runs.
    assert!(counts.iter().all(|count| (1200..2000).contains(count)), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_the_id_of_another() {
    let house = House::open().await;
    let a = house.join("kitchen").await;
    let mut a_socket = house.register(&a).await;
    a_socket.send("offer").await;
    let joined = house.post("/join/kitchen", "").await.body;
    assert!(!joined.contains(&a.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_neither_kicks_nor_injects_nor_makes_rooms() {
    let house = House::open().await;
    let [(_, mut a_socket), (_, mut b_socket)] = house.call("kitchen").await;
    let wrong = "0".repeat(32);
    for _ in 0..100 {
        assert_eq!(house.post(&format!("/leave/kitchen/{wrong}"), "").await.status, 200);
        assert_eq!(house.ask("DELETE", &format!("/kitchen/{wrong}"), &[], "").await.body, "OK\n");
        assert_eq!(house.post(&format!("/message/kitchen/{wrong}"), "x").await.json()["result"], "UNKNOWN_CLIENT");
        assert_eq!(house.post(&format!("/kitchen/{wrong}"), "x").await.status, 404);
        assert_eq!(house.post(&format!("/nowhere/{wrong}"), "x").await.status, 404);
        assert_eq!(house.post(&format!("/message/nowhere/{wrong}"), "x").await.json()["result"], "UNKNOWN_ROOM");
    }
    let mut stranger = house.socket().await;
    stranger.register("kitchen", &wrong).await;
    assert!(stranger.error().await.contains("clientid"));
    assert_eq!(stranger.closed().await, Some(1008));
    assert_eq!((a_socket.heard().await.len(), b_socket.heard().await.len()), (0, 0));
    assert_eq!((house.signaling.stats().rooms, house.signaling.stats().members), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cannot_send_anybody_to_another_host() {
    let house = House::open().await;
    let decoy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let evil = format!("127.0.0.1:{}", decoy.local_addr().unwrap().port());
    let query = format!("?wshpp={evil}&wstls=false&ts=http://{evil}");
    let own = house.address.to_string();
    let joined = house.post(&format!("/join/kitchen{query}"), "").await.json();
    let params = house.get(&format!("/params{query}")).await.json();
    for params in [&joined["params"], &params] {
        for key in ["wss_url", "wss_post_url", "ice_server_url"] {
            let url = params[key].as_str().unwrap();
            assert!(url.contains(&own) && !url.contains(&evil), "{key}: {url}");
        }
    }
    let b = house.join("kitchen").await;
    assert_eq!(house.post(&(b.path("/message") + &query), "x").await.json()["result"], "SUCCESS");
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), decoy.accept()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_join_at_once_exactly_one_is_the_initiator() {
    let house = Arc::new(House::open().await);
    for round in 0..100 {
        let room = format!("race-{round}");
        let racers = (0..4).map(|_| {
            let (house, room) = (house.clone(), room.clone());
            tokio::spawn(async move { house.post(&format!("/join/{room}"), "").await.json() })
        });
        let mut answers = Vec::new();
        for racer in racers.collect::<Vec<_>>() {
            answers.push(racer.await.unwrap());
        }
        let count = |test: fn(&Value) -> bool| answers.iter().filter(|answer| test(answer)).count();
        assert_eq!(count(|answer| answer["result"] == "SUCCESS"), 2);
        assert_eq!(count(|answer| answer["params"]["is_initiator"] == "true"), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_over_the_bounds_are_refused_and_earlier_ones_delivered() {
    let house = House::open().await;
    let a = house.join("kitchen").await;
    let big = "x".repeat(65_536);
    for _ in 0..4 {
        assert_eq!(house.post(&a.path("/message"), &big).await.json()["result"], "SUCCESS");
    }
    assert_eq!(house.post(&a.path("/message"), "x").await.json()["result"], "ERROR");
    let over = house.post(&a.path(""), "x").await;
    let expected = "Failed to send the message: Too many messages queued for the client\n";
    assert_eq!((over.status, over.body.as_str()), (500, expected));
    assert_eq!(house.post(&a.path("/message"), &"x".repeat(65_537)).await.status, 413);
    assert_eq!(house.join("kitchen").await.messages.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_room_too_many_is_answered_503_and_kept_out() {
    let house = House::with(|config| config.max_rooms = 2).await;
    house.join("one").await;
    house.join("two").await;
    let refused = house.post("/join/three", "").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    house.join("two").await;
    assert_eq!(house.signaling.stats().rooms, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_can_be_switched_off() {
    let house = House::with(|config| config.loopback = false).await;
    assert_eq!(house.post("/join/echo?debug=loopback", "").await.json()["params"]["is_loopback"], "false");
    assert_eq!(house.join_result("echo").await, "SUCCESS");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_rooms_are_plain_and_bounded() {
    let house = House::open().await;
    for good in ["a", "__proto__", &"x".repeat(128)] {
        assert_eq!(house.post(&format!("/join/{good}"), "").await.status, 200, "{good}");
    }
    for missing in [".", "..", "a.b", "%C3%A9", "a%20b", ""] {
        assert_eq!(house.post(&format!("/join/{missing}"), "").await.status, 404, "{missing}");
    }
    for bad in ["%00", "%", "%zz", "%c0%af", &"x".repeat(129)] {
        assert_eq!(house.post(&format!("/join/{bad}"), "").await.status, 400, "{bad}");
    }
}
