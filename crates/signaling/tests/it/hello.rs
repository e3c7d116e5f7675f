//! `HelloWebRTC`'s two dialects, byte for byte as its clients of 2014 speak and read them.

use std::{sync::Arc, time::Duration};

use posthouse_rooms::{MemoryBus, MemoryStore};

use crate::house::{House, Socket};

/// What `signalclient.js` of `signalServer` writes, in the order of its assignments.
fn join_a(from: &str) -> String {
    format!(r#"{{"_from":"{from}","_messageType":"broadcast","_contentType":"join","_content":"hello"}}"#)
}

fn sdp_a(kind: &str, to: &str, from: &str) -> String {
    format!(
        r#"{{"_to":"{to}","_from":"{from}","_messageType":"unicast","_contentType":"{kind}","_content":"v=0\r\ns=-\r\n"}}"#
    )
}

/// The same of `signalPeer`.
fn join_b(from: &str) -> String {
    format!(r#"{{"from":"{from}","messageType":"broadcast","content":{{"contentType":"join","body":"hello"}}}}"#)
}

fn candidate_b(to: &str, from: &str) -> String {
    format!(
        r#"{{"to":"{to}","from":"{from}","messageType":"unicast","content":{{"contentType":"candidate","body":{{"candidate":"candidate:1","sdpMid":"0"}}}}}}"#
    )
}

/// All that has come by now: a word to oneself comes after it.
async fn heard(socket: &mut Socket, own: &str) -> Vec<String> {
    socket.say(&sdp_a("marker", own, own)).await;
    let mut heard = Vec::new();
    loop {
        let frame = socket.frame().await.expect("a frame comes");
        if frame.contains("marker") {
            return heard;
        }
        heard.push(frame);
    }
}

async fn enter(house: &House, path: &str, name: &str) -> Socket {
    let mut socket = house.socket_at(path, &[]).await.unwrap();
    socket.say(&join_a(name)).await;
    assert_eq!(
        socket.frame().await.unwrap(),
        format!(r#"{{"_contentType":"join","_content":"hello","_from":"{name}"}}"#)
    );
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn dialect_a_reads_what_the_original_wrote() {
    let house = House::open().await;
    let mut a = enter(&house, "/hello", "a").await;
    let mut b = enter(&house, "/hello", "b").await;
    assert_eq!(a.frame().await.unwrap(), r#"{"_contentType":"join","_content":"hello","_from":"b"}"#);
    a.say(&sdp_a("offer", "b", "a")).await;
    assert_eq!(
        b.frame().await.unwrap(),
        r#"{"_contentType":"offer","_content":"v=0\r\ns=-\r\n","_to":"b","_from":"a"}"#
    );
    b.say(&sdp_a("answer", "a", "b")).await;
    assert_eq!(
        a.frame().await.unwrap(),
        r#"{"_contentType":"answer","_content":"v=0\r\ns=-\r\n","_to":"a","_from":"b"}"#
    );
    // Nobody has this name: nothing happens.
    a.say(&sdp_a("offer", "nobody", "a")).await;
    assert_eq!(heard(&mut a, "a").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dialect_b_reads_what_the_original_wrote_and_never_meets_a() {
    let house = House::open().await;
    let mut other = enter(&house, "/hello", "b").await;
    let mut a = house.socket_at("/hello", &[]).await.unwrap();
    let mut b = house.socket_at("/hello", &[]).await.unwrap();
    a.say(&join_b("a")).await;
    assert_eq!(a.frame().await.unwrap(), r#"{"content":{"contentType":"join","body":"hello"},"from":"a"}"#);
    b.say(&join_b("b")).await;
    for socket in [&mut a, &mut b] {
        assert_eq!(socket.frame().await.unwrap(), r#"{"content":{"contentType":"join","body":"hello"},"from":"b"}"#);
    }
    // The other spelling says nothing here any more.
    a.say(&join_a("a")).await;
    a.say(&candidate_b("b", "a")).await;
    assert_eq!(
        b.frame().await.unwrap(),
        r#"{"content":{"contentType":"candidate","body":{"candidate":"candidate:1","sdpMid":"0"}},"to":"b","from":"a"}"#
    );
    assert_eq!(heard(&mut other, "b").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_only_says_its_name_hears_the_others() {
    let house = House::open().await;
    let mut quiet = house.socket_at("/hello", &[]).await.unwrap();
    quiet.say(r#"{"_from":"quiet","_messageType":"register"}"#).await;
    for odd in ["", "hello", "[1]", r#"{"_from":1}"#, r#"{"_from":""}"#, r#"{"_from":"x","_from":"y"}"#] {
        quiet.say(odd).await;
    }
    assert_eq!(heard(&mut quiet, "quiet").await, [""; 0]);
    let _a = enter(&house, "/hello", "a").await;
    assert_eq!(quiet.frame().await.unwrap(), r#"{"_contentType":"join","_content":"hello","_from":"a"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_by_path_and_by_query_are_apart() {
    let house = House::open().await;
    let mut one = enter(&house, "/hello", "a").await;
    let mut two = enter(&house, "/hello/kitchen", "a").await;
    let mut three = enter(&house, "/hello?room=kitchen", "b").await;
    assert_eq!(two.frame().await.unwrap(), r#"{"_contentType":"join","_content":"hello","_from":"b"}"#);
    three.say(&sdp_a("offer", "a", "b")).await;
    assert!(two.frame().await.unwrap().contains(r#""_from":"b""#));
    assert_eq!(heard(&mut one, "a").await, [""; 0]);
    assert_eq!(house.socket_at("/hello/a/b", &[]).await.err(), Some(404));
    let long = format!("/hello/{}", "x".repeat(300));
    assert_eq!(house.socket_at(&long, &[]).await.err(), Some(400));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_name_is_refused_and_its_owner_goes_on() {
    let house = House::open().await;
    let mut owner = enter(&house, "/hello", "a").await;
    let mut thief = enter(&house, "/hello", "t").await;
    assert!(owner.frame().await.unwrap().contains("\"t\""));
    thief.say(&sdp_a("offer", "a", "a")).await;
    assert_eq!(thief.closed().await, Some(1008));
    let mut second = house.socket_at("/hello", &[]).await.unwrap();
    second.say(&join_a("a")).await;
    assert_eq!(second.closed().await, Some(1008));
    assert_eq!(heard(&mut owner, "a").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_gives_a_name_to_whoever_spoke_last() {
    let house = House::with(|config| config.hello.legacy = true).await;
    let mut first = enter(&house, "/hello", "a").await;
    let mut second = enter(&house, "/hello", "a").await;
    assert_eq!(first.closed().await, Some(1000));
    let mut b = enter(&house, "/hello", "b").await;
    b.say(&sdp_a("offer", "a", "b")).await;
    assert!(second.frame().await.unwrap().contains("join"));
    assert!(second.frame().await.unwrap().contains("offer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_socket_gives_its_name_up_and_says_so_where_that_is_wanted() {
    let house = House::with(|config| config.hello.leave = true).await;
    let mut a = enter(&house, "/hello", "a").await;
    let b = enter(&house, "/hello", "b").await;
    assert!(a.frame().await.unwrap().contains("join"));
    b.kill();
    assert_eq!(a.frame().await.unwrap(), r#"{"_contentType":"leave","_content":"bye","_from":"b"}"#);
    enter(&house, "/hello", "b").await;
    let mut c = house.socket_at("/hello", &[]).await.unwrap();
    c.say(&join_b("c")).await;
    c.frame().await.unwrap();
    let mut d = house.socket_at("/hello", &[]).await.unwrap();
    d.say(&join_b("d")).await;
    d.frame().await.unwrap();
    c.close().await;
    assert_eq!(d.frame().await.unwrap(), r#"{"content":{"contentType":"leave","body":"bye"},"from":"c"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_nothing_is_said_of_one_who_is_gone() {
    let house = House::open().await;
    let mut a = enter(&house, "/hello", "a").await;
    enter(&house, "/hello", "b").await.close().await;
    assert!(a.frame().await.unwrap().contains("join"));
    for _ in 0..1000 {
        if house.signaling.stats().sockets == 1 {
            assert_eq!(heard(&mut a, "a").await, [""; 0]);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a closed socket stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_of_a_listener_may_speak_it_and_auto_tells_it() {
    for root in ["hello", "auto"] {
        let house = House::with(|config| config.root = Some(root.to_owned())).await;
        let mut a = enter(&house, "/", "a").await;
        let _b = enter(&house, "/?room=", "b").await;
        assert!(a.frame().await.unwrap().contains(r#""_from":"b""#));
        let mut kitchen = enter(&house, "/?room=kitchen", "c").await;
        assert_eq!(heard(&mut kitchen, "c").await, [""; 0]);
        let mut other = house.socket_at("/", &[]).await.unwrap();
        other.say(&join_b("a")).await;
        assert!(other.frame().await.unwrap().contains(r#""from":"a""#));
        assert_eq!(house.get("/").await.body, "landing");
    }
    let house = House::open().await;
    assert_ne!(house.socket_at("/", &[]).await.err(), None, "only by configuration");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_two_nodes_meet() {
    let engines = (Arc::new(MemoryStore::new(100)), Arc::new(MemoryBus::default()));
    let here = House::sharing(|_| {}, Some(engines.clone())).await;
    let there = House::sharing(|_| {}, Some(engines)).await;
    let mut a = enter(&here, "/hello", "a").await;
    let mut b = enter(&there, "/hello", "b").await;
    assert!(a.frame().await.unwrap().contains(r#""_from":"b""#));
    a.say(&sdp_a("offer", "b", "a")).await;
    assert!(b.frame().await.unwrap().contains("offer"));
    let mut thief = there.socket_at("/hello", &[]).await.unwrap();
    thief.say(&join_a("a")).await;
    assert_eq!(thief.closed().await, Some(1008));
}
