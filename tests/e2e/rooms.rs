//! AppRTC's room server and Collider through the real binary: join, message, leave, and what the peer hears.

use std::net::SocketAddr;

use hyper::StatusCode;
use posthouse_probe::{Plan, Target, echo};
use serde_json::Value;

use crate::harness::collider::Collider;
use crate::harness::http::{delete, get, post};
use crate::harness::{Server, Settings};

const OFFER: &str = r#"{"sdp":"v=0\r\n","type":"offer"}"#;
const CANDIDATE: &str =
    r#"{"type":"candidate","label":0,"id":"0","candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host"}"#;
const ANSWER: &str = r#"{"sdp":"v=0\r\n<&>","type":"answer"}"#;
const BYE: &str = r#"{"type":"bye"}"#;

/// A seat from `/join`.
struct Seat {
    web: SocketAddr,
    room: String,
    client: String,
    params: Value,
}

impl Seat {
    /// Joins and expects a place.
    async fn take(web: SocketAddr, room: &str) -> Self {
        let answer = post(web, &format!("/join/{room}"), "").await.json();
        assert_eq!(answer["result"], "SUCCESS", "{answer}");
        let client = answer["params"]["client_id"].as_str().expect("client_id is a string").to_owned();
        Self { web, room: room.into(), client, params: answer["params"].clone() }
    }

    async fn collider(&self) -> Collider {
        Collider::register(self.web, &self.room, &self.client).await
    }

    /// `POST /message`, which the initiator uses.
    async fn message(&self, body: &str) {
        let answer = post(self.web, &format!("/message/{}/{}", self.room, self.client), body).await;
        assert_eq!(answer.json()["result"], "SUCCESS", "{answer:?}");
    }

    async fn leave(&self) {
        let answer = post(self.web, &format!("/leave/{}/{}", self.room, self.client), "").await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""));
    }
}

async fn join_result(web: SocketAddr, room: &str) -> String {
    post(web, &format!("/join/{room}"), "").await.json()["result"].as_str().expect("result is a string").to_owned()
}

#[tokio::test]
async fn a_call_is_set_up_and_hung_up_as_apprtcs_clients_do_it() {
    let server = Server::start(&Settings::default());
    let web = server.web;

    let alice = Seat::take(web, "kitchen").await;
    assert_eq!(alice.params["is_initiator"], "true");
    assert_eq!(alice.params["messages"], serde_json::json!([]));
    assert_eq!(alice.params["wss_url"], format!("ws://{web}/ws"));
    assert_eq!(alice.params["wss_post_url"], format!("http://{web}"));
    assert!(alice.client.bytes().all(|digit| digit.is_ascii_digit()), "{}", alice.client);
    let mut alice_hears = alice.collider().await;
    alice.message(OFFER).await;
    alice.message(CANDIDATE).await;

    let bob = Seat::take(web, "kitchen").await;
    assert_eq!(bob.params["is_initiator"], "false");
    assert_eq!(bob.params["messages"], serde_json::json!([OFFER, CANDIDATE]));
    assert_ne!(alice.client, bob.client);
    let mut bob_hears = bob.collider().await;
    assert_eq!(join_result(web, "kitchen").await, "FULL");

    bob_hears.send(ANSWER).await;
    assert_eq!(alice_hears.message().await, ANSWER);
    alice.message(CANDIDATE).await;
    assert_eq!(bob_hears.message().await, CANDIDATE);

    // The stock order of hanging up: /leave, bye, close, DELETE.
    bob.leave().await;
    bob_hears.send(BYE).await;
    assert_eq!(alice_hears.message().await, BYE);
    bob_hears.close().await;
    let deleted = delete(web, &format!("/kitchen/{}", bob.client)).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (StatusCode::OK, "OK\n"));
    assert!(alice_hears.is_silent().await, "the peer hears bye once");

    // Alice is the initiator now; her new offer waits for whoever comes next.
    alice.message(OFFER).await;
    let carol = Seat::take(web, "kitchen").await;
    assert_eq!(carol.params["is_initiator"], "false");
    assert_eq!(carol.params["messages"], serde_json::json!([OFFER]));
}

#[tokio::test]
async fn messages_between_join_and_register_are_flushed_in_order() {
    let server = Server::start(&Settings::default());
    let alice = Seat::take(server.web, "kitchen").await;
    let bob = Seat::take(server.web, "kitchen").await;
    for number in 1..=5 {
        alice.message(&number.to_string()).await;
    }
    let mut bob_hears = bob.collider().await;
    for number in 1..=5 {
        assert_eq!(bob_hears.message().await, number.to_string());
    }
}

#[tokio::test]
async fn a_socket_that_dies_leaves_no_ghost_and_its_peer_hears_one_bye() {
    let server = Server::start(&Settings::default().rooms("resume = \"1s\""));
    let alice = Seat::take(server.web, "kitchen").await;
    let mut alice_hears = alice.collider().await;
    let bob = Seat::take(server.web, "kitchen").await;
    let mut bob_hears = bob.collider().await;
    bob_hears.send(ANSWER).await;
    assert_eq!(alice_hears.message().await, ANSWER);

    // The tab is gone: no bye, no /leave, no closing handshake.
    drop(bob_hears);
    let bye: Value = serde_json::from_str(&alice_hears.message().await).unwrap();
    assert_eq!(bye["type"], "bye");
    assert!(alice_hears.is_silent().await, "the peer hears bye once");
    let carol = Seat::take(server.web, "kitchen").await;
    assert_eq!(carol.params["is_initiator"], "false");
}

#[tokio::test]
async fn an_owner_who_comes_back_in_time_finds_its_seat_and_its_messages() {
    let server = Server::start(&Settings::default().rooms("resume = \"60s\""));
    let alice = Seat::take(server.web, "kitchen").await;
    let mut alice_hears = alice.collider().await;
    let bob = Seat::take(server.web, "kitchen").await;
    let mut bob_hears = bob.collider().await;
    bob_hears.send(ANSWER).await;
    assert_eq!(alice_hears.message().await, ANSWER);
    drop(bob_hears);

    alice_hears.send(CANDIDATE).await;
    let mut bob_hears = bob.collider().await;
    assert_eq!(bob_hears.message().await, CANDIDATE);
    bob_hears.send("again").await;
    assert_eq!(alice_hears.message().await, "again");
}

#[tokio::test]
async fn a_bye_alone_frees_the_seat() {
    let server = Server::start(&Settings::default());
    let alice = Seat::take(server.web, "kitchen").await;
    let mut alice_hears = alice.collider().await;
    let bob = Seat::take(server.web, "kitchen").await;
    let mut bob_hears = bob.collider().await;
    // A closed tab of the stock web app and aiortc do no more than this.
    bob_hears.send(BYE).await;
    bob_hears.close().await;
    assert_eq!(alice_hears.message().await, BYE);
    Seat::take(server.web, "kitchen").await;
    assert!(alice_hears.is_silent().await, "the peer hears bye once");
}

#[tokio::test]
async fn unknown_rooms_and_clients_are_told_apart() {
    let server = Server::start(&Settings::default());
    let result = async |path: &str| post(server.web, path, "x").await.json()["result"].clone();
    assert_eq!(result("/message/nowhere/1").await, "UNKNOWN_ROOM");
    let _alice = Seat::take(server.web, "kitchen").await;
    assert_eq!(result("/message/kitchen/1").await, "UNKNOWN_CLIENT");
    let left = post(server.web, "/leave/nowhere/1", "").await;
    assert_eq!((left.status, left.body.as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn collider_answers_errors_in_its_own_words_and_closes() {
    let server = Server::start(&Settings::default());
    let mut early = Collider::connect(server.web).await;
    early.send("hello").await;
    assert_eq!(early.error().await, "Client not registered");
    assert!(early.is_closed().await);

    let mut nameless = Collider::register(server.web, "", "").await;
    assert_eq!(nameless.error().await, "Invalid register request: missing 'clientid' or 'roomid'");
    assert!(nameless.is_closed().await);

    let alice = Seat::take(server.web, "kitchen").await;
    let mut twice = alice.collider().await;
    twice.frame(&serde_json::json!({"cmd": "register", "roomid": "kitchen", "clientid": alice.client})).await;
    assert_eq!(twice.error().await, "Duplicated register request");
    assert!(twice.is_closed().await);
}

#[tokio::test]
async fn a_pure_collider_client_needs_no_join_where_the_operator_says_so() {
    let server = Server::start(&Settings::default().collider("require_join = false"));
    let mut one = Collider::register(server.web, "cellar", "one").await;
    one.send("waiting for two").await;
    let mut two = Collider::register(server.web, "cellar", "two").await;
    assert_eq!(two.message().await, "waiting for two");
    two.send("here").await;
    assert_eq!(one.message().await, "here");
    let posted = post(server.web, "/cellar/one", "by post").await;
    assert_eq!((posted.status, posted.body.as_str()), (StatusCode::OK, "OK\n"));
    assert_eq!(two.message().await, "by post");
    let mut three = Collider::register(server.web, "cellar", "three").await;
    assert_eq!(three.error().await, "Max room capacity reached");
}

#[tokio::test]
async fn a_client_that_never_joined_is_not_let_in_by_default() {
    let server = Server::start(&Settings::default());
    let mut stranger = Collider::register(server.web, "cellar", "12345678").await;
    stranger.send("hello").await;
    assert_ne!(stranger.error().await, "");
    assert!(stranger.is_closed().await);
}

#[tokio::test]
async fn status_has_colliders_five_counters() {
    let server = Server::start(&Settings::default());
    let alice = Seat::take(server.web, "kitchen").await;
    let mut alice_hears = alice.collider().await;
    // An answer to a frame that follows shows that the registration is done.
    alice_hears.frame(&serde_json::json!({"cmd": "nonsense"})).await;
    assert_eq!(alice_hears.error().await, "Invalid message: unexpected 'cmd'");
    let status = get(server.web, "/status").await.json();
    assert_eq!((&status["openws"], &status["totalws"]), (&Value::from(1), &Value::from(1)), "{status}");
    for counter in ["upsec", "wserrors", "httperrors"] {
        assert!(status[counter].is_number(), "{counter} in {status}");
    }
}

#[tokio::test]
async fn the_credentials_of_a_join_really_relay() {
    let server = Server::start(&Settings::default());
    let alice = Seat::take(server.web, "kitchen").await;
    let url = alice.params["ice_server_url"].as_str().expect("ice_server_url is a string").to_owned();
    let path = url.strip_prefix(&format!("http://{}", server.web)).expect("an absolute URL of this server");
    for answer in [get(server.web, path).await, post(server.web, path, "").await] {
        let ice = answer.json();
        let servers = ice["iceServers"].as_array().expect("iceServers is an array").clone();
        let relay = servers.iter().find(|entry| entry["username"].is_string()).expect("an entry with a username");
        let urls: Vec<&str> =
            relay["urls"].as_array().expect("urls is an array").iter().filter_map(Value::as_str).collect();
        let expected = format!("turn:{}", server.relay);
        assert!(urls.iter().any(|url| url.starts_with(&expected)), "no {expected} in {urls:?}");
        let text = |key: &str| relay[key].as_str().expect("a string").to_owned();
        let target = Target::new(server.relay, text("username"), text("credential"));
        let report = echo(&target, &Plan::default()).await.unwrap();
        assert!(report.is_whole(), "{report}");
    }
}

#[tokio::test]
async fn the_legacy_turn_endpoint_gives_credentials_that_relay_too() {
    let server = Server::start(&Settings::default());
    let answer = get(server.web, "/turn?username=12345678&key=4080218913").await.json();
    let text = |key: &str| answer[key].as_str().unwrap_or_else(|| panic!("no {key} in {answer}")).to_owned();
    let uris = answer["uris"].as_array().expect("uris is an array");
    assert!(uris.iter().any(|uri| uri.as_str().is_some_and(|uri| uri.starts_with("turn:"))), "{answer}");
    let report = echo(&Target::new(server.relay, text("username"), text("password")), &Plan::default()).await.unwrap();
    assert!(report.is_whole(), "{report}");
}

#[tokio::test]
async fn the_page_of_a_room_is_served_and_loads_nothing_from_elsewhere() {
    let server = Server::start(&Settings::default());
    for path in ["/", "/r/kitchen"] {
        let page = get(server.web, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let policy = page.headers.get("content-security-policy").expect("a content security policy");
        assert!(policy.to_str().unwrap().contains("default-src"), "{policy:?}");
        let foreign = page
            .body
            .split(['"', '\''])
            .find(|word| word.starts_with("http://") || word.starts_with("https://") || word.starts_with("//"));
        let own = format!("http://{}", server.web);
        assert!(
            foreign.is_none_or(|url| url.starts_with(&own) || url.starts_with("http://www.w3.org/")),
            "{foreign:?}"
        );
    }
    let call = get(server.web, "/r/kitchen").await;
    assert!(call.body.contains(r#"id="join""#), "the join button has a name");
}
