//! Two clients of each dialect, one of whom tells the other something: what hostile input and clients that do not read
//! must not change.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use posthouse_signaling::Config;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::house::{House, PATIENCE, Socket};

/// How a dialect's client arrives, and tells another something.
///
/// `{me}` and `{you}` are names, `{peer}` another of 20 characters, `{room}` is where both are, also of 20 characters; `{x}`
/// is what is told: JSON; `{n}` is a number that grows.
struct Talk {
    path: &'static str,
    arrives: &'static str,
    tells: &'static str,
    /// The same, where a reader might act upon one of two values.
    ambiguous: &'static str,
}

const TALKS: &[Talk] = &[
    Talk {
        path: "/announce",
        arrives: r#"{"action":"announce","info_hash":"{room}","peer_id":"{peer}"}"#,
        tells: r#"{"action":"announce","info_hash":"{room}","peer_id":"{peer}","offers":[{"offer":{"x":{x}},"offer_id":"o"}]}"#,
        ambiguous: r#"{"action":"announce","info_hash":"{room}","info_hash":"{room}","peer_id":"{peer}","offers":[{"offer":{"x":{x}},"offer_id":"o"}]}"#,
    },
    Talk {
        path: "/hello/{room}",
        arrives: r#"{"_from":"{me}"}"#,
        tells: r#"{"_from":"{me}","_messageType":"unicast","_to":"{you}","_content":{x}}"#,
        ambiguous: r#"{"_from":"{me}","_messageType":"unicast","_to":"nobody","_to":"{you}","_content":{x}}"#,
    },
    Talk {
        path: "/matchbox/{room}",
        arrives: "\"KeepAlive\"",
        tells: r#"{"Signal":{"receiver":"{you}","data":{x}}}"#,
        ambiguous: r#"{"Signal":{"receiver":"nobody","receiver":"{you}","data":{x}}}"#,
    },
    Talk {
        path: "/peer/websocket?vsn=2.0.0",
        arrives: r#"["1","1","peer:{me}","phx_join",{}]"#,
        tells: r#"["1","2","peer:{me}","offer",{"peer_id":"{you}","offer":{x}}]"#,
        ambiguous: r#"["1","2","peer:{me}","offer",{"peer_id":"nobody","peer_id":"{you}","offer":{x}}]"#,
    },
    Talk {
        path: "/peer/websocket?vsn=1.0.0",
        arrives: r#"{"topic":"peer:{me}","event":"phx_join","payload":{},"ref":"1"}"#,
        tells: r#"{"topic":"peer:{me}","event":"offer","payload":{"peer_id":"{you}","offer":{x}},"ref":"2"}"#,
        ambiguous: r#"{"topic":"peer:{you}","topic":"peer:{me}","event":"offer","payload":{"peer_id":"{you}","offer":{x}},"ref":"2"}"#,
    },
    Talk {
        path: "/peerjs?key=peerjs&id={me}&token=t",
        arrives: r#"{"type":"HEARTBEAT"}"#,
        tells: r#"{"type":"OFFER","dst":"{you}","payload":{x}}"#,
        ambiguous: r#"{"type":"OFFER","dst":"nobody","dst":"{you}","payload":{x}}"#,
    },
    Talk {
        path: "/v1/socket",
        arrives: r#"{"type":"join","id":1,"room":"{room}","create":{"capacity":4}}"#,
        tells: r#"{"type":"send","id":{n},"data":{x}}"#,
        ambiguous: r#"{"type":"leave","type":"send","id":{n},"data":{x}}"#,
    },
    Talk {
        path: "/yjs",
        arrives: r#"{"type":"subscribe","topics":["{room}"]}"#,
        tells: r#"{"type":"publish","topic":"{room}","data":{x}}"#,
        ambiguous: r#"{"type":"publish","topic":"nobody","topic":"{room}","data":{x}}"#,
    },
];

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// One client.
struct Client {
    socket: Socket,
    talk: &'static Talk,
    room: String,
    me: String,
    peer: String,
}

impl Client {
    /// Comes to a room, and has been let in when this returns.
    async fn arrive(house: &House, talk: &'static Talk, room: u64) -> Self {
        let (me, peer) = (format!("00000000-0000-4000-8000-{:012}", next()), format!("{:020}", next()));
        let room = format!("{room:020}");
        let path = talk.path.replace("{me}", &me).replace("{room}", &room);
        let socket = house.socket_at(&path, &[]).await.unwrap();
        let mut client = Self { socket, talk, room, me, peer };
        if talk.path.starts_with("/matchbox") {
            let greeting: serde_json::Value = serde_json::from_str(&client.socket.frame().await.unwrap()).unwrap();
            client.me = greeting["IdAssigned"].as_str().unwrap().to_owned();
        }
        client.say(talk.arrives, "", "").await;
        assert!(client.is_heard().await, "{}", talk.path);
        client
    }

    async fn say(&mut self, frame: &str, you: &str, told: &str) {
        let Self { room, me, peer, .. } = self;
        let frame = frame.replace("{me}", me).replace("{peer}", peer).replace("{room}", room).replace("{you}", you);
        let frame = frame.replace("{n}", &next().to_string());
        // A socket that is closed by now is found so by whoever asks `is_heard`.
        let _ = self.socket.0.send(Message::text(frame.replace("{x}", told))).await;
    }

    async fn tell(&mut self, you: &str, told: &str) {
        self.say(self.talk.tells, you, told).await;
    }

    /// Has all been read that was said before? Not if the socket was closed for it.
    async fn is_heard(&mut self) -> bool {
        let _ = self.socket.0.send(Message::Ping("heard?".into())).await;
        loop {
            match timeout(PATIENCE, self.socket.0.next()).await.expect("a pong or the end comes") {
                Some(Ok(Message::Pong(_))) => return true,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Waits for what is told, and gives back what came before it.
    async fn hears(&mut self, told: &str) -> Vec<String> {
        let mut before = Vec::new();
        let listening = async {
            while let Some(frame) = self.socket.frame().await {
                if frame.contains(told) {
                    return true;
                }
                before.push(frame);
            }
            false
        };
        let heard = timeout(PATIENCE, listening).await;
        assert_eq!(heard, Ok(true), "{}: {told:.60} never came, but {before:?}", self.talk.path);
        before
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_deep_or_ambiguous_is_acted_upon_in_no_dialect() {
    let house = House::open().await;
    let deep = format!("{}\"bad\"{}", "[".repeat(10_000), "]".repeat(10_000));
    for talk in TALKS {
        let just_deep_enough = format!("{}\"bad\"{}", "[".repeat(33), "]".repeat(33));
        let bad = [(talk.tells, deep.as_str()), (talk.tells, &just_deep_enough), (talk.ambiguous, "\"bad\"")];
        for (number, (frame, told)) in bad.into_iter().enumerate() {
            let room = next();
            let mut listener = Client::arrive(&house, talk, room).await;
            let mut speaker = Client::arrive(&house, talk, room).await;
            let you = listener.me.clone();
            speaker.say(frame, &you, told).await;
            if !speaker.is_heard().await {
                speaker = Client::arrive(&house, talk, room).await;
            }
            speaker.tell(&you, "\"good\"").await;
            let before = listener.hears("\"good\"").await;
            assert!(!before.iter().any(|frame| frame.contains("bad")), "{} {number}: {before:?}", talk.path);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_does_not_read_delays_nobody_else_in_any_dialect() {
    let flood = |config: &mut Config| {
        config.rates.socket_messages.per_second = 0;
        // It must be too much that closes it, not too long.
        config.timing.write = Duration::from_secs(60);
    };
    let house = House::with(flood).await;
    for talk in TALKS {
        let (room, other) = (next(), next());
        let mut stalled = Client::arrive(&house, talk, room).await;
        let mut speaker = Client::arrive(&house, talk, room).await;
        let (mut carol, mut dave) =
            (Client::arrive(&house, talk, other).await, Client::arrive(&house, talk, other).await);
        let large = format!("\"{}\"", "x".repeat(60_000));
        let (before, mut rounds) = (house.signaling.stats().slow_readers, 0);
        // Our own protocol keeps what is not acknowledged, and refuses what does not fit to whoever sends it.
        let refuses = talk.path == "/v1/socket";
        while house.signaling.stats().slow_readers == before && !(refuses && rounds == 20) {
            speaker.tell(&stalled.me, &large).await;
            // What is said to the one who tells is read, or it would be another who does not.
            assert!(speaker.is_heard().await, "{}", talk.path);
            rounds += 1;
            carol.tell(&dave.me, &format!("\"round {rounds}\"")).await;
            dave.hears(&format!("\"round {rounds}\"")).await;
            assert!(carol.is_heard().await, "{}", talk.path);
            assert!(rounds < 10_000, "{}: nothing fills up", talk.path);
        }
        let closed = if refuses { None } else { stalled.socket.closed().await };
        assert_eq!(closed, (!refuses).then_some(1013), "{}", talk.path);
    }
}
