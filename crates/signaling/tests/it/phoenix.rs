//! The Phoenix broker, frame by frame, in both versions of the serializer.

use std::{sync::Arc, time::Duration};

use futures_util::SinkExt;
use posthouse_rooms::{MemoryBus, MemoryStore};
use serde_json::{Value, json};

use crate::house::{House, Socket};

const BROKER: &str = "/ws/websocket?vsn=2.0.0";
const PEER: &str = "/peer/websocket?vsn=2.0.0";
const PEER_ONE: &str = "/peer/websocket?vsn=1.0.0";

async fn next(socket: &mut Socket) -> Value {
    serde_json::from_str(&socket.frame().await.expect("a frame comes")).unwrap()
}

/// Says something and answers what comes next.
async fn ask(socket: &mut Socket, frame: &Value) -> Value {
    socket.say(&frame.to_string()).await;
    next(socket).await
}

fn ok(join_ref: &Value, r#ref: &str, topic: &str) -> Value {
    json!([join_ref, r#ref, topic, "phx_reply", {"status": "ok", "response": {}}])
}

fn error(join_ref: &Value, r#ref: &str, topic: &str, reason: &str) -> Value {
    json!([join_ref, r#ref, topic, "phx_reply", {"status": "error", "response": {"reason": reason}}])
}

/// Nothing was on its way before the answer to a heartbeat.
async fn hears_nothing(socket: &mut Socket) {
    let beat = ask(socket, &json!([null, "99", "phoenix", "heartbeat", {}])).await;
    assert_eq!(beat, ok(&Value::Null, "99", "phoenix"));
}

/// An id, as the broker gives it.
async fn id(house: &House) -> String {
    let mut socket = house.socket_at(BROKER, &[]).await.unwrap();
    let joined = ask(&mut socket, &json!(["1", "1", "broker:match", "phx_join", {}])).await;
    assert_eq!(joined, ok(&json!("1"), "1", "broker:match"));
    let registered = ask(&mut socket, &json!(["1", "2", "broker:match", "register", {}])).await;
    let id = registered[4]["id"].as_str().unwrap().to_owned();
    assert_eq!(registered, json!(["1", null, "broker:match", "registered", {"id": id}]));
    id
}

async fn try_peer(house: &House, id: &str) -> (Socket, Value) {
    let mut socket = house.socket_at(PEER, &[]).await.unwrap();
    let answer = ask(&mut socket, &json!(["1", "1", format!("peer:{id}"), "phx_join", {}])).await;
    (socket, answer)
}

/// A peer under an id.
async fn peer(house: &House, id: &str) -> Socket {
    let (socket, answer) = try_peer(house, id).await;
    assert_eq!(answer, ok(&json!("1"), "1", &format!("peer:{id}")));
    socket
}

/// The same, version 1.
async fn peer_one(house: &House, id: &str) -> Socket {
    let mut socket = house.socket_at(PEER_ONE, &[]).await.unwrap();
    let topic = format!("peer:{id}");
    let answer = ask(&mut socket, &json!({"topic": topic, "event": "phx_join", "payload": {}, "ref": "1"})).await;
    let expected =
        json!({"topic": topic, "event": "phx_reply", "payload": {"status": "ok", "response": {}}, "ref": "1"});
    assert_eq!(answer, expected);
    socket
}

fn say(own: &str, event: &str, payload: &Value) -> String {
    json!(["1", "5", format!("peer:{own}"), event, payload]).to_string()
}

fn heard(own: &str, event: &str, payload: &Value) -> Value {
    json!([null, null, format!("peer:{own}"), event, payload])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_gives_one_id_to_a_socket_and_closes_its_channel_when_asked() {
    let house = House::open().await;
    let mut socket = house.socket_at(BROKER, &[]).await.unwrap();
    hears_nothing(&mut socket).await;
    let other = ask(&mut socket, &json!(["1", "1", "broker:other", "phx_join", {}])).await;
    assert_eq!(other, error(&json!("1"), "1", "broker:other", "Invalid subchannel"));
    let early = ask(&mut socket, &json!(["1", "2", "broker:match", "register", {}])).await;
    assert_eq!(early, error(&json!("1"), "2", "broker:match", "unmatched topic"));
    ask(&mut socket, &json!(["3", "3", "broker:match", "phx_join", {}])).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(ask(&mut socket, &json!(["3", "4", "broker:match", "register", {}])).await[4]["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    let left = ask(&mut socket, &json!(["3", "5", "broker:match", "phx_leave", {}])).await;
    assert_eq!(left, ok(&json!("3"), "5", "broker:match"));
    assert_eq!(next(&mut socket).await, json!(["3", "3", "broker:match", "phx_close", {}]));
    let again = ask(&mut socket, &json!(["3", "6", "broker:match", "phx_leave", {}])).await;
    assert_eq!(again, ok(&json!("3"), "6", "broker:match"));
    let peers = ask(&mut socket, &json!(["7", "7", format!("peer:{}", ids[0]), "phx_join", {}])).await;
    assert_eq!(peers[4]["response"]["reason"], "unmatched topic");
    assert_ne!(id(&house).await, id(&house).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_of_both_versions_meet_and_nobody_writes_anothers_name() {
    let house = House::open().await;
    let (a_id, b_id) = (id(&house).await, id(&house).await);
    let (mut a, mut b) = (peer(&house, &a_id).await, peer_one(&house, &b_id).await);
    // The receiver speaks first, in version 1; what it says of itself is not believed.
    let connect = json!({"peer_id": a_id, "sender_id": "somebody else"});
    let frame = json!({"topic": format!("peer:{b_id}"), "event": "connect", "payload": connect, "ref": "2"});
    b.say(&frame.to_string()).await;
    assert_eq!(next(&mut a).await, heard(&a_id, "peer_connect", &json!({"peer_id": b_id})));
    let signal = json!({"type": "offer", "sdp": "v=0\r\n\"é\""});
    a.say(&say(&a_id, "offer", &json!({"offer": signal, "peer_id": b_id, "sender_id": b_id}))).await;
    let offer = json!({"offer": signal, "peer_id": a_id});
    let expected = json!({"topic": format!("peer:{b_id}"), "event": "offer", "payload": offer, "ref": null});
    assert_eq!(next(&mut b).await, expected);
    let answer = json!({"answer": signal, "peer_id": a_id, "sender_id": b_id});
    let frame = json!({"topic": format!("peer:{b_id}"), "event": "answer", "payload": answer, "ref": "3"});
    b.say(&frame.to_string()).await;
    assert_eq!(next(&mut a).await, heard(&a_id, "answer", &json!({"answer": signal, "peer_id": b_id})));
    hears_nothing(&mut a).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connect_to_nobody_is_an_error_and_an_offer_to_nobody_is_dropped() {
    let house = House::open().await;
    let own = id(&house).await;
    let mut a = peer(&house, &own).await;
    for nobody in [id(&house).await, "no uuid".to_owned(), String::new(), "x".repeat(300)] {
        let frame = serde_json::from_str(&say(&own, "connect", &json!({"peer_id": nobody}))).unwrap();
        let expected = json!(["1", null, format!("peer:{own}"), "error_connect", {"id": nobody}]);
        assert_eq!(ask(&mut a, &frame).await, expected);
        a.say(&say(&own, "offer", &json!({"offer": 1, "peer_id": nobody}))).await;
    }
    hears_nothing(&mut a).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_joiner_neither_takes_a_topic_nor_hears_what_is_said_in_it() {
    let house = House::open().await;
    let (a_id, b_id) = (id(&house).await, id(&house).await);
    let (mut a, mut b) = (peer(&house, &a_id).await, peer(&house, &b_id).await);
    let (mut thief, answer) = try_peer(&house, &a_id).await;
    assert_eq!(answer, error(&json!("1"), "1", &format!("peer:{a_id}"), "Peer id is taken"));
    let stolen =
        ask(&mut thief, &serde_json::from_str(&say(&a_id, "connect", &json!({"peer_id": b_id}))).unwrap()).await;
    assert_eq!(stolen[4]["response"]["reason"], "unmatched topic");
    b.say(&say(&b_id, "connect", &json!({"peer_id": a_id}))).await;
    assert_eq!(next(&mut a).await, heard(&a_id, "peer_connect", &json!({"peer_id": b_id})));
    hears_nothing(&mut thief).await;
    hears_nothing(&mut b).await;
    // The owner may join again; its former channel is closed.
    let topic = format!("peer:{a_id}");
    assert_eq!(ask(&mut a, &json!(["8", "8", topic, "phx_join", {}])).await, json!(["1", "1", topic, "phx_close", {}]));
    assert_eq!(next(&mut a).await, ok(&json!("8"), "8", &topic));
    // A name that was left is free.
    ask(&mut a, &json!(["8", "9", topic, "phx_leave", {}])).await;
    peer(&house, &a_id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_gone_with_its_socket() {
    let house = House::open().await;
    let (a_id, b_id) = (id(&house).await, id(&house).await);
    let mut b = peer(&house, &b_id).await;
    peer(&house, &a_id).await.kill();
    let connect: Value = serde_json::from_str(&say(&b_id, "connect", &json!({"peer_id": a_id}))).unwrap();
    let gone = json!(["1", null, format!("peer:{b_id}"), "error_connect", {"id": a_id}]);
    for _ in 0..2000 {
        b.say(&connect.to_string()).await;
        // The answer to the heartbeat comes behind the refusal, if there is one.
        let heard = ask(&mut b, &json!([null, "9", "phoenix", "heartbeat", {}])).await;
        if heard == gone {
            next(&mut b).await;
            peer(&house, &a_id).await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    panic!("the name outlives its socket");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_no_ids_and_topics_of_nobody_are_refused() {
    let house = House::open().await;
    let mut socket = house.socket_at(PEER, &[]).await.unwrap();
    for (topic, reason) in [
        ("peer:", "Invalid peer id"),
        ("peer:x", "Invalid peer id"),
        ("peer:../../x", "Invalid peer id"),
        ("broker:match", "unmatched topic"),
        ("rooms:lobby", "unmatched topic"),
        ("", "unmatched topic"),
    ] {
        let answer = ask(&mut socket, &json!(["1", "1", topic, "phx_join", {}])).await;
        assert_eq!(answer, error(&json!("1"), "1", topic, reason), "{topic}");
    }
    for refused in ["/ws/websocket?vsn=3.0.0", "/peer/websocket?vsn="] {
        assert_eq!(house.socket_at(refused, &[]).await.err(), Some(403), "{refused}");
    }
    for unknown in ["/ws/websocket/", "/peer", "/websocket", "/ws/../ws/websocket"] {
        assert_eq!(house.socket_at(unknown, &[]).await.err(), Some(404), "{unknown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_of_wrong_types_are_dropped_and_broken_frames_end_the_socket() {
    let house = House::open().await;
    let own = id(&house).await;
    let mut a = peer(&house, &own).await;
    for payload in [json!(null), json!([]), json!({"peer_id": 1}), json!({"peer_id": null}), json!({"offer": 1})] {
        a.say(&say(&own, "connect", &payload)).await;
        a.say(&say(&own, "offer", &payload)).await;
        a.say(&say(&own, "shout", &payload)).await;
    }
    let twice = format!(r#"["1","1","peer:{own}","connect",{{"peer_id":"{own}","peer_id":"{own}"}}]"#);
    a.say(&twice).await;
    hears_nothing(&mut a).await;
    let deep = format!(r#"[null,"1","phoenix","heartbeat",{}{}]"#, "[".repeat(5000), "]".repeat(5000));
    for odd in ["", "{", "[]", r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}"#, &deep] {
        let mut socket = house.socket_at(PEER, &[]).await.unwrap();
        socket.say(odd).await;
        assert_eq!(socket.closed().await, Some(1008), "{odd:.60}");
    }
    let mut long = house.socket_at(PEER, &[]).await.unwrap();
    let _ = long.0.send("x".repeat(64 * 1024 + 1).into()).await;
    assert_eq!(long.closed().await, Some(1009));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_ends_the_socket_and_frees_its_name() {
    let house = House::open().await;
    let own = id(&house).await;
    let mut flooder = peer(&house, &own).await;
    for _ in 0..2000 {
        if flooder.0.feed(say(&own, "shout", &json!({})).into()).await.is_err() {
            break;
        }
    }
    let _ = flooder.0.flush().await;
    assert_eq!(flooder.closed().await, Some(1008));
    for _ in 0..2000 {
        if try_peer(&house, &own).await.1[4]["status"] == "ok" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the name outlives its socket");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_socket_has_so_many_topics_and_no_more() {
    let house = House::with(|config| config.bounds.topics = 2).await;
    let mut socket = house.socket_at(PEER, &[]).await.unwrap();
    for n in 0..3 {
        let topic = format!("peer:00000000-0000-4000-8000-00000000000{n}");
        let answer = ask(&mut socket, &json!(["1", "1", topic, "phx_join", {}])).await;
        let expected =
            if n < 2 { ok(&json!("1"), "1", &topic) } else { error(&json!("1"), "1", &topic, "Too many topics") };
        assert_eq!(answer, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_for_the_subprotocol_gets_it() {
    let house = House::open().await;
    let protocols = [("sec-websocket-protocol", "phoenix, base64url.bearer.phx.dG9rZW4")];
    // The client closes unless one of those it named is chosen.
    assert!(house.socket_at(BROKER, &protocols).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_of_two_nodes_meet() {
    let engines = (Arc::new(MemoryStore::new(100)), Arc::new(MemoryBus::default()));
    let here = House::sharing(|_| {}, Some(engines.clone())).await;
    let there = House::sharing(|_| {}, Some(engines)).await;
    let (a_id, b_id) = (id(&here).await, id(&there).await);
    let (mut a, mut b) = (peer(&here, &a_id).await, peer(&there, &b_id).await);
    b.say(&say(&b_id, "connect", &json!({"peer_id": a_id}))).await;
    assert_eq!(next(&mut a).await, heard(&a_id, "peer_connect", &json!({"peer_id": b_id})));
    assert_eq!(try_peer(&there, &a_id).await.1[4]["response"]["reason"], "Peer id is taken");
    a.say(&say(&a_id, "offer", &json!({"offer": {}, "peer_id": b_id}))).await;
    assert_eq!(next(&mut b).await, heard(&b_id, "offer", &json!({"offer": {}, "peer_id": a_id})));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_file_sharing_leads_to_its_page_and_not_to_the_landing_page() {
    let house = House::open().await;
    assert_eq!(house.get("/?peer_id=0123&lang=de").await.body, "drop");
    assert_eq!(house.get("/?peer=0123").await.body, "landing");
}
