//! y-webrtc's topics and matchbox's rooms, frame by frame.

use std::sync::Arc;

use posthouse_rooms::{MemoryBus, MemoryStore};
use serde_json::{Value, json};

use crate::house::{House, Socket};

/// What has come by the time the answer to a ping comes: all that followed from what this client said before, and from
/// what others said if they were asked first.
async fn heard(socket: &mut Socket) -> Vec<Value> {
    socket.say(r#"{"type":"ping"}"#).await;
    let mut heard = Vec::new();
    loop {
        let frame: Value = serde_json::from_str(&socket.frame().await.expect("a frame comes")).unwrap();
        if frame["type"] == "pong" {
            return heard;
        }
        heard.push(frame);
    }
}

async fn yjs(house: &House, topics: &[&str]) -> Socket {
    let mut socket = house.socket_at("/yjs?room=x", &[]).await.unwrap();
    socket.say(&json!({"type": "subscribe", "topics": topics}).to_string()).await;
    assert_eq!(heard(&mut socket).await, [Value::Null; 0]);
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_reaches_all_subscribers_of_its_topic_and_the_sender() {
    let house = House::open().await;
    let (mut a, mut b, mut other) =
        (yjs(&house, &["t", "u"]).await, yjs(&house, &["t"]).await, yjs(&house, &["v"]).await);
    let data = json!({"type": "publish", "topic": "t", "data": {"type": "announce", "from": "é\"", "n": 1}});
    a.say(&data.to_string()).await;
    let mut expected = data.clone();
    expected["clients"] = json!(2);
    assert_eq!(heard(&mut a).await, [expected.clone()]);
    assert_eq!(heard(&mut b).await, [expected]);
    // One may publish without subscribing, and hears nothing of it.
    other.say(&data.to_string()).await;
    assert_eq!(heard(&mut other).await, [Value::Null; 0]);
    assert_eq!((heard(&mut a).await.len(), heard(&mut b).await.len()), (1, 1));
    b.say(r#"{"type":"unsubscribe","topics":["t"]}"#).await;
    assert_eq!(heard(&mut b).await, [Value::Null; 0]);
    a.say(&data.to_string()).await;
    assert_eq!(heard(&mut a).await[0]["clients"], 1);
    assert_eq!(heard(&mut b).await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn trysteros_spelling_meets_the_same_topics() {
    let house = House::open().await;
    let mut a = yjs(&house, &["t"]).await;
    let mut b = house.socket_at("/yjs", &[]).await.unwrap();
    b.say(r#"{"type":"subscribe","topic":"t"}"#).await;
    b.say(r#"{"type":"publish","topic":"t","payload":"hello"}"#).await;
    for socket in [&mut b, &mut a] {
        let frame = &heard(socket).await[0];
        assert_eq!((&frame["topic"], &frame["payload"]), (&json!("t"), &json!("hello")));
    }
    b.say(r#"{"type":"unsubscribe","topic":"t"}"#).await;
    assert_eq!(heard(&mut b).await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_ignored_and_a_dead_subscriber_is_not_counted() {
    let house = House::open().await;
    assert_eq!(house.get("/yjs").await.body, "okay");
    let (mut a, b) = (yjs(&house, &["t"]).await, yjs(&house, &["t"]).await);
    for odd in ["", "{", "[1]", "null", r#"{"type":"shout"}"#, r#"{"type":"publish"}"#, r#"{"topics":["t"]}"#] {
        a.say(odd).await;
    }
    assert_eq!(heard(&mut a).await, [Value::Null; 0]);
    b.kill();
    for _ in 0..1000 {
        a.say(r#"{"type":"publish","topic":"t"}"#).await;
        if heard(&mut a).await[0]["clients"] == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("a dead subscriber is counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_of_two_nodes_hear_each_other() {
    let engines = (Arc::new(MemoryStore::new(100)), Arc::new(MemoryBus::default()));
    let here = House::sharing(|_| {}, Some(engines.clone())).await;
    let there = House::sharing(|_| {}, Some(engines)).await;
    let (mut a, mut b) = (yjs(&here, &["t"]).await, yjs(&there, &["t"]).await);
    for n in 0..50 {
        a.say(&json!({"type": "publish", "topic": "t", "n": n}).to_string()).await;
    }
    let numbers: Vec<Value> = heard(&mut a).await.iter().map(|frame| frame["n"].clone()).collect();
    assert_eq!(numbers, (0..50).map(Value::from).collect::<Vec<_>>());
    let numbers: Vec<Value> = heard(&mut b).await.iter().map(|frame| frame["n"].clone()).collect();
    assert_eq!(numbers, (0..50).map(Value::from).collect::<Vec<_>>());
}

/// A matchbox peer and the id it was given.
async fn peer(house: &House, room: &str) -> (Socket, String) {
    let mut socket = house.socket_at(&format!("/matchbox/{room}"), &[]).await.unwrap();
    let first: Value = serde_json::from_str(&socket.frame().await.unwrap()).unwrap();
    let id = first["IdAssigned"].as_str().unwrap().to_owned();
    assert_eq!((id.len(), &id[14..15]), (36, "4"));
    (socket, id)
}

async fn next(socket: &mut Socket) -> Value {
    serde_json::from_str(&socket.frame().await.expect("a frame comes")).unwrap()
}

async fn signal(socket: &mut Socket, receiver: &str, data: &Value) {
    socket.say(&json!({"Signal": {"receiver": receiver, "data": data}}).to_string()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_of_a_room_hear_of_each_other_and_signal() {
    let house = House::open().await;
    let (mut a, a_id) = peer(&house, "game").await;
    let (mut b, b_id) = peer(&house, "game").await;
    assert_eq!(next(&mut a).await, json!({"NewPeer": b_id}));
    let offer = json!({"Offer": "v=0\r\n\"é\""});
    signal(&mut a, &b_id, &offer).await;
    assert_eq!(next(&mut b).await, json!({"Signal": {"sender": a_id, "data": offer}}));
    b.say("\"KeepAlive\"").await;
    b.say("nonsense").await;
    signal(&mut b, "nobody", &offer).await;
    signal(&mut b, &a_id, &json!({"IceCandidate": "{}"})).await;
    assert_eq!(next(&mut a).await["Signal"]["data"], json!({"IceCandidate": "{}"}));
    b.kill();
    assert_eq!(next(&mut a).await, json!({"PeerLeft": b_id}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_does_not_cross_rooms() {
    let house = House::open().await;
    let (mut a, a_id) = peer(&house, "one").await;
    let (mut b, _) = peer(&house, "two").await;
    signal(&mut b, &a_id, &json!({"Offer": "stolen"})).await;
    // A room mate's word comes after it, and is the first that is heard.
    let (mut c, c_id) = peer(&house, "one").await;
    assert_eq!(next(&mut a).await, json!({"NewPeer": c_id}));
    signal(&mut c, &a_id, &json!({"Offer": "honest"})).await;
    assert_eq!(next(&mut a).await["Signal"]["data"]["Offer"], "honest");
    for refused in ["/matchbox/a/b", "/matchbox/a?next=1", "/matchbox/a?next=x"] {
        assert!([400, 404].contains(&house.socket_at(refused, &[]).await.err().unwrap()), "{refused}");
    }
    assert_eq!(house.get("/matchbox/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_two_meet_and_are_left_alone() {
    let house = House::open().await;
    let (mut a, _) = peer(&house, "duel?next=2").await;
    let (mut b, b_id) = peer(&house, "duel?next=2").await;
    let (mut c, c_id) = peer(&house, "duel?next=2").await;
    let (mut d, d_id) = peer(&house, "duel?next=2").await;
    let (mut solo, _) = peer(&house, "duel").await;
    assert_eq!(next(&mut a).await, json!({"NewPeer": b_id}));
    assert_eq!(next(&mut c).await, json!({"NewPeer": d_id}));
    signal(&mut solo, &c_id, &json!({"Offer": "stolen"})).await;
    signal(&mut b, &c_id, &json!({"Offer": "stolen"})).await;
    signal(&mut d, &c_id, &json!({"Offer": "honest"})).await;
    assert_eq!(next(&mut c).await["Signal"]["data"]["Offer"], "honest");
    // One who left a sealed group is missed there, and its place stays empty.
    b.close().await;
    assert_eq!(next(&mut a).await, json!({"PeerLeft": b_id}));
    let (mut e, _) = peer(&house, "duel?next=2").await;
    let (_f, f_id) = peer(&house, "duel?next=2").await;
    assert_eq!(next(&mut e).await, json!({"NewPeer": f_id}));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_leaves_the_lobby_is_not_counted_among_the_next() {
    let house = House::open().await;
    let (a, _) = peer(&house, "trio?next=2").await;
    a.close().await;
    for _ in 0..1000 {
        if house.signaling.stats().sockets == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let (mut b, _) = peer(&house, "trio?next=2").await;
    let (_c, c_id) = peer(&house, "trio?next=2").await;
    assert_eq!(next(&mut b).await, json!({"NewPeer": c_id}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_message_tells_the_dialect_where_several_arrive() {
    let house = House::with(|config| config.root = Some("auto".to_owned())).await;
    let mut a = yjs(&house, &["t"]).await;
    for path in ["/", "/auto"] {
        let mut b = house.socket_at(path, &[]).await.unwrap();
        b.say(r#"{"type":"publish","topic":"t"}"#).await;
        assert_eq!(heard(&mut b).await.len(), 0);
        assert_eq!(heard(&mut a).await.len(), 1);
    }
    let member = house.join("kitchen").await;
    let mut collider = house.socket_at("/", &[]).await.unwrap();
    collider.register("kitchen", &member.id).await;
    assert_eq!(collider.heard().await, [""; 0]);
    let mut nobody = house.socket_at("/", &[]).await.unwrap();
    nobody.say("{}").await;
    assert_eq!(nobody.closed().await, Some(1008));
    assert_eq!(house.get("/").await.body, "landing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialect_that_is_switched_off_is_not_there() {
    let house = House::with(|config| config.disabled = vec!["yjs".to_owned()]).await;
    assert_eq!(house.socket_at("/yjs", &[]).await.err(), Some(404));
    assert_eq!(house.get("/yjs").await.status, 404);
    peer(&house, "x").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_is_in_so_many_topics_and_no_more() {
    let house = House::with(|config| config.bounds.topics = 3).await;
    let mut socket = yjs(&house, &["a", "b", "c"]).await;
    socket.say(r#"{"type":"subscribe","topic":"d"}"#).await;
    assert_eq!(socket.closed().await, Some(1008));
}
