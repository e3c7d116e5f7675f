//! `PeerJS`, frame by frame: names, mailboxes, lists, and what hostile clients send.

use std::{sync::Arc, time::Duration};

use futures_util::SinkExt;
use posthouse_rooms::{MemoryBus, MemoryStore};
use serde_json::{Value, json};

use crate::house::{House, Socket};

const OPEN: &str = r#"{"type":"OPEN"}"#;

/// A server under which nothing runs out while a test waits.
async fn calm() -> House {
    let house = House::with(|config| {
        config.rooms.resume = Duration::from_secs(3600);
        config.peerjs.expire_timeout = Duration::from_secs(3600);
    });
    house.await
}

fn path(id: &str, token: &str) -> String {
    format!("/peerjs/peerjs?key=peerjs&id={id}&token={token}&version=1.5.5")
}

/// The first thing that is said to somebody.
async fn met(house: &House, path: &str) -> (Socket, String) {
    let mut socket = house.socket_at(path, &[]).await.unwrap();
    let first = socket.frame().await.expect("a frame comes");
    (socket, first)
}

async fn peer(house: &House, id: &str) -> Socket {
    let (socket, first) = met(house, &path(id, &format!("token-of-{id}"))).await;
    assert_eq!(first, OPEN, "{id}");
    socket
}

async fn next(socket: &mut Socket) -> Value {
    serde_json::from_str(&socket.frame().await.expect("a frame comes")).unwrap()
}

async fn offer(socket: &mut Socket, dst: &str, payload: &Value) {
    socket.say(&json!({"type": "OFFER", "dst": dst, "payload": payload}).to_string()).await;
}

/// Why somebody is not let in.
async fn refused(house: &House, path: &str) -> String {
    let (mut socket, first) = met(house, path).await;
    assert_eq!(socket.closed().await, Some(1008), "{path}");
    first
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_signal_by_name_and_nobody_speaks_for_another() {
    let house = calm().await;
    let (mut a, mut b) = (peer(&house, "ada").await, peer(&house, "bob").await);
    a.say(r#"{"type":"HEARTBEAT"}"#).await;
    a.say(r#"{"type":"OFFER","src":"eve","dst":"bob","payload":{"sdp":"é"},"extra":1}"#).await;
    let expected = r#"{"type":"OFFER","src":"ada","dst":"bob","payload":{"sdp":"é"}}"#;
    assert_eq!(b.frame().await.as_deref(), Some(expected));
    for kind in ["ANSWER", "CANDIDATE", "LEAVE", "EXPIRE"] {
        b.say(&format!(r#"{{"type":"{kind}","dst":"ada","payload":1}}"#)).await;
        let expected = format!(r#"{{"type":"{kind}","src":"bob","dst":"ada","payload":1}}"#);
        assert_eq!(a.frame().await, Some(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_peer_is_flushed_in_order_behind_open() {
    let house = calm().await;
    let mut a = peer(&house, "ada").await;
    for n in 0..20 {
        offer(&mut a, "bob", &json!(n)).await;
    }
    // What is now or never is not kept.
    a.say(r#"{"type":"LEAVE","dst":"bob"}"#).await;
    offer(&mut a, "ada", &json!("all is on its way")).await;
    assert_eq!(next(&mut a).await["payload"], "all is on its way");
    let mut b = peer(&house, "bob").await;
    for n in 0..20 {
        assert_eq!(next(&mut b).await, json!({"type": "OFFER", "src": "ada", "dst": "bob", "payload": n}));
    }
    offer(&mut a, "bob", &json!("last")).await;
    assert_eq!(next(&mut b).await["payload"], "last");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_in_time_expires_once_for_each_pair() {
    let house = House::with(|config| config.peerjs.expire_timeout = Duration::from_millis(100)).await;
    let mut a = peer(&house, "ada").await;
    for n in 0..3 {
        offer(&mut a, "nobody", &json!(n)).await;
    }
    offer(&mut a, "no one", &json!(0)).await;
    let mut expired = [a.frame().await.unwrap(), a.frame().await.unwrap()];
    expired.sort();
    assert_eq!(expired[0], r#"{"type":"EXPIRE","src":"no one","dst":"ada"}"#);
    assert_eq!(expired[1], r#"{"type":"EXPIRE","src":"nobody","dst":"ada"}"#);
    offer(&mut a, "ada", &json!("next")).await;
    assert_eq!(next(&mut a).await["payload"], "next");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_wait_for_nobody_expires_at_once() {
    let house = House::with(|config| {
        config.peerjs.expire_timeout = Duration::from_secs(3600);
        config.rates.socket_messages.per_second = 0;
    });
    let house = house.await;
    let mut a = peer(&house, "ada").await;
    let long = "x".repeat(257);
    offer(&mut a, &long, &json!(0)).await;
    assert_eq!(next(&mut a).await, json!({"type": "EXPIRE", "src": long, "dst": "ada"}));
    // One keeps no more waiting than a mailbox takes, for however many who are not there; and a mailbox takes no more
    // from however many.
    for n in 0..256 {
        offer(&mut a, &format!("nobody {n}"), &json!(n)).await;
    }
    offer(&mut a, "bob", &json!(0)).await;
    assert_eq!(next(&mut a).await, json!({"type": "EXPIRE", "src": "bob", "dst": "ada"}));
    let mut senders = [peer(&house, "carol").await, peer(&house, "dan").await];
    for n in 0..128 {
        for sender in &mut senders {
            offer(sender, "bob", &json!(n)).await;
        }
    }
    for (sender, id) in senders.iter_mut().zip(["carol", "dan"]) {
        offer(sender, id, &json!("all is on its way")).await;
        assert_eq!(next(sender).await["payload"], "all is on its way");
    }
    let mut erin = peer(&house, "erin").await;
    offer(&mut erin, "bob", &json!(0)).await;
    assert_eq!(next(&mut erin).await, json!({"type": "EXPIRE", "src": "bob", "dst": "erin"}));
    // Those who are there hear everybody.
    offer(&mut a, "erin", &json!("hello")).await;
    assert_eq!(next(&mut erin).await["payload"], "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_fit_on_the_list_is_there_nevertheless() {
    let house = House::with(|config| {
        config.peerjs.allow_discovery = true;
        config.bounds.members = 1;
    });
    let house = house.await;
    let (mut a, mut b) = (peer(&house, "ada").await, peer(&house, "bob").await);
    assert_eq!(house.get("/peerjs/peers").await.json(), json!(["ada"]));
    offer(&mut a, "bob", &json!("hello")).await;
    assert_eq!(next(&mut b).await["payload"], "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_its_tokens_and_who_comes_back_hears_open() {
    let house = calm().await;
    let mut a = peer(&house, "ada").await;
    let taken = r#"{"type":"ID-TAKEN","payload":{"msg":"ID is taken"}}"#;
    assert_eq!(refused(&house, &path("ada", "another")).await, taken);
    // The network changed before the old socket is known dead.
    let mut again = peer(&house, "ada").await;
    assert_eq!(a.closed().await, Some(1000));
    drop(a);
    let mut b = peer(&house, "bob").await;
    offer(&mut b, "ada", &json!(1)).await;
    assert_eq!(next(&mut again).await["payload"], 1);
    // A lost socket: the name and what is said to it wait for its owner, and for nobody else.
    again.kill();
    wait(&house, 1).await;
    assert_eq!(refused(&house, &path("ada", "another")).await, taken);
    offer(&mut b, "ada", &json!(2)).await;
    b.say(r#"{"type":"LEAVE","dst":"ada"}"#).await;
    offer(&mut b, "bob", &json!("done")).await;
    assert_eq!(next(&mut b).await["payload"], "done");
    let mut again = peer(&house, "ada").await;
    assert_eq!(next(&mut again).await["payload"], 2);
    assert_eq!(next(&mut again).await["type"], "LEAVE");
}

/// Waits until the server has so many sockets.
async fn wait(house: &House, sockets: u64) {
    for _ in 0..2000 {
        if house.signaling.stats().sockets == sockets {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("expected {sockets} sockets, got {}", house.signaling.stats().sockets);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_loaded_again_gets_its_name_under_another_token() {
    let house = calm().await;
    for token in ["first", "second", "third"] {
        let (socket, first) = met(&house, &path("ada", token)).await;
        assert_eq!(first, OPEN, "{token}");
        socket.close().await;
        wait(&house, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_goodbye_of_an_older_socket_does_not_end_the_newer_one() {
    let house = calm().await;
    let older = peer(&house, "ada").await;
    let mut newer = peer(&house, "ada").await;
    older.close().await;
    wait(&house, 1).await;
    offer(&mut newer, "ada", &json!("still here")).await;
    assert_eq!(next(&mut newer).await["payload"], "still here");
    assert!(refused(&house, &path("ada", "another")).await.contains("ID-TAKEN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leave_to_nobody_gives_the_name_up() {
    let house = calm().await;
    let mut a = peer(&house, "ada").await;
    a.say(r#"{"type":"LEAVE"}"#).await;
    assert_eq!(a.closed().await, Some(1000));
    assert_eq!(met(&house, &path("ada", "another")).await.1, OPEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_originals_words_refuse_what_is_missing_wrong_or_too_long() {
    let house = House::with(|config| config.peerjs.keys = vec!["peerjs".to_owned(), "app".to_owned()]).await;
    let error = |msg: &str| format!(r#"{{"type":"ERROR","payload":{{"msg":"{msg}"}}}}"#);
    let missing = error("No id, token, or key supplied to websocket server");
    for query in ["", "?key=peerjs&id=a", "?key=peerjs&token=t", "?id=a&token=t", "?key=peerjs&id=&token=t"] {
        assert_eq!(refused(&house, &format!("/peerjs{query}")).await, missing, "{query}");
    }
    assert_eq!(refused(&house, "/peerjs?key=other&id=a&token=t").await, error("Invalid key provided"));
    let sound = "é".repeat(64);
    assert_eq!(met(&house, &format!("/peerjs?key=app&id={}&token=t", "%C3%A9".repeat(64))).await.1, OPEN);
    assert_eq!(sound.len(), 128);
    for id in ["x".repeat(65), "a%00b".to_owned(), "a%0Ab".to_owned()] {
        let said = refused(&house, &format!("/peerjs?key=app&id={id}&token=t")).await;
        assert!(said.contains("Invalid id provided"), "{said}");
    }
    // A token may be as long as a JWT with many claims.
    assert_eq!(met(&house, &path("jwt", &"eyJ.".repeat(1000))).await.1, OPEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_more_than_the_server_takes_is_told_so() {
    let house = House::with(|config| config.max_identities = 1).await;
    let _a = peer(&house, "ada").await;
    let said = refused(&house, &path("bob", "t")).await;
    assert_eq!(said, r#"{"type":"ERROR","payload":{"msg":"Server has reached its concurrent user limit"}}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_of_two_keys_never_meet() {
    let house = House::with(|config| config.peerjs.allow_discovery = true).await;
    let mut a = peer(&house, "ada").await;
    let (mut other, first) = met(&house, "/peerjs?key=other&id=ada&token=x").await;
    assert_eq!(first, OPEN);
    offer(&mut a, "ada", &json!("mine")).await;
    offer(&mut other, "ada", &json!("theirs")).await;
    assert_eq!(next(&mut a).await["payload"], "mine");
    assert_eq!(next(&mut other).await["payload"], "theirs");
    let _b = peer(&house, "bob").await;
    assert_eq!(house.get("/peerjs/peerjs/peers").await.json(), json!(["ada", "bob"]));
    assert_eq!(house.get("/peerjs/peers").await.json(), json!(["ada", "bob"]));
    assert_eq!(house.get("/peerjs/other/peers").await.json(), json!(["ada"]));
    assert_eq!(house.get("/peerjs/nobodys/peers").await.json(), json!([]));
    other.close().await;
    wait(&house, 2).await;
    assert_eq!(house.get("/peerjs/other/peers").await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_for_everybody_and_lists_only_where_they_are_allowed() {
    let house = House::with(|config| config.peerjs.keys = vec!["app".to_owned()]).await;
    for path in ["/peerjs/id", "/peerjs/app/id", "/peerjs/any/id?ts=1&version=1.5.5"] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.body.len(), &answer.body[14..15]), (200, 36, "4"), "{path}");
    }
    assert_ne!(house.get("/peerjs/id").await.body, house.get("/peerjs/id").await.body);
    for path in ["/peerjs", "/peerjs/"] {
        let info = house.get(path).await.json();
        assert!(["name", "description", "website"].iter().all(|key| info[key].is_string()), "{info}");
    }
    for path in ["/peerjs/app/peers", "/peerjs/peers", "/peerjs/wrong/peers"] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, "Unauthorized"), "{path}");
    }
    let origin = [("Origin", "https://app.example")];
    for path in ["/peerjs", "/peerjs/app/id", "/peerjs/app/peers"] {
        let answer = house.ask("OPTIONS", path, &origin, "").await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some("*")), "{path}");
    }
    for path in ["/peerjs/app/ids", "/peerjs/app/x/id", "/peerjs/../peerjs/app/peers", "/peerjs//peers/"] {
        assert_eq!(house.get(path).await.status, 404, "{path}");
    }
    assert_eq!(house.get("/peerjs/%00/peers").await.status, 400);
    assert_eq!(house.socket_at("/peerjs/peerjs/x?key=app&id=a&token=t", &[]).await.err(), Some(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_lists_nobody_even_where_lists_are_allowed() {
    let house = House::with(|config| {
        config.peerjs.keys = vec!["app".to_owned()];
        config.peerjs.allow_discovery = true;
    });
    let house = house.await;
    assert_eq!(house.get("/peerjs/wrong/peers").await.status, 401);
    assert_eq!(house.get("/peerjs/app/peers").await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_dropped_and_the_socket_stays() {
    let house = calm().await;
    let mut a = peer(&house, "ada").await;
    let deep = format!(r#"{{"type":"OFFER","dst":"ada","payload":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    for odd in [
        "",
        "{",
        "[1]",
        "null",
        r#"{"type":"OFFER"}"#,
        r#"{"type":"SHOUT","dst":"ada"}"#,
        r#"{"type":"OFFER","dst":{"id":"ada"}}"#,
        r#"{"type":"OFFER","dst":"ada","dst":"ada"}"#,
        r#"{"type":"EXPIRE"}"#,
        &deep,
    ] {
        a.say(odd).await;
    }
    offer(&mut a, "ada", &json!("next")).await;
    assert_eq!(next(&mut a).await["payload"], "next");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_and_a_message_that_is_too_long_end_the_socket() {
    let house = calm().await;
    let mut flooder = peer(&house, "ada").await;
    for _ in 0..2000 {
        let said = flooder.0.feed(r#"{"type":"HEARTBEAT"}"#.into()).await;
        if said.is_err() {
            break;
        }
    }
    let _ = flooder.0.flush().await;
    assert_eq!(flooder.frame().await.as_deref(), Some(r#"{"type":"ERROR","payload":{"msg":"Too many messages"}}"#));
    assert_eq!(flooder.closed().await, Some(1008));
    let mut long = peer(&house, "bob").await;
    let _ = long.0.send("x".repeat(64 * 1024 + 1).into()).await;
    assert_eq!(long.closed().await, Some(1009));
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_of_two_nodes_find_each_other() {
    let engines = (Arc::new(MemoryStore::new(100)), Arc::new(MemoryBus::default()));
    let discover = |config: &mut posthouse_signaling::Config| config.peerjs.allow_discovery = true;
    let here = House::sharing(discover, Some(engines.clone())).await;
    let there = House::sharing(discover, Some(engines)).await;
    let (mut a, mut b) = (peer(&here, "ada").await, peer(&there, "bob").await);
    for n in 0..50 {
        offer(&mut a, "bob", &json!(n)).await;
    }
    for n in 0..50 {
        assert_eq!(next(&mut b).await["payload"], n);
    }
    assert_eq!(there.get("/peerjs/peers").await.json(), json!(["ada", "bob"]));
    // The owner comes back elsewhere.
    let mut moved = peer(&there, "ada").await;
    assert_eq!(a.closed().await, Some(1000));
    offer(&mut b, "ada", &json!("moved")).await;
    assert_eq!(next(&mut moved).await["payload"], "moved");
}
