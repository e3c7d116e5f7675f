//! ICE credentials in all their shapes.

use serde_json::json;

use crate::house::House;

const MATRIX: &str = "/_matrix/client/v3/voip/turnServer";
const SHAPES: [&str; 4] = ["/ice", "/turn", "/v1alpha/iceconfig", MATRIX];

#[tokio::test(flavor = "multi_thread")]
async fn links_say_the_same_as_the_body() {
    let house = House::open().await;
    let answer = house.get("/ice").await;
    let body = answer.json();
    assert_eq!(body["lifetimeDuration"], "3600.000s");
    let relay = &body["iceServers"][1];
    let (username, credential) = (relay["username"].as_str().unwrap(), relay["credential"].as_str().unwrap());
    let mut links = vec![r#"<stun:127.0.0.1:3478>; rel="ice-server""#.to_owned()];
    for transport in ["udp", "tcp"] {
        links.push(format!(
            r#"<turn:127.0.0.1:3478?transport={transport}>; rel="ice-server"; username="{username}"; credential="{credential}"; credential-type="password""#
        ));
    }
    let told: Vec<_> =
        answer.headers.iter().filter(|(name, _)| name == "link").map(|(_, value)| value.clone()).collect();
    assert_eq!(told, links);
    assert_eq!(answer.header("access-control-expose-headers"), Some("Link"));
    let head = house.ask("HEAD", "/ice", &[], "").await;
    assert_eq!((head.status, head.body.as_str(), head.header("link").is_some()), (200, "", true));
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_and_the_turn_rest_api_read_the_relay_alone() {
    let house = House::open().await;
    let uris = json!(["turn:127.0.0.1:3478?transport=udp", "turn:127.0.0.1:3478?transport=tcp"]);
    for path in ["/turn", MATRIX, "/_matrix/client/r0/voip/turnServer"] {
        let answer = house.ask("GET", path, &[("Authorization", "Bearer of-somebody-else")], "").await;
        let body = answer.json();
        assert_eq!((&body["uris"], &body["ttl"], &body["password"]), (&uris, &json!(3600), &json!("secret")), "{path}");
        assert_eq!(body.as_object().unwrap().len(), 4, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_nobody_elses_to_keep_or_to_read() {
    let house = House::with(|config| config.allowed_origins = vec!["https://app.example".to_owned()]).await;
    for path in SHAPES {
        let app = house.ask("GET", path, &[("Origin", "https://app.example")], "").await;
        assert_eq!((app.status, app.header("cache-control")), (200, Some("no-store")), "{path}");
        assert_eq!(app.header("access-control-allow-origin"), Some("https://app.example"), "{path}");
        let stranger = house.ask("GET", path, &[("Origin", "https://evil.example")], "").await;
        assert_eq!((stranger.status, stranger.header("access-control-allow-origin")), (403, None), "{path}");
        assert_eq!(stranger.header("link"), None);
        let before = house.ask("OPTIONS", path, &[("Origin", "https://app.example")], "").await;
        assert_eq!(before.status, 204, "{path}");
        assert_eq!(before.header("access-control-allow-headers"), Some("authorization, content-type"));
        assert_eq!(before.header("link"), None, "a question before the question mints nothing");
        assert_eq!(house.ask("DELETE", path, &[], "").await.status, 405, "{path}");
    }
    // Every asker has a name of its own, so that one's allocations are not another's.
    let name = async || house.get("/turn").await.json()["username"].as_str().unwrap().to_owned();
    assert_ne!(name().await, name().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_shapes_share_one_budget() {
    let house = House::with(|config| {
        config.rates.exempt_loopback = false;
        (config.rates.ice.burst, config.rates.ice.per_second) = (3, 1);
    })
    .await;
    for _ in 0..10 {
        for path in SHAPES {
            house.get(path).await;
        }
    }
    let refused = house.signaling.stats().refused_rate;
    assert!((1..=37).contains(&refused), "{refused}");
}
