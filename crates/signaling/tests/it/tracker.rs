//! The tracker on `/announce`, frame by frame.

use std::{collections::BTreeSet, sync::Arc};

use posthouse_rooms::{MemoryBus, MemoryStore};
use serde_json::{Value, json};

use crate::house::{House, Socket};

/// Bytes of every kind: control characters, quotes, and what is two bytes in UTF-8.
const HASH: &str = "\u{0}\u{8}\"\\\u{7f}\u{80}ÿabcdefghijklm";

fn peer_id(n: usize) -> String {
    format!("-WW0001-ÿ{n:011}")
}

fn announce(n: usize, more: &Value) -> Value {
    let mut frame = json!({"action": "announce", "info_hash": HASH, "peer_id": peer_id(n), "left": 10});
    frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    frame
}

fn offers(n: usize) -> Value {
    let one = |n| json!({"offer": {"type": "offer", "sdp": format!("v={n}")}, "offer_id": format!("offer-{n:014}")});
    (0..n).map(one).collect()
}

async fn socket(house: &House) -> Socket {
    house.socket_at("/announce", &[]).await.unwrap()
}

async fn next(socket: &mut Socket) -> Value {
    serde_json::from_str(&socket.frame().await.expect("a frame comes")).unwrap()
}

async fn ask(socket: &mut Socket, frame: &Value) -> Value {
    socket.say(&frame.to_string()).await;
    next(socket).await
}

fn counted(complete: usize, incomplete: usize) -> Value {
    json!({"action": "announce", "info_hash": HASH, "interval": 30, "complete": complete, "incomplete": incomplete})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_reaches_another_peer_and_its_answer_comes_back() {
    let house = House::open().await;
    let (mut a, mut b) = (socket(&house).await, socket(&house).await);
    assert_eq!(ask(&mut a, &announce(1, &json!({"event": "started", "offers": offers(3)}))).await, counted(0, 1));
    assert_eq!(ask(&mut b, &announce(2, &json!({"event": "started", "offers": offers(3)}))).await, counted(0, 2));
    // One other peer gets one offer; the rest is dropped.
    let first = json!({"type": "offer", "sdp": "v=0"});
    let expected = json!({"action": "announce", "info_hash": HASH, "peer_id": peer_id(2), "offer": first, "offer_id": "offer-00000000000000"});
    assert_eq!(next(&mut a).await, expected);
    let answer = json!({"type": "answer", "sdp": "v=1"});
    let more = json!({"answer": answer, "offer_id": "offer-00000000000000", "to_peer_id": peer_id(2)});
    a.say(&announce(1, &more).to_string()).await;
    let expected = json!({"action": "announce", "info_hash": HASH, "peer_id": peer_id(1), "answer": answer, "offer_id": "offer-00000000000000"});
    assert_eq!(next(&mut b).await, expected);
    // An answer is not answered: what comes next belongs to the next announce.
    assert_eq!(ask(&mut a, &announce(1, &json!({}))).await, counted(0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_move_a_peer_from_the_leechers_to_the_seeders_and_out() {
    let house = House::open().await;
    let (mut a, mut b) = (socket(&house).await, socket(&house).await);
    assert_eq!(ask(&mut b, &announce(2, &json!({"left": 0}))).await, counted(1, 0));
    assert_eq!(ask(&mut a, &announce(1, &json!({"event": "started"}))).await, counted(1, 1));
    assert_eq!(ask(&mut a, &announce(1, &json!({"event": "completed", "left": 0}))).await, counted(2, 0));
    assert_eq!(ask(&mut a, &announce(1, &json!({"event": "update"}))).await, counted(2, 0), "it stays one");
    assert_eq!(ask(&mut a, &announce(1, &json!({"event": "stopped"}))).await, counted(1, 0));
    assert_eq!(ask(&mut a, &announce(1, &json!({"event": "stopped"}))).await, counted(1, 0), "twice is once");
    // One who stopped gets no offers.
    assert_eq!(ask(&mut b, &announce(2, &json!({"offers": offers(2)}))).await, counted(1, 0));
    assert_eq!(ask(&mut a, &announce(1, &json!({"event": "started"}))).await, counted(1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_offer_goes_to_another_peer_and_no_more_than_are_wanted() {
    let house = House::open().await;
    let mut crowd = Vec::new();
    for n in 0..6 {
        let mut socket = socket(&house).await;
        ask(&mut socket, &announce(n, &json!({}))).await;
        crowd.push(socket);
    }
    let mut asker = socket(&house).await;
    ask(&mut asker, &announce(9, &json!({"numwant": 4, "offers": offers(5)}))).await;
    let mut ids = BTreeSet::new();
    let mut reached = 0;
    for (n, socket) in crowd.iter_mut().enumerate() {
        // The reply to the next announce comes after whatever was offered.
        socket.say(&announce(n, &json!({})).to_string()).await;
        loop {
            let frame = next(socket).await;
            if frame["interval"] == 30 {
                break;
            }
            ids.insert(frame["offer_id"].to_string());
            reached += 1;
        }
    }
    assert_eq!((reached, ids.len()), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_serves_many_torrents_with_a_peer_id_for_each() {
    let house = House::with(|config| config.bounds.topics = 4).await;
    let mut a = socket(&house).await;
    let of = |hash: char, n| announce(n, &json!({"info_hash": hash.to_string().repeat(20)}));
    assert_eq!(ask(&mut a, &of('a', 1)).await["incomplete"], 1);
    assert_eq!(ask(&mut a, &of('b', 2)).await["incomplete"], 1);
    let refused = ask(&mut a, &of('c', 3)).await;
    assert_eq!(refused["failure reason"], "too many torrents on this connection");
    assert_eq!(refused["info_hash"], "c".repeat(20));
    let refused = ask(&mut a, &of('a', 7)).await;
    assert_eq!(refused["failure reason"], "another peer_id is announced for this info_hash on this connection");
    let mut scrape = ask(&mut a, &json!({"action": "scrape", "info_hash": ["a".repeat(20), "c".repeat(20)]})).await;
    assert_eq!(scrape["files"]["a".repeat(20)].take(), json!({"complete": 0, "incomplete": 1, "downloaded": 0}));
    assert_eq!(scrape["files"]["c".repeat(20)].take(), json!({"complete": 0, "incomplete": 0, "downloaded": 0}));
    let mut stop = of('a', 1);
    stop["event"] = json!("stopped");
    ask(&mut a, &stop).await;
    assert_eq!(ask(&mut a, &of('c', 3)).await["incomplete"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_id_of_another_is_not_given_away_and_a_dead_peer_is_gone() {
    let house = House::open().await;
    let (mut a, mut thief) = (socket(&house).await, socket(&house).await);
    ask(&mut a, &announce(1, &json!({}))).await;
    let refused = ask(&mut thief, &announce(1, &json!({}))).await;
    assert_eq!(refused["failure reason"], "the peer_id is in use on another connection");
    a.kill();
    for _ in 0..1000 {
        if ask(&mut thief, &announce(1, &json!({}))).await == counted(0, 1) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("a dead peer stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_told_and_the_socket_goes_on() {
    let house = House::open().await;
    let mut a = socket(&house).await;
    for (bad, reason) in [
        ("nonsense", "expected a JSON object with an action"),
        (r#"{"action":"connect"}"#, "invalid action, expected announce or scrape"),
        (r#"{"action":"announce","info_hash":"x"}"#, "invalid info_hash, expected 20 characters up to U+00FF"),
        (r#"{"action":"scrape"}"#, "expected 1 to 50 info_hashes to scrape"),
    ] {
        a.say(bad).await;
        assert_eq!(next(&mut a).await, json!({"failure reason": reason}));
    }
    let answer = json!({"answer": {}, "offer_id": "o", "to_peer_id": peer_id(5)});
    a.say(&announce(1, &answer).to_string()).await;
    assert_eq!(ask(&mut a, &announce(1, &json!({}))).await, counted(0, 1), "an answer to nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_sees_nothing_of_another_and_two_nodes_are_one_tracker() {
    let engines = (Arc::new(MemoryStore::new(100)), Arc::new(MemoryBus::default()));
    let here = House::sharing(|_| {}, Some(engines.clone())).await;
    let there = House::sharing(|config| config.root = Some("auto".to_owned()), Some(engines)).await;
    let mut a = here.socket_at("/announce?key=one", &[]).await.unwrap();
    let mut b = there.socket_at("/?key=one", &[]).await.unwrap();
    let mut other = there.socket_at("/announce?key=two", &[]).await.unwrap();
    assert_eq!(ask(&mut a, &announce(1, &json!({}))).await, counted(0, 1));
    assert_eq!(ask(&mut other, &announce(3, &json!({"offers": offers(1)}))).await, counted(0, 1));
    assert_eq!(ask(&mut b, &announce(2, &json!({"offers": offers(1)}))).await, counted(0, 2));
    assert_eq!(next(&mut a).await["peer_id"], peer_id(2));
    let long = format!("/announce?key={}", "x".repeat(300));
    assert_eq!(there.socket_at(&long, &[]).await.err(), Some(400));
}
