//! Against a receiver on loopback.

use std::time::Duration;

use posthouse_config::{Secret, Webhooks as Settings};
use posthouse_rooms::RoomEvent;
use posthouse_signaling::RoomEvents as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::post::Signer;
use super::{Patience, QUEUE, Webhooks};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A receiver's view of a request.
struct Received {
    line: String,
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

/// Accepts one request and answers it.
async fn receive(listener: &TcpListener, answer: &str) -> Received {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    let complete = |text: &str| {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        (body.len() == length.parse::<usize>().unwrap()).then(|| (head.to_owned(), body.to_owned()))
    };
    let (head, body) = loop {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "{text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        if let Some(whole) = complete(&text) {
            break whole;
        }
    };
    stream.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await.unwrap();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
    Received {
        line: head.lines().next().unwrap().to_owned(),
        id: header("webhook-id: "),
        timestamp: header("webhook-timestamp: "),
        signature: header("webhook-signature: "),
        body,
    }
}

/// Webhooks that lose patience soon, and the receiver they post to.
async fn house(attempts: u32) -> (Webhooks, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
    let patience = Patience { attempt: Duration::from_secs(20), pause: Duration::from_millis(5), attempts };
    let webhooks = Webhooks::new(patience);
    assert!(!webhooks.wanted());
    let secret = Some(Secret::new(SECRET.to_owned()));
    webhooks.apply(&Settings { urls: vec![url], secret, ..Settings::default() });
    assert!(webhooks.wanted());
    (webhooks, listener)
}

async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_event_is_posted_and_its_signature_holds() {
    let (webhooks, listener) = house(1).await;
    webhooks.tell("v1", "kitchen \"é", RoomEvent::MemberJoined { member: "alice".into(), members: 2 });
    let got = receive(&listener, "204 No Content").await;
    assert_eq!(got.line, "POST /hook?a=b HTTP/1.1");
    let body: serde_json::Value = serde_json::from_str(&got.body).unwrap();
    assert_eq!(body["type"], "member-joined");
    let data = serde_json::json!({"room": "kitchen \"é", "dialect": "v1", "member": "alice", "members": 2});
    assert_eq!(body["data"], data);
    let signed = Signer::new(SECRET).sign(&got.id, got.timestamp.parse().unwrap(), &got.body);
    assert_eq!(got.signature, signed);
    until(|| webhooks.counts().outcomes() == [("delivered", 1), ("failed", 0), ("dropped", 0)]).await;
}

#[test]
fn signatures_are_those_of_standard_webhooks() {
    // The example of the specification's libraries.
    let signer = Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let signed = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn what_is_refused_is_tried_again_under_the_same_id_and_redirects_are_not_followed() {
    let (webhooks, listener) = house(4).await;
    webhooks.tell("apprtc", "kitchen", RoomEvent::RoomOpened);
    webhooks.tell("apprtc", "kitchen", RoomEvent::RoomClosed);
    let own = format!("302 Found\r\nLocation: http://{}/elsewhere", listener.local_addr().unwrap());
    let mut tries = Vec::new();
    for answer in ["500 Internal Server Error", own.as_str(), "200 OK", "200 OK"] {
        tries.push(receive(&listener, answer).await);
    }
    assert!(tries.iter().all(|got| got.line.starts_with("POST /hook?a=b ")));
    assert!(tries[0].id == tries[1].id && tries[1].id == tries[2].id && tries[2].id != tries[3].id);
    assert!(tries[2].body.contains("room-opened") && tries[3].body.contains("room-closed"), "in order");
    until(|| webhooks.counts().outcomes()[0] == ("delivered", 2)).await;
}

#[tokio::test]
async fn a_server_that_never_takes_an_event_is_given_up_and_the_next_event_tried() {
    let (webhooks, listener) = house(2).await;
    webhooks.tell("apprtc", "kitchen", RoomEvent::RoomOpened);
    webhooks.tell("apprtc", "kitchen", RoomEvent::RoomClosed);
    for answer in ["503 No", "503 No", "200 OK"] {
        receive(&listener, answer).await;
    }
    until(|| webhooks.counts().outcomes() == [("delivered", 1), ("failed", 1), ("dropped", 0)]).await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_costs_events_and_nobody_waits() {
    let (webhooks, listener) = house(1).await;
    // One is on its way, so many wait; the rest is dropped, and each call has returned at once.
    webhooks.tell("apprtc", "kitchen", RoomEvent::RoomOpened);
    let (_stalled, _) = listener.accept().await.unwrap();
    for _ in 0..QUEUE + 7 {
        webhooks.tell("apprtc", "kitchen", RoomEvent::RoomOpened);
    }
    assert_eq!(webhooks.counts().outcomes(), [("delivered", 0), ("failed", 0), ("dropped", 7)]);
}

#[tokio::test]
async fn only_the_events_that_are_asked_for_are_posted() {
    let (webhooks, listener) = house(1).await;
    let url = format!("http://{}", listener.local_addr().unwrap());
    let secret = Some(Secret::new(SECRET.to_owned()));
    webhooks.apply(&Settings { urls: vec![url], secret, events: vec!["room-closed"] });
    webhooks.tell("apprtc", "kitchen", RoomEvent::RoomOpened);
    webhooks.tell("apprtc", "kitchen", RoomEvent::RoomClosed);
    let got = receive(&listener, "200 OK").await;
    assert!(got.line.starts_with("POST / ") && got.body.contains("room-closed"));
}
