//! Who may ask, and how often.

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_asks_too_often_is_told_429() {
    let house = House::with(|config| {
        config.rates.exempt_loopback = false;
        config.rates.ice.burst = 3;
        config.rates.ice.per_second = 1;
    })
    .await;
    let mut refused = 0;
    for _ in 0..40 {
        let answer = house.post("/v1alpha/iceconfig", "").await;
        if answer.status == 429 {
            assert_eq!(answer.header("retry-after"), Some("1"));
            refused += 1;
        }
    }
    assert!((1..=37).contains(&refused), "{refused}");
    assert_eq!(house.signaling.stats().refused_rate, refused);
    assert_eq!(house.join_result("kitchen").await, "SUCCESS", "another budget");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_65th_socket_of_a_source_is_refused_until_one_closes() {
    let house = House::with(|config| {
        config.rates.exempt_loopback = false;
        config.rates.upgrade.burst = 1000;
    })
    .await;
    let mut sockets = Vec::new();
    for _ in 0..64 {
        sockets.push(house.socket().await);
    }
    assert_eq!(house.socket_with(&[]).await.err(), Some(429));
    sockets.pop().unwrap().close().await;
    while house.signaling.stats().sockets > 63 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // The seat is given back right after the socket is unlisted.
    for _ in 0..1000 {
        if house.socket_with(&[]).await.is_ok() {
            return;
        }
    }
    panic!("the seat of a closed socket is not given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_beyond_the_burst_are_refused() {
    let house = House::with(|config| {
        config.rates.exempt_loopback = false;
        config.rates.upgrade.burst = 5;
        config.rates.upgrade.per_second = 1;
    })
    .await;
    let mut refused = 0;
    for _ in 0..40 {
        refused += usize::from(house.socket_with(&[]).await.is_err());
    }
    assert!((1..=37).contains(&refused), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_welcome_by_default() {
    let house = House::open().await;
    for origin in ["https://appr.tc", "null", "nonsense"] {
        assert!(house.socket_with(&[("origin", origin)]).await.is_ok(), "{origin}");
    }
    let joined = house.ask("POST", "/join/kitchen", &[("Origin", "https://elsewhere.example")], "").await;
    assert_eq!(joined.header("access-control-allow-origin"), Some("*"));
    assert_eq!(joined.header("access-control-allow-credentials"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_origins_keeps_other_pages_out() {
    let house = House::with(|config| config.allowed_origins = vec!["https://app.example".to_owned()]).await;
    let own = format!("http://{}", house.address);
    for (origin, welcome) in
        [("https://app.example", true), (own.as_str(), true), ("https://evil.example", false), ("null", false)]
    {
        assert_eq!(house.socket_with(&[("origin", origin)]).await.err(), (!welcome).then_some(403), "{origin}");
        let joined = house.ask("POST", "/join/kitchen", &[("Origin", origin)], "").await;
        assert_eq!(joined.status, if welcome { 200 } else { 403 }, "{origin}");
        assert_eq!(joined.header("access-control-allow-origin"), welcome.then_some(origin));
        let preflight = house.ask("OPTIONS", "/join/kitchen", &[("Origin", origin)], "").await;
        assert_eq!(preflight.status, 204);
        assert_eq!(preflight.header("access-control-allow-origin"), welcome.then_some(origin));
    }
    assert!(house.socket_with(&[]).await.is_ok(), "apps send no Origin");
    assert!(house.signaling.stats().refused_origin >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_without_an_origin_may_be_kept_out() {
    let house = House::with(|config| config.allow_no_origin = false).await;
    assert_eq!(house.socket_with(&[]).await.err(), Some(403));
    assert!(house.socket_with(&[("origin", "https://any.example")]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_made_of_the_public_url_and_never_of_host() {
    let house = House::with(|config| config.public_url = Some("https://meet.example.org/".to_owned())).await;
    assert_eq!(house.post("/join/kitchen", "").await.status, 421);
    let ask = "POST /join/kitchen?a=%22b HTTP/1.1\r\nHost: meet.example.org\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let joined = house.raw(ask.as_bytes()).await;
    assert_eq!(joined.header("strict-transport-security"), Some("max-age=31536000"));
    let params = &joined.json()["params"];
    assert_eq!(params["room_link"], "https://meet.example.org/r/kitchen?a=%22b");
    assert_eq!(params["wss_url"], "wss://meet.example.org/ws");
    assert_eq!(params["wss_post_url"], "https://meet.example.org");
    assert_eq!(params["ice_server_url"], "https://meet.example.org/v1alpha/iceconfig");
    let house = House::open().await;
    let ask = "POST /join/kitchen HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert!(!house.raw(ask.as_bytes()).await.body.contains("evil"));
}
