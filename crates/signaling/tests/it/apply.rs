//! Other settings while calls go on.

use posthouse_signaling::Config;

use crate::house::House;

/// The house's settings, changed.
fn changed(house: &House, change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config { listen: house.address, ..Config::default() };
    change(&mut config);
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn new_settings_hold_for_who_comes_and_leave_a_call_alone() {
    let house = House::open().await;
    let [(_, mut caller), (_, mut callee)] = house.call("kitchen").await;
    house.signaling.apply(changed(&house, |config| {
        config.allowed_origins = vec!["https://app.example".to_owned()];
        config.rooms.capacity = 3;
        config.rooms.max_message = 1024;
    }));
    assert_eq!(house.socket_with(&[("origin", "https://evil.example")]).await.err(), Some(403));
    assert!(house.socket_with(&[("origin", "https://app.example")]).await.is_ok());
    assert_eq!(house.join_result("kitchen").await, "SUCCESS", "a room that lives has a third seat now");
    assert_eq!(house.post("/join/pantry", &"x".repeat(1025)).await.status, 413);
    caller.send("still here").await;
    assert!(callee.hear().await.contains("still here"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_keeps_members_it_may_no_longer_have_and_gets_no_more() {
    let house = House::with(|config| config.rooms.capacity = 4).await;
    let mut members = Vec::new();
    for _ in 0..3 {
        let member = house.join("hall").await;
        members.push(house.register(&member).await);
    }
    house.signaling.apply(changed(&house, |config| config.rooms.capacity = 2));
    assert_eq!(house.join_result("hall").await, "FULL");
    assert_eq!(house.signaling.stats().members, 3);
    members[0].send("all of us").await;
    for member in &mut members[1..] {
        assert!(member.hear().await.contains("all of us"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_follow_the_public_url() {
    let house = House::open().await;
    house.signaling.apply(changed(&house, |config| config.public_url = Some("https://meet.example.org".to_owned())));
    assert_eq!(house.post("/join/kitchen", "").await.status, 421);
    let ask = "POST /join/kitchen HTTP/1.1\r\nHost: meet.example.org\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let joined = house.raw(ask.as_bytes()).await;
    assert_eq!(joined.json()["params"]["wss_url"], "wss://meet.example.org/ws");
    house.signaling.apply(changed(&house, |_| {}));
    let joined = house.post("/join/pantry", "").await;
    assert_eq!(joined.json()["params"]["wss_url"], format!("ws://{}/ws", house.address));
}
