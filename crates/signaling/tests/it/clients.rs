//! The clients in the wild, request by request: AppRTC's web app, Android, iOS, aiortc.

use serde_json::Value;

use crate::house::{BYE, House, Member};

const OFFER: &str = r#"{"sdp":"v=0 offer <é>","type":"offer"}"#;
const CANDIDATE: &str =
    r#"{"type":"candidate","label":0,"id":"0","candidate":"candidate:1 1 udp 1 192.0.2.1 1 typ host"}"#;
const ANSWER: &str = r#"{"sdp":"v=0 answer","type":"answer"}"#;

/// `POST /message`, with the query that the page was opened with, as every client repeats it.
async fn message(house: &House, member: &Member, body: &str, content_type: &str) -> String {
    let path = member.path("/message") + "?debug=&wstls=false";
    let answer = house.ask("POST", &path, &[("Content-Type", content_type)], body).await;
    assert_eq!(answer.status, 200);
    answer.json()["result"].as_str().unwrap().to_owned()
}

const TEXT: &str = "text/plain;charset=UTF-8";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn the_web_app_calls_hangs_up_and_calls_again() {
    let house = House::open().await;
    assert_eq!(house.get("/r/kitchen").await.body, "room kitchen full=false");
    assert!(!house.post("/v1alpha/iceconfig", "").await.json()["iceServers"].as_array().unwrap().is_empty());
    let a = house.join("kitchen").await;
    assert!(a.initiator && a.messages.is_empty());
    let mut a_socket = house.register(&a).await;
    assert_eq!(message(&house, &a, OFFER, TEXT).await, "SUCCESS");
    assert_eq!(message(&house, &a, CANDIDATE, TEXT).await, "SUCCESS");

    let b = house.join("kitchen").await;
    assert!(!b.initiator);
    assert_eq!(b.messages, [OFFER, CANDIDATE]);
    let mut b_socket = house.register(&b).await;
    b_socket.send(ANSWER).await;
    b_socket.send(CANDIDATE).await;
    assert_eq!([a_socket.hear().await, a_socket.hear().await], [ANSWER, CANDIDATE]);
    assert_eq!(message(&house, &a, CANDIDATE, TEXT).await, "SUCCESS");
    assert_eq!(b_socket.hear().await, CANDIDATE);
    assert_eq!(house.get("/r/kitchen").await.body, "room kitchen full=true");

    // Hang up: leave, bye, close, preflight, DELETE.
    let left = house.post(&b.path("/leave"), "").await;
    assert_eq!((left.status, left.body.as_str()), (200, ""));
    b_socket.send(BYE).await;
    b_socket.close().await;
    let preflight = house.ask("OPTIONS", &b.path(""), &[("Access-Control-Request-Method", "DELETE")], "").await;
    assert_eq!(preflight.header("access-control-allow-methods"), Some("POST, DELETE"));
    assert_eq!(house.ask("DELETE", &b.path(""), &[], "").await.body, "OK\n");
    assert_eq!(a_socket.hear().await, BYE);

    // The survivor offers anew, and the one who rejoins gets it.
    assert_eq!(message(&house, &a, OFFER, TEXT).await, "SUCCESS");
    let b = house.join("kitchen").await;
    assert!(!b.initiator);
    assert_eq!(b.messages, [OFFER]);
    assert_eq!(a_socket.heard().await, [""; 0], "exactly one bye");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_tab_says_bye_on_its_socket_alone_and_its_seat_is_free_at_once() {
    let house = House::open().await;
    let [(_, mut a_socket), (_, mut b_socket)] = house.call("kitchen").await;
    b_socket.send(BYE).await;
    b_socket.kill();
    assert_eq!(a_socket.hear().await, BYE);
    let c = house.join("kitchen").await;
    assert!(!c.initiator);
    assert_eq!(a_socket.heard().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_app_falls_back_to_posting_when_its_socket_dies() {
    let house = House::open().await;
    let [(_, mut a_socket), (b, b_socket)] = house.call("kitchen").await;
    b_socket.kill();
    assert_eq!(house.post(&b.path(""), CANDIDATE).await.body, "OK\n");
    assert_eq!(a_socket.hear().await, CANDIDATE);
}

#[tokio::test(flavor = "multi_thread")]
async fn android_leaves_says_bye_and_deletes_in_any_order() {
    let orders: [[&str; 3]; 4] = [
        ["leave", "bye", "delete"],
        ["bye", "leave", "delete"],
        ["leave", "delete", "bye"],
        ["delete", "leave", "bye"],
    ];
    let house = House::open().await;
    for (at, order) in orders.iter().enumerate() {
        let room = format!("android-{at}");
        let headers = [("Origin", "https://appr.tc"), ("Content-Type", "text/plain; charset=utf-8")];
        let joined = house.ask("POST", &format!("/join/{room}"), &headers, "").await.json();
        assert_eq!(joined["params"]["is_initiator"], "true");
        let pc_config: Value = serde_json::from_str(joined["params"]["pc_config"].as_str().unwrap()).unwrap();
        assert_eq!(pc_config["iceServers"], serde_json::json!([]));
        let id = joined["params"]["client_id"].as_str().unwrap().to_owned();
        let a = Member { room: room.clone(), id, initiator: true, messages: Vec::new() };
        let ice = house.ask("POST", "/v1alpha/iceconfig", &[("Referer", "https://appr.tc")], "").await;
        assert!(ice.json()["iceServers"].as_array().unwrap().iter().all(|server| server["urls"].is_array()));
        let a_socket = house.register(&a).await;
        assert_eq!(message(&house, &a, OFFER, "text/plain; charset=utf-8").await, "SUCCESS");
        let b = house.join(&room).await;
        let mut b_socket = house.register(&b).await;
        let mut a_socket = Some(a_socket);
        for step in order {
            match *step {
                "leave" => assert_eq!(house.post(&a.path("/leave"), "").await.status, 200),
                "delete" => assert_eq!(house.ask("DELETE", &a.path(""), &[], "").await.status, 200),
                _ => {
                    let socket = a_socket.as_mut().unwrap();
                    // The server may have closed it by then.
                    let frame = serde_json::json!({"cmd": "send", "msg": BYE}).to_string();
                    let _ = futures_util::SinkExt::send(&mut socket.0, frame.into()).await;
                }
            }
        }
        a_socket.take().unwrap().close().await;
        assert_eq!(b_socket.hear().await, BYE, "{order:?}");
        assert!(house.join(&room).await.messages.is_empty());
        assert_eq!(b_socket.heard().await, [""; 0], "{order:?}: exactly one bye");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ios_posts_forms_and_registers_late() {
    let house = House::open().await;
    let params = house.get("/params").await.json();
    let ice_url = params["ice_server_url"].as_str().unwrap();
    let path = ice_url.strip_prefix(&format!("http://{}", house.address)).unwrap();
    let ice = house.ask("POST", path, &[("Referer", "https://appr.tc")], "").await.json();
    assert!(ice["iceServers"].as_array().unwrap().iter().all(|server| !server["urls"].as_array().unwrap().is_empty()));
    let a = house.join("ios").await;
    assert_eq!(message(&house, &a, OFFER, FORM).await, "SUCCESS", "not parsed as a form");
    let b = house.join("ios").await;
    assert_eq!(b.messages, [OFFER]);
    // Before it registers, the joiner posts to the relay.
    let posted = house.ask("POST", &b.path(""), &[("Content-Type", FORM)], ANSWER).await;
    assert_eq!((posted.status, posted.body.as_str()), (200, "OK\n"));
    let mut a_socket = house.socket().await;
    a_socket
        .say(&format!("{{\n  \"cmd\" : \"register\",\n  \"roomid\" : \"ios\",\n  \"clientid\" : \"{}\"\n}}", a.id))
        .await;
    assert_eq!(a_socket.hear().await, ANSWER);
    let mut b_socket = house.register(&b).await;
    assert_eq!(house.post(&b.path("/leave"), "").await.status, 200);
    b_socket.send(BYE).await;
    b_socket.close().await;
    assert_eq!(house.ask("DELETE", &b.path(""), &[], "").await.status, 200);
    assert_eq!(a_socket.hear().await, BYE);
    assert_eq!(a_socket.heard().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn aiortc_never_leaves_and_its_room_is_empty_afterwards() {
    let house = House::open().await;
    let origin = format!("http://{}", house.address);
    let a = house.join("aiortc").await;
    let mut a_socket = house.socket_with(&[("origin", &origin)]).await.unwrap();
    a_socket.register("aiortc", &a.id).await;
    let b = house.join("aiortc").await;
    let mut b_socket = house.socket_with(&[("origin", &origin)]).await.unwrap();
    b_socket.register("aiortc", &b.id).await;
    assert_eq!(message(&house, &a, OFFER, "application/octet-stream").await, "SUCCESS");
    assert_eq!(b_socket.hear().await, OFFER);
    b_socket.send(ANSWER).await;
    assert_eq!(a_socket.hear().await, ANSWER);
    // close(): the initiator says bye by request, the joiner on its socket.
    assert_eq!(message(&house, &a, BYE, "text/plain; charset=utf-8").await, "SUCCESS");
    a_socket.close().await;
    assert_eq!(b_socket.hear().await, BYE);
    b_socket.send(BYE).await;
    b_socket.close().await;
    for initiator in [true, false] {
        let next = house.join("aiortc").await;
        assert_eq!(next.initiator, initiator);
        assert!(next.messages.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_initiator_of_aiortc_leaves_no_stale_offer_behind() {
    let house = House::open().await;
    let a = house.join("alone").await;
    let a_socket = house.register(&a).await;
    assert_eq!(message(&house, &a, OFFER, TEXT).await, "SUCCESS");
    assert_eq!(message(&house, &a, BYE, TEXT).await, "SUCCESS");
    a_socket.close().await;
    let next = house.join("alone").await;
    assert!(next.initiator && next.messages.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_fills_the_room_and_echoes_through_its_second_socket() {
    let house = House::open().await;
    let joined = house.post("/join/echo?debug=loopback", "").await.json();
    assert_eq!(joined["params"]["is_loopback"], "true");
    let id = joined["params"]["client_id"].as_str().unwrap();
    let a = Member { room: "echo".to_owned(), id: id.to_owned(), initiator: true, messages: Vec::new() };
    let mut a_socket = house.register(&a).await;
    let mut echo = house.socket().await;
    echo.register("echo", "loopback_client_id").await;
    assert_eq!(house.join_result("echo").await, "FULL");
    assert_eq!(message(&house, &a, OFFER, TEXT).await, "SUCCESS");
    let heard = echo.hear().await;
    echo.send(&heard).await;
    assert_eq!(a_socket.hear().await, OFFER);
    house.post(&a.path("/leave"), "").await;
    assert_eq!(house.join_result("echo").await, "SUCCESS");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_before_2016_find_their_keys_and_their_routes() {
    let house = House::open().await;
    let joined = house.post("/register/old", "").await.json();
    let params = &joined["params"];
    let turn =
        params["turn_url"].as_str().unwrap().strip_prefix(&format!("http://{}", house.address)).unwrap().to_owned();
    let turn = house.get(&turn).await.json();
    for key in ["username", "password"] {
        assert!(!turn[key].as_str().unwrap().is_empty());
    }
    assert_eq!(turn["uris"].as_array().unwrap().len(), 2);
    assert_eq!(house.get("/room/old").await.body, "room old full=false");
    let id = params["client_id"].as_str().unwrap();
    assert_eq!(house.post(&format!("/bye/old/{id}"), "").await.status, 200);
    assert_eq!(house.signaling.stats().members, 0);
}
