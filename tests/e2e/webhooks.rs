//! A backend that is told what happens to rooms: signed, again when it fails, and never waited for.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use hyper::StatusCode;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::harness::http::{get, post};
use crate::harness::member::{LIMIT, Member};
use crate::harness::{Server, Settings};

/// The key is the text itself.
const SECRET: &str = "webhooks of the end-to-end tests are signed with this";

/// Events that may wait for one receiver, as `conf/README.md` promises.
const WAITING: u64 = 1024;

/// A receiver of events.
struct Backend(TcpListener);

/// One POST as it came, byte by byte.
struct Post {
    head: String,
    body: Vec<u8>,
    stream: TcpStream,
}

impl Backend {
    async fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    fn url(&self) -> String {
        format!("http://{}/told?by=posthouse", self.0.local_addr().expect("an address"))
    }

    /// The next POST, unanswered.
    async fn take(&self) -> Post {
        let (stream, _) = timeout(LIMIT, self.0.accept()).await.expect("a POST comes").expect("a connection");
        Post::read(stream).await
    }

    /// The next event, taken with 204.
    async fn event(&self) -> Value {
        let mut post = self.take().await;
        post.answer("204 No Content").await;
        post.event()
    }
}

impl Post {
    async fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let head = loop {
            let byte = timeout(LIMIT, stream.read_u8()).await.expect("a head comes").expect("a whole head");
            bytes.push(byte);
            if bytes.ends_with(b"\r\n\r\n") {
                break String::from_utf8(std::mem::take(&mut bytes)).expect("ASCII");
            }
        };
        let post = Self { head, body: Vec::new(), stream };
        let length = post.header("content-length").parse().expect("a number");
        let Self { head, mut stream, .. } = post;
        let mut body = vec![0; length];
        timeout(LIMIT, stream.read_exact(&mut body)).await.expect("a body comes").expect("a whole body");
        Self { head, body, stream }
    }

    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// What it says, if it is signed over exactly these bytes, now.
    fn event(&self) -> Value {
        assert!(self.head.starts_with("POST /told?by=posthouse HTTP/1.1\r\n"), "{}", self.head);
        assert_eq!(self.header("content-type"), "application/json");
        let [id, timestamp] = ["webhook-id", "webhook-timestamp"].map(|name| self.header(name));
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(&self.body);
        let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(self.header("webhook-signature"), signature);
        serde_json::from_slice(&self.body).expect("JSON")
    }

    async fn answer(&mut self, status: &str) {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        self.stream.write_all(answer.as_bytes()).await.expect("the server waits for it");
    }
}

/// What the metrics say of one outcome.
async fn count(server: &Server, outcome: &str) -> u64 {
    let metrics = get(server.admin, "/metrics").await.body;
    let name = format!("posthouse_webhook_events_total{{outcome=\"{outcome}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_else(|| panic!("no {name}in\n{metrics}")).parse().expect("a number")
}

async fn wait_for_count(server: &Server, outcome: &str, expected: u64) {
    let reached = async {
        while count(server, outcome).await < expected {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, reached).await.expect("the count is reached");
    assert_eq!(count(server, outcome).await, expected);
}

#[tokio::test]
async fn a_backend_is_told_of_rooms_and_members_by_signed_posts_in_order() {
    let backend = Backend::open().await;
    let server = Server::start(&Settings::default().webhooks(&[backend.url()], SECRET));
    let mut alice = Member::join(server.web, "kitchen").await;
    let bob = Member::join(server.web, "kitchen").await;
    let [a, b] = [&alice, &bob].map(|one| one.joined["member"].clone());
    alice.say(&json!({"type": "kick", "id": 2, "member": b})).await;
    alice.say(&json!({"type": "close", "id": 3})).await;
    assert_eq!(alice.closed().await, 4404);
    let expected = [
        ("room-opened", json!({"room": "kitchen", "dialect": "v1"})),
        ("member-joined", json!({"room": "kitchen", "dialect": "v1", "member": a, "members": 1})),
        ("member-joined", json!({"room": "kitchen", "dialect": "v1", "member": b, "members": 2})),
        ("member-left", json!({"room": "kitchen", "dialect": "v1", "member": b, "members": 1, "reason": "deleted"})),
        ("member-left", json!({"room": "kitchen", "dialect": "v1", "member": a, "members": 0, "reason": "deleted"})),
        ("room-closed", json!({"room": "kitchen", "dialect": "v1"})),
    ];
    for (name, data) in expected {
        let event = backend.event().await;
        assert_eq!((&event["type"], &event["data"]), (&json!(name), &data));
    }
    wait_for_count(&server, "delivered", 6).await;
}

#[tokio::test]
async fn the_rooms_of_apprtc_are_told_of_by_the_public_names_of_their_members() {
    let backend = Backend::open().await;
    let server = Server::start(&Settings::default().webhooks(&[backend.url()], SECRET));
    let seat = post(server.web, "/join/parlour", "").await.json();
    let client = seat["params"]["client_id"].as_str().expect("an id").to_owned();
    assert_eq!(backend.event().await["type"], "room-opened");
    let joined = backend.event().await;
    assert_eq!((&joined["type"], &joined["data"]["dialect"]), (&json!("member-joined"), &json!("apprtc")));
    assert!(!joined.to_string().contains(&client), "a client's id is its secret");
    post(server.web, &format!("/leave/parlour/{client}"), "").await;
    let left = backend.event().await;
    assert_eq!((&left["type"], &left["data"]["reason"]), (&json!("member-left"), &json!("left")));
    assert_eq!(left["data"]["member"], joined["data"]["member"]);
    assert_eq!(backend.event().await["type"], "room-closed");
}

#[tokio::test]
async fn what_a_backend_answers_with_500_comes_again_under_the_same_id_and_nothing_overtakes_it() {
    let backend = Backend::open().await;
    let server = Server::start(&Settings::default().webhooks(&[backend.url()], SECRET));
    let _alice = Member::join(server.web, "kitchen").await;
    let mut ids = Vec::new();
    for status in ["500 Internal Server Error", "503 Service Unavailable", "200 OK"] {
        let mut post = backend.take().await;
        assert_eq!(post.event()["type"], "room-opened");
        ids.push(post.header("webhook-id").to_owned());
        post.answer(status).await;
    }
    assert!(ids.iter().all(|id| *id == ids[0] && id.starts_with("msg_")), "{ids:?}");
    let mut post = backend.take().await;
    assert_eq!(post.event()["type"], "member-joined");
    assert_ne!(post.header("webhook-id"), ids[0]);
    post.answer("200 OK").await;
    wait_for_count(&server, "delivered", 2).await;
    assert_eq!(count(&server, "failed").await, 0);
}

#[tokio::test]
async fn a_backend_that_hangs_costs_itself_events_and_delays_no_room_and_no_other_backend() {
    let (hangs, works) = (Backend::open().await, Backend::open().await);
    let server = Server::start(&Settings::default().webhooks(&[hangs.url(), works.url()], SECRET));
    let rooms = WAITING / 4 + 10;
    let visits = async {
        for room in 0..rooms {
            let seat = post(server.web, &format!("/join/room-{room}"), "").await.json();
            let client = seat["params"]["client_id"].as_str().expect("a seat").to_owned();
            let left = post(server.web, &format!("/leave/room-{room}/{client}"), "").await;
            assert_eq!(left.status, StatusCode::OK);
        }
    };
    // Every visit is four events. One is on its way to the one that hangs, as many as may wait do.
    let (_unanswered, ()) = tokio::join!(hangs.take(), async {
        let told = async {
            for _ in 0..rooms * 4 {
                works.event().await;
            }
        };
        tokio::join!(visits, told);
    });
    wait_for_count(&server, "delivered", rooms * 4).await;
    // One that it was tried with for long enough is given up, and makes room for the next.
    let let_go = async || count(&server, "dropped").await + count(&server, "failed").await;
    let bounded = async {
        while let_go().await < rooms * 4 - WAITING - 1 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, bounded).await.expect("no more wait than may");
    assert!(count(&server, "dropped").await <= rooms * 4 - WAITING, "and none is dropped before");
}
