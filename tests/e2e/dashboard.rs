//! The operator's dashboard as its page and an operator's scripts see it: who may, what is shown, what is never shown, what
//! its buttons do.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use hyper::{Method, StatusCode};
use posthouse_probe::{Ask, Target, allocate};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::collider::Collider;
use crate::harness::http::{Answer, get, post, request_on, request_with};
use crate::harness::member::{Member, is_refused};
use crate::harness::settings::SECRET;
use crate::harness::{Server, Settings};

/// What has not come by then will not come; a busy machine needs less.
const LIMIT: Duration = Duration::from_secs(20);

const TOKEN: &str = "the-admin-token-of-these-tests";
const OWN: (&str, &str) = ("X-Posthouse", "test");

/// One server's admin listener.
struct Desk<'s>(&'s Server);

impl Desk<'_> {
    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        request_with(self.0.admin, method, path, headers, "").await
    }

    async fn status(&self, query: &str) -> Value {
        let answer = get(self.0.admin, &format!("/api/status?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    async fn end(&self, path: &str) -> StatusCode {
        self.ask(Method::DELETE, path, &[OWN]).await.status
    }

    /// Waits until a snapshot is as it should be, and returns it.
    async fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + LIMIT;
        loop {
            let status = self.status("").await;
            if is_so(&status) {
                return status;
            }
            assert!(Instant::now() < end, "never {what}: {status:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn room<'s>(status: &'s Value, name: &str, dialect: &str) -> Option<&'s Value> {
    let rooms = status["rooms"]["list"].as_array().expect("a list");
    rooms.iter().find(|room| room["room"] == name && room["dialect"] == dialect)
}

fn members(room: &Value) -> &Vec<Value> {
    room["members"].as_array().expect("a list")
}

/// A seat of AppRTC's, and its credentials.
async fn join(web: SocketAddr, room: &str) -> Value {
    let answer = post(web, &format!("/join/{room}"), "").await.json();
    assert_eq!(answer["result"], "SUCCESS", "{answer}");
    answer["params"].clone()
}

fn client_id(params: &Value) -> &str {
    params["client_id"].as_str().expect("a string")
}

/// The relay's part of a list of ICE servers: username and credential.
fn credential(servers: &Value) -> (String, String) {
    let text;
    let servers = match servers.as_str() {
        Some(json) => {
            text = serde_json::from_str::<Value>(json).expect("JSON in a string");
            &text
        }
        None => servers,
    };
    let all = servers.as_array().expect("a list");
    let turn = all.iter().find(|entry| entry["username"].is_string()).expect("an entry with a username");
    let of = |key: &str| turn[key].as_str().expect("a string").to_owned();
    (of("username"), of("credential"))
}

/// The relay with the credentials of a seat of AppRTC's.
fn target(server: &Server, seat: &Value) -> Target {
    let (name, password) = credential(&seat["ice_servers"]);
    Target::new(server.relay, name, password)
}

#[tokio::test]
async fn the_page_is_the_operators_alone_and_loads_nothing_from_elsewhere() {
    let server = Server::start(&Settings::default());
    let page = get(server.admin, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self';"), "{policy}");
    let css = page.body.split('"').find(|part| part.ends_with("/dashboard.css")).expect("its style sheet").to_owned();
    assert_eq!(get(server.admin, &css).await.status, StatusCode::OK);
    assert_eq!(get(server.web, &css).await.status, StatusCode::NOT_FOUND);
    for path in ["/api/status", "/api/history"] {
        // To the public listener it is a client's mailbox, `/ROOM/CLIENT`, where others post: there is nothing to read.
        assert_eq!(get(server.web, path).await.body, "", "{path} on the public listener");
    }
    assert_ne!(get(server.web, "/").await.body, page.body);
}

#[tokio::test]
async fn without_a_token_a_name_that_somebody_pointed_here_is_not_answered() {
    let server = Server::start(&Settings::default());
    let as_host = async |path: &str, host: &str| {
        let stream = TcpStream::connect(server.admin).await.unwrap();
        request_on(stream, host, Method::GET, path, "").await.status
    };
    for path in ["/", "/api/status"] {
        assert_eq!(as_host(path, "evil.example:9641").await, StatusCode::MISDIRECTED_REQUEST, "{path}");
    }
    assert_eq!(as_host("/api/status", "localhost:1").await, StatusCode::OK);
    assert_eq!(as_host("/metrics", "relay.example").await, StatusCode::OK);
}

#[tokio::test]
async fn with_a_token_nothing_but_the_page_itself_is_shown_to_others() {
    let server = Server::start_as(&Settings::default(), &[("POSTHOUSE_ADMIN_TOKEN", TOKEN)], Some(TOKEN));
    let desk = Desk(&server);
    assert_eq!(get(server.admin, "/").await.status, StatusCode::OK);
    let right = format!("Bearer {TOKEN}");
    for path in ["/api/status", "/api/history", "/metrics"] {
        assert_eq!(get(server.admin, path).await.status, StatusCode::UNAUTHORIZED, "{path}");
        for wrong in ["Bearer ", "Bearer x", &right[..right.len() - 1], &format!("{right}x"), &format!("Basic {TOKEN}")]
        {
            let answer = desk.ask(Method::GET, path, &[("Authorization", wrong)]).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} with {wrong:?}");
        }
        let answer = desk.ask(Method::GET, path, &[("Authorization", &right)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    assert_eq!(desk.end("/api/rooms/v1/kitchen").await, StatusCode::UNAUTHORIZED);
    assert!(!server.log().contains(TOKEN));
}

#[tokio::test]
async fn a_session_is_a_cookie_that_other_pages_cannot_use() {
    let server = Server::start_as(&Settings::default(), &[("POSTHOUSE_ADMIN_TOKEN", TOKEN)], Some(TOKEN));
    let desk = Desk(&server);
    let wrong = desk.ask(Method::POST, "/api/session", &[("Authorization", "Bearer wrong"), OWN]).await;
    assert_eq!((wrong.status, wrong.headers.get("set-cookie")), (StatusCode::UNAUTHORIZED, None));
    let right = format!("Bearer {TOKEN}");
    let signed_in = desk.ask(Method::POST, "/api/session", &[("Authorization", &right)]).await;
    assert_eq!(signed_in.status, StatusCode::NO_CONTENT);
    let set = signed_in.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains(TOKEN), "{set}");
    let cookie = ("Cookie", set.split(';').next().unwrap());
    assert_eq!(desk.ask(Method::GET, "/api/status", &[cookie]).await.status, StatusCode::OK);
    let origin = format!("http://{}", server.admin);
    for forged in [
        vec![cookie],
        vec![cookie, ("Origin", &*origin)],
        vec![cookie, OWN, ("Origin", "https://evil.example")],
        vec![cookie, OWN, ("Sec-Fetch-Site", "same-site")],
    ] {
        let answer = desk.ask(Method::DELETE, "/api/rooms/v1/kitchen", &forged).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{forged:?}");
    }
    let own = [cookie, OWN, ("Origin", &*origin), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(desk.ask(Method::DELETE, "/api/rooms/v1/kitchen", &own).await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.ask(Method::DELETE, "/api/session", &own).await.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.ask(Method::GET, "/api/status", &[cookie]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_snapshot_shows_who_holds_what_and_nothing_that_is_secret() {
    let server = Server::start(&Settings::default().user("static-user", "a-static-password"));
    let desk = Desk(&server);
    let making = json!({"type": "join", "id": 1, "room": "kitchen", "name": "Ada", "passphrase": "pass-phrase-0815",
        "data": {"presence": "of-ada"}, "create": {"capacity": 3, "passphrase": "pass-phrase-0815"}});
    let ada = Member::arrive(server.web, making).await;
    let seat = join(server.web, "parlour").await;
    let (member, parlour) = (credential(&ada.joined["ice"]["iceServers"]), credential(&seat["ice_servers"]));
    let target = |(name, password): &(String, String)| Target::new(server.relay, name.clone(), password.clone());
    let mut held = Vec::new();
    let fixed = Target::new(server.relay, "static-user", "a-static-password");
    for target in [target(&member), target(&parlour), server.target("app-user"), fixed] {
        held.push(allocate(&target, &Ask::default()).await.unwrap());
    }
    let status = desk.until("all four allocations", |status| status["totals"]["allocations"] == 4).await;
    let kitchen = room(&status, "kitchen", "v1").expect("the room");
    assert_eq!((&kitchen["capacity"], &kitchen["passphrase"]), (&json!(3), &json!(true)));
    let seen = &members(kitchen)[0];
    assert_eq!((&seen["name"], &seen["role"], &seen["seat"]), (&json!("Ada"), &json!("owner"), &json!("live")));
    assert_eq!(seen["member"], ada.joined["member"]);
    let allocation = &seen["allocations"][0];
    assert_eq!(allocation["transport"], "udp");
    assert_eq!(allocation["relayed"], json!([held[0].relayed().to_string()]));
    assert!(allocation["expires_in"].as_u64().unwrap() > 60, "{allocation}");
    let guest = &members(room(&status, "parlour", "apprtc").expect("the room"))[0];
    assert_eq!((&guest["seat"], &guest["allocation_count"]), (&json!("expected"), &json!(1)));
    let users = status["users"]["list"].as_array().unwrap();
    let names: Vec<&str> = users.iter().map(|user| user["user"].as_str().unwrap()).collect();
    assert_eq!(names, ["app-user", "static-user"]);
    assert_eq!(status["server"]["config"], server.config().display().to_string());
    assert!(status["workers"].as_array().is_some_and(|workers| !workers.is_empty()));

    let history = get(server.admin, "/api/history").await.body;
    let text = format!("{status}{history}");
    let secret = |value: &Value| value.as_str().expect("a string").to_owned();
    let secrets = [
        SECRET.to_owned(),
        "a-static-password".to_owned(),
        "pass-phrase-0815".to_owned(),
        "of-ada".to_owned(),
        client_id(&seat).to_owned(),
        secret(&ada.joined["resume"]),
        secret(&ada.joined["owner"]),
        member.0,
        member.1,
        parlour.0,
        parlour.1,
    ];
    for secret in secrets {
        assert!(!secret.is_empty() && !text.contains(&secret), "{secret:?} in {text}");
    }
}

#[tokio::test]
async fn a_kick_ends_seat_socket_and_allocation_and_the_next_snapshot_says_so() {
    let server = Server::start(&Settings::default());
    let desk = Desk(&server);
    let mut alice = Member::join(server.web, "kitchen").await;
    let mut bob = Member::join(server.web, "kitchen").await;
    let _held = allocate(&bob.target(server.relay), &Ask::default()).await.unwrap();
    let is_held = |status: &Value| {
        room(status, "kitchen", "v1").is_some_and(|room| members(room).iter().any(|one| one["allocation_count"] == 1))
    };
    desk.until("bob's allocation", is_held).await;
    let bobs = bob.joined["member"].as_str().unwrap().to_owned();
    let path = format!("/api/rooms/v1/kitchen/members/{bobs}");
    assert_eq!(desk.end(&path).await, StatusCode::NO_CONTENT);
    assert_eq!(bob.hear().await["reason"], "kicked");
    assert_eq!(bob.closed().await, 4403);
    assert_eq!(alice.hear().await["type"], "member-joined");
    assert_eq!(alice.hear().await["reason"], "kicked");
    let status = desk.until("no allocation", |status| status["totals"]["allocations"] == 0).await;
    let left = members(room(&status, "kitchen", "v1").expect("the room"));
    assert_eq!((left.len(), &left[0]["member"]), (1, &alice.joined["member"]));
    assert_eq!(status["users"]["total"], 0);
    let again = desk.ask(Method::DELETE, &path, &[OWN]).await;
    assert_eq!((again.status, &again.json()["error"]["code"]), (StatusCode::NOT_FOUND, &json!("no-such-member")));
}

#[tokio::test]
async fn an_apprtc_member_that_is_kicked_frees_its_seat_and_its_peer_hears_one_bye() {
    let server = Server::start(&Settings::default());
    let desk = Desk(&server);
    let (ada, bob) = (join(server.web, "parlour").await, join(server.web, "parlour").await);
    let mut ada_hears = Collider::register(server.web, "parlour", client_id(&ada)).await;
    let mut bob_hears = Collider::register(server.web, "parlour", client_id(&bob)).await;
    let [adas, bobs_own] = [&ada, &bob].map(|seat| target(&server, seat));
    let mut held = allocate(&bobs_own, &Ask::default()).await.unwrap();
    let live = |status: &Value| {
        room(status, "parlour", "apprtc").is_some_and(|room| members(room).iter().all(|one| one["seat"] == "live"))
    };
    let status = desk.until("both on their sockets", live).await;
    let seen = members(room(&status, "parlour", "apprtc").unwrap());
    let bobs = seen.iter().find(|one| one["role"] == "joiner").expect("bob")["member"].as_str().unwrap();
    assert_eq!(desk.end(&format!("/api/rooms/apprtc/parlour/members/{bobs}")).await, StatusCode::NO_CONTENT);
    assert_eq!(ada_hears.message().await, r#"{"type":"bye"}"#);
    assert!(bob_hears.is_closed().await);
    assert!(ada_hears.is_silent().await, "one bye");
    let carol = join(server.web, "parlour").await;
    assert_ne!(client_id(&carol), client_id(&bob));
    is_refused(&bobs_own).await;
    desk.until("no allocation", |status| status["totals"]["allocations"] == 0).await;
    assert_eq!(held.refresh(Duration::from_secs(600)).await.unwrap_err().code(), Some(401));
    for good in [adas, target(&server, &carol)] {
        allocate(&good, &Ask::default()).await.expect("whoever was not kicked relays on");
    }
}

#[tokio::test]
async fn a_room_is_closed_and_an_allocation_ended_by_its_name() {
    let server = Server::start(&Settings::default());
    let desk = Desk(&server);
    let mut alice = Member::join(server.web, "kitchen").await;
    let seat = join(server.web, "parlour").await;
    let mut hears = Collider::register(server.web, "parlour", client_id(&seat)).await;
    for path in ["/api/rooms/yjs/kitchen", "/api/rooms/apprtc/kitchen", "/api/rooms/v1/cellar", "/api/rooms/v1/%ff"] {
        assert!(desk.end(path).await.is_client_error(), "{path}");
    }
    assert_eq!(desk.end("/api/rooms/v1/kitchen").await, StatusCode::NO_CONTENT);
    assert_eq!(alice.hear().await["reason"], "closed");
    assert_eq!(alice.closed().await, 4404);
    assert_eq!(desk.end("/api/rooms/apprtc/parlour").await, StatusCode::NO_CONTENT);
    assert!(hears.is_closed().await);
    is_refused(&alice.target(server.relay)).await;
    is_refused(&target(&server, &seat)).await;

    let mut allocation = allocate(&server.target("app-user"), &Ask::default()).await.unwrap();
    let status = desk.until("the allocation", |status| status["users"]["total"] == 1).await;
    assert_eq!(status["rooms"]["total"], 0);
    let name = status["users"]["list"][0]["allocations"][0]["allocation"].as_str().unwrap();
    assert_eq!(desk.end(&format!("/api/allocations/{name}")).await, StatusCode::NO_CONTENT);
    assert_eq!(desk.end(&format!("/api/allocations/{name}")).await, StatusCode::NOT_FOUND);
    let gone = allocation.refresh(Duration::from_secs(600)).await.unwrap_err();
    assert_eq!(gone.code(), Some(437), "{gone}");
}

#[tokio::test]
async fn a_page_of_rooms_is_bounded_and_the_pages_make_the_whole() {
    let server = Server::start(&Settings::default());
    let desk = Desk(&server);
    let mut expected: Vec<String> = (0..60).map(|n| format!("room-{n:02}")).collect();
    for name in &expected {
        join(server.web, name).await;
    }
    let _meeting = Member::join(server.web, "room-07").await;
    expected.insert(8, "room-07".into());
    assert_eq!(desk.status("").await["rooms"]["list"].as_array().unwrap().len(), 50, "a page unless asked otherwise");
    let (mut seen, mut query) = (Vec::new(), "most=25".to_owned());
    loop {
        let status = desk.status(&query).await;
        let rooms = &status["rooms"];
        assert_eq!((&rooms["total"], &rooms["matching"]), (&json!(61), &json!(61)));
        let list = rooms["list"].as_array().unwrap();
        assert!(list.len() <= 25);
        seen.extend(list.iter().map(|room| room["room"].as_str().unwrap().to_owned()));
        let [Some(room), Some(dialect)] = [0, 1].map(|n| rooms["next"][n].as_str()) else { break };
        query = format!("most=25&after={room}&after_dialect={dialect}");
    }
    assert_eq!(seen, expected);
    let found = desk.status("find=-4&most=5").await;
    assert_eq!((&found["rooms"]["total"], &found["rooms"]["matching"]), (&json!(61), &json!(10)));
    assert_eq!(found["rooms"]["list"].as_array().unwrap().len(), 5);
    assert_eq!(desk.status("most=0").await["rooms"]["list"].as_array().unwrap().len(), 1);
    assert_eq!(desk.status("most=1000000").await["rooms"]["list"].as_array().unwrap().len(), 61);
}

#[tokio::test]
async fn other_dialects_are_counted() {
    let server = Server::start(&Settings::default());
    let stream = TcpStream::connect(server.web).await.unwrap();
    let (mut socket, _) = client_async(format!("ws://{}/yjs", server.web), stream).await.unwrap();
    socket.send(Message::text(r#"{"type":"subscribe","topics":["document","other"]}"#)).await.unwrap();
    let counted = json!({"dialect": "yjs", "identities": 1, "topics": 2});
    Desk(&server).until("yjs", |status| status["dialects"] == json!([counted])).await;
    socket.send(Message::text(r#"{"type":"ping"}"#)).await.unwrap();
    assert!(socket.next().await.is_some_and(|pong| pong.is_ok()));
}
