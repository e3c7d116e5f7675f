//! Who may make and enter rooms of our own protocol, when not everybody may.

use posthouse_signaling::Access;
use serde_json::{Value, json};

use crate::{
    house::House,
    v1::{Client, frame, next},
};

const KEY: &str = "backend-key-0123456789-0123456789";
const SECRET: &str = "token-secret-0123456789-0123456789";

/// Signed with [`SECRET`], good until 2100, by an implementation that is not ours (Python's `hmac`): `{"exp":4102444800,
/// "room":"r"}` and what the name says.
const GUEST: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInJvb20iOiJyIn0.\
    oXtPg0wwf0G8yMrGFxLH65N0-uWmHO9_0nmNU4hYsto";
const HOST: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInJvb20iOiJyIiwib3duZXIiOnRydWUsImNyZWF0ZSI6dHJ1ZSwibmFtZSI6IkFkYSJ9.\
    g8T4-7xJv_H5ly0hOQgNSRyO48Od4nAvAMYNAvJt3H4";

async fn house(create: bool, join: bool) -> House {
    House::with(|config| {
        let mut access = Access::default();
        (access.create_needs_key, access.join_needs_token) = (create, join);
        access.add_api_key(KEY);
        access.add_token_secret(SECRET);
        config.access = access;
    })
    .await
}

async fn refused(house: &House, fields: Value) -> String {
    let mut socket = Client::connect(house).await;
    socket.say(&frame("join", 1, fields)).await;
    let answer = next(&mut socket).await;
    assert_eq!(answer["type"], "error", "{answer}");
    answer["code"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_rooms_need_a_key_only_the_backend_and_its_tokens_make_them() {
    let house = house(true, false).await;
    assert_eq!(refused(&house, json!({"room": "r"})).await, "no-such-room");
    assert_eq!(refused(&house, json!({"room": "r", "token": GUEST})).await, "no-such-room");
    assert_eq!(house.post("/v1/rooms", r#"{"room":"r"}"#).await.status, 401);
    let key = format!("Bearer {KEY}");
    let host = format!("Bearer {HOST}");
    for wrong in ["Bearer x", "Basic x", &key[..key.len() - 1]] {
        assert_eq!(house.ask("POST", "/v1/rooms", &[("Authorization", wrong)], "{}").await.status, 401, "{wrong}");
    }
    let guest = format!("Bearer {GUEST}");
    assert_eq!(house.ask("POST", "/v1/rooms", &[("Authorization", &guest)], r#"{"room":"r"}"#).await.status, 403);
    assert_eq!(house.ask("POST", "/v1/rooms", &[("Authorization", &host)], r#"{"room":"s"}"#).await.status, 403);
    assert_eq!(house.ask("POST", "/v1/rooms", &[("Authorization", &key)], r#"{"room":"s"}"#).await.status, 201);
    // What exists may be entered by everybody; the backend rules it without its owner's secret.
    let (mut a, joined) = Client::join(&house, json!({"room": "s"})).await;
    assert_eq!(joined["owner"], Value::Null);
    let kick = format!("/v1/rooms/s/members/{}", a.member);
    assert_eq!(house.ask("DELETE", &kick, &[("Authorization", &key)], "").await.status, 204);
    assert_eq!(a.event().await["reason"], "kicked");
    let (_, joined) = Client::join(&house, json!({"room": "r", "token": HOST})).await;
    assert_eq!(joined["owner"].as_str().unwrap().len(), 32);
    assert_eq!(house.ask("PATCH", "/v1/rooms/r", &[("Authorization", &guest)], "{}").await.status, 403);
    assert_eq!(house.ask("PATCH", "/v1/rooms/r", &[("Authorization", &host)], "{}").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_joining_needs_a_token_it_must_be_for_that_room() {
    let house = house(false, true).await;
    assert_eq!(refused(&house, json!({"room": "r"})).await, "unauthorized");
    assert_eq!(refused(&house, json!({"room": "r", "token": "a.b.c"})).await, "unauthorized");
    assert_eq!(refused(&house, json!({"room": "s", "token": GUEST})).await, "forbidden");
    let (mut host, _) = Client::join(&house, json!({"room": "r", "token": HOST, "name": "Mallory"})).await;
    let (mut guest, joined) = Client::join(&house, json!({"room": "r", "token": GUEST, "name": "Bob"})).await;
    assert_eq!(joined["members"][0]["name"], "Ada", "the token knows the name better");
    assert_eq!(host.event().await["name"], "Bob");
    // A seat is kept without a token, and a token that names an owner makes one.
    assert_eq!(guest.resume(&house).await["type"], "resumed");
    host.done("kick", json!({"member": guest.member})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_or_a_token_no_room_is_kept_empty_for_more_than_an_hour() {
    let house = house(false, false).await;
    let [key, host, guest] = [KEY, HOST, GUEST].map(|bearer| format!("Bearer {bearer}"));
    let make = async |bearer: Option<&str>, room: &str| {
        let headers: Vec<_> = bearer.map(|bearer| ("Authorization", bearer)).into_iter().collect();
        let body = json!({"room": room, "empty_for": 1_000_000}).to_string();
        let made = house.ask("POST", "/v1/rooms", &headers, &body).await;
        assert_eq!(made.status, 201);
        made.json()["expires_in"].as_u64().unwrap()
    };
    assert_eq!(make(None, "a").await, 3_600);
    assert_eq!(make(Some("Bearer x"), "b").await, 3_600);
    assert_eq!(make(Some(&host), "s").await, 3_600, "the token is for another room");
    assert_eq!(make(Some(&key), "c").await, 86_400);
    assert_eq!(make(Some(&host), "r").await, 86_400);
    let owned = [("Authorization", key.as_str())];
    assert_eq!(house.ask("DELETE", "/v1/rooms/r", &owned, "").await.status, 204);
    assert_eq!(make(Some(&guest), "r").await, 3_600, "the token does not grant `create`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_a_token_make_as_many_rooms_as_they_like() {
    let mut access = Access::default();
    access.add_api_key(KEY);
    access.add_token_secret(SECRET);
    let house = House::with(|config| {
        config.access = access;
        config.rates.exempt_loopback = false;
        config.rates.make = posthouse_signaling::Rate { per_second: 1, burst: 1 };
        (config.rates.join.burst, config.rates.upgrade.burst) = (1000, 1000);
    })
    .await;
    let key = format!("Bearer {KEY}");
    for n in 0..30 {
        let body = json!({"room": format!("n{n}")}).to_string();
        let made = house.ask("POST", "/v1/rooms", &[("Authorization", &key)], &body).await;
        assert_eq!(made.status, 201);
    }
    for _ in 0..10 {
        let (mut host, joined) = Client::join(&house, json!({"room": "r", "token": HOST})).await;
        assert!(joined["owner"].is_string());
        host.done("close", json!({})).await;
    }
}
