//! Who may be a peer of `PeerJS`, when not everybody may.

use posthouse_signaling::Access;
use serde_json::json;

use crate::house::{House, Socket};

const OPEN: &str = r#"{"type":"OPEN"}"#;
const NO: &str = r#"{"type":"ERROR","payload":{"msg":"Invalid token provided"}}"#;
const SECRET: &str = "token-secret-0123456789-0123456789";

// Signed with `SECRET` (but one), good until 2100 (but one), by an implementation that is not ours (Python's `hmac`).
/// `{"exp":4102444800,"key":"peerjs","sub":"ada"}`
const ADA: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsImtleSI6InBlZXJqcyIsInN1YiI6ImFkYSJ9.\
    QoXJVefPEFr_bBiW1ac1tv4LnYSKge3LbDtRrpKBCP4";
/// The next one for the same: `{"exp":4102444801,"key":"peerjs","sub":"ada"}`
const ADA_LATER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDEsImtleSI6InBlZXJqcyIsInN1YiI6ImFkYSJ9.\
    lPrph6Y-omyP1XNdFIpT3jLjD_zhwxooVPtWrTRDQ7Y";
/// `{"exp":4102444800,"key":"*"}`
const ANYBODY: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsImtleSI6IioifQ.\
    tJfS4WkESJzkTjxJzfP0KVhJW2MgZyOfXV9Y7S4Ec60";
/// `{"exp":1700000000,"key":"peerjs","sub":"ada"}`
const EXPIRED: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3MDAwMDAwMDAsImtleSI6InBlZXJqcyIsInN1YiI6ImFkYSJ9.\
    QN8t7TooMYp5HguO88KrUieJCIDxxwfFAu5MtEpdqGg";
/// As `ADA`, signed with another secret.
const FORGED: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsImtleSI6InBlZXJqcyIsInN1YiI6ImFkYSJ9.\
    F7MqV_ycFZsUyPxqyQVBDlQ0N5DBU98V6wxIJdD-4oE";
/// For rooms of our own protocol: `{"exp":4102444800,"room":"*"}`
const ROOM: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInJvb20iOiIqIn0.\
    qC70AwTXcz1ewPrG_Ysph0Atbx1xZCw9WMnrzgH6WAU";

async fn house() -> House {
    House::with(|config| {
        let mut access = Access::default();
        access.add_token_secret(SECRET);
        config.access = access;
        config.peerjs.needs_token = true;
        config.rooms.resume = std::time::Duration::from_secs(3600);
    })
    .await
}

/// The first thing that is said to somebody.
async fn met(house: &House, key: &str, id: &str, token: &str) -> (Socket, String) {
    let path = format!("/peerjs?key={key}&id={id}&token={token}");
    let mut socket = house.socket_at(&path, &[]).await.unwrap();
    let first = socket.frame().await.expect("a frame comes");
    (socket, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_is_let_in_with_a_token_for_its_key_and_id_and_refused_without() {
    let house = house().await;
    let (mut ada, first) = met(&house, "peerjs", "ada", ADA).await;
    assert_eq!(first, OPEN);
    let (mut bob, first) = met(&house, "peerjs", "bob", ANYBODY).await;
    assert_eq!(first, OPEN);
    bob.say(&json!({"type": "OFFER", "dst": "ada", "payload": 1}).to_string()).await;
    assert_eq!(ada.frame().await.unwrap(), r#"{"type":"OFFER","src":"bob","dst":"ada","payload":1}"#);
    for (key, id, token) in [
        ("peerjs", "eve", "a-word-of-its-own"),
        ("peerjs", "eve", ADA),
        ("other", "ada", ADA),
        ("peerjs", "ada", EXPIRED),
        ("peerjs", "ada", FORGED),
        ("peerjs", "eve", ROOM),
    ] {
        let (mut refused, first) = met(&house, key, id, token).await;
        assert_eq!(first, NO, "{key} {id}");
        assert_eq!(refused.closed().await, Some(1008), "{key} {id}");
    }
    // An id may be asked for by everybody: it is no secret, and of no use without a token.
    assert_eq!(house.get("/peerjs/peerjs/id").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_kept_for_whom_the_token_was_made_and_for_nobody_else_who_has_one() {
    let house = house().await;
    let (ada, first) = met(&house, "peerjs", "ada", ADA).await;
    assert_eq!(first, OPEN);
    ada.kill();
    let (mut thief, first) = met(&house, "peerjs", "ada", ANYBODY).await;
    assert_eq!(first, r#"{"type":"ID-TAKEN","payload":{"msg":"ID is taken"}}"#);
    assert_eq!(thief.closed().await, Some(1008));
    // Tokens are renewed while their owner is away.
    assert_eq!(met(&house, "peerjs", "ada", ADA_LATER).await.1, OPEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_word_is_a_token_where_nobody_asked_for_more() {
    let house = House::with(|config| config.access.add_token_secret(SECRET)).await;
    assert_eq!(met(&house, "peerjs", "ada", FORGED).await.1, OPEN);
}
