//! A client of our own protocol.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use posthouse_probe::{Ask, Target, allocate};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// What has not come by then will not come; a busy machine needs less.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Member {
    socket: WebSocketStream<TcpStream>,
    /// The answer to its first frame.
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

    /// The first in a room of these terms: its owner.
    pub(crate) async fn create(web: SocketAddr, room: &str, terms: Value) -> Self {
        let member = Self::arrive(web, json!({"type": "join", "id": 1, "room": room, "create": terms})).await;
        assert!(member.joined["owner"].is_string(), "{}", member.joined);
        member
    }

    pub(crate) async fn say(&mut self, frame: &Value) {
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

    /// Where its seat's credentials lead.
    pub(crate) fn target(&self, relay: SocketAddr) -> Target {
        target_of(&self.joined["ice"], relay)
    }
}

/// The relay with the credentials of these ICE servers.
pub(crate) fn target_of(ice: &Value, relay: SocketAddr) -> Target {
    let servers = ice["iceServers"].as_array().expect("a list");
    let turn = servers.iter().find(|entry| entry["username"].is_string()).expect("an entry with a username");
    let text = |key: &str| turn[key].as_str().expect("a string").to_owned();
    Target::new(relay, text("username"), text("credential"))
}

/// The credential is refused, on whichever worker the attempt arrives.
pub(crate) async fn is_refused(target: &Target) {
    for _ in 0..8 {
        let refused = allocate(target, &Ask::default()).await.err().expect("a credential that was taken back");
        assert_eq!(refused.code(), Some(401), "{refused}");
    }
}
