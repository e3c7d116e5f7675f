//! Our own protocol through the real binary: what a member is given really relays, and a kick really ends it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use posthouse_probe::{Ask, Plan, Target, allocate, echo};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::harness::{Server, Settings};

/// What has not come by then will not come; a busy machine needs less.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Member {
    socket: WebSocketStream<TcpStream>,
    pub(crate) joined: Value,
}

impl Member {
    pub(crate) async fn arrive(web: SocketAddr, frame: Value) -> Self {
        let stream = TcpStream::connect(web).await.expect("the web listener accepts");
        let (socket, _) = client_async(format!("ws://{web}/v1/socket"), stream).await.expect("a WebSocket");
        let mut member = Self { socket, joined: Value::Null };
        member.say(&frame).await;
        member.joined = member.hear().await;
        member
    }

    pub(crate) async fn join(web: SocketAddr, room: &str) -> Self {
        let member = Self::arrive(web, json!({"type": "join", "id": 1, "room": room})).await;
        assert_eq!(member.joined["type"], "joined", "{}", member.joined);
        member
    }

    async fn say(&mut self, frame: &Value) {
        self.socket.send(Message::text(frame.to_string())).await.expect("the socket takes a frame");
    }

    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            match timeout(LIMIT, self.socket.next()).await.expect("a frame comes") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("expected a frame, got {other:?}"),
            }
        }
    }

    /// The code the server closes with.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match timeout(LIMIT, self.socket.next()).await.expect("the socket closes") {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("expected a close frame, got {other:?}"),
            }
        }
    }

    pub(crate) fn target(&self, relay: SocketAddr) -> Target {
        let servers = self.joined["ice"]["iceServers"].as_array().expect("a list");
        let turn = servers.iter().find(|entry| entry["username"].is_string()).expect("an entry with a username");
        let text = |key: &str| turn[key].as_str().expect("a string").to_owned();
        Target::new(relay, text("username"), text("credential"))
    }
}

#[tokio::test]
async fn the_credentials_of_a_seat_relay_and_end_with_a_kick() {
    let server = Server::start(&Settings::default());
    let mut alice = Member::join(server.web, "kitchen").await;
    let mut bob = Member::join(server.web, "kitchen").await;
    let target = bob.target(server.relay);
    let report = echo(&target, &Plan::default()).await.unwrap();
    assert!(report.is_whole(), "{report}");
    let mut allocation = allocate(&target, &Ask { lifetime: None, family: None }).await.unwrap();
    allocation.refresh(Duration::from_secs(600)).await.unwrap();
    alice.say(&json!({"type": "kick", "id": 2, "member": bob.joined["member"]})).await;
    let joined = alice.hear().await;
    assert_eq!(joined["type"], "member-joined", "{joined}");
    assert_eq!(bob.hear().await["reason"], "kicked");
    assert_eq!(bob.closed().await, 4403);
    // The workers are told without being waited for.
    let until = Instant::now() + LIMIT;
    let gone = loop {
        match allocation.refresh(Duration::from_secs(600)).await {
            Ok(_) => assert!(Instant::now() < until, "the allocation lives on"),
            Err(gone) => break gone,
        }
    };
    assert_eq!(gone.code(), Some(437), "{gone}");
}

#[tokio::test]
async fn a_member_comes_back_to_what_it_missed_and_to_fresh_credentials() {
    let server = Server::start(&Settings::default());
    let mut alice = Member::join(server.web, "kitchen").await;
    let mut bob = Member::join(server.web, "kitchen").await;
    bob.say(&json!({"type": "ack", "seq": 0})).await;
    alice.say(&json!({"type": "send", "id": 2, "data": {"sdp": "v=0"}})).await;
    assert_eq!(alice.hear().await["type"], "member-joined");
    assert_eq!(alice.hear().await, json!({"type": "ok", "id": 2}));
    let token = bob.joined["resume"].clone();
    drop(bob);
    let mut bob = Member::arrive(server.web, json!({"type": "resume", "id": 2, "token": token, "seen": 0})).await;
    assert_eq!(bob.joined["type"], "resumed", "{}", bob.joined);
    assert_eq!(bob.hear().await["data"], json!({"sdp": "v=0"}));
    let report = echo(&bob.target(server.relay), &Plan::default()).await.unwrap();
    assert!(report.is_whole(), "{report}");
}
