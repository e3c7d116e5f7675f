use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;

use posthouse_probe::{Ask, Failure, Family, Leg, Plan, Target, Way, allocate, binding, echo};

use crate::coturn::{Coturn, REALM, SECRET, free_address};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn with_secret() -> Option<Coturn> {
    Coturn::start(&["--use-auth-secret", &format!("--static-auth-secret={SECRET}")]).await
}

#[tokio::test]
async fn a_binding_tells_the_address_that_the_server_sees() {
    let Some(coturn) = with_secret().await else { return };
    let mapped = binding(coturn.server).await.unwrap();
    assert_eq!(mapped.address, mapped.local);
    assert!(!mapped.is_translated());
}

#[tokio::test]
async fn bytes_pass_on_every_leg_whole() {
    let Some(coturn) = with_secret().await else { return };
    let mut plan = Plan { payloads: 40, payload_len: 333, ..Plan::default() };
    plan.legs.extend([Way::Indication, Way::Channel].map(|way| Leg::Peer { way, at: LOOPBACK }));
    let report = echo(&coturn.target(), &plan).await.unwrap();
    assert!(report.is_whole(), "{report}");
    assert_eq!(report.passages.len(), 5);
    assert!(report.passages.iter().all(|passage| passage.there.arrived == 40 && passage.back.arrived == 40));
}

#[tokio::test]
async fn the_lifetime_asked_for_is_granted_and_so_is_each_refresh() {
    let Some(coturn) = with_secret().await else { return };
    let ask = Ask { lifetime: Some(Duration::from_secs(1200)), family: Some(Family::V4) };
    let mut allocation = allocate(&coturn.target(), &ask).await.unwrap();
    assert_eq!(allocation.lifetime(), Duration::from_secs(1200));
    assert_eq!(allocation.relayed().ip(), LOOPBACK);
    assert_eq!(allocation.refresh(Duration::from_secs(900)).await.unwrap(), Duration::from_secs(900));
    assert_eq!(allocation.refresh(Duration::ZERO).await.unwrap(), Duration::ZERO);
}

#[tokio::test]
async fn a_static_user_with_the_right_password_is_served() {
    let Some(coturn) = Coturn::start(&["-u", "alice:wonderland"]).await else { return };
    let mut target = Target::new(coturn.server, "alice", "wonderland");
    target.realm = Some(REALM.into());
    let report = echo(&target, &Plan::default()).await.unwrap();
    assert!(report.is_whole(), "{report}");
}

#[tokio::test]
async fn a_wrong_password_is_a_401() {
    let Some(coturn) = with_secret().await else { return };
    let target = Target { password: "wrong".into(), ..coturn.target() };
    let failure = echo(&target, &Plan::default()).await.unwrap_err();
    assert_eq!(failure.code(), Some(401), "{failure}");
    assert!(failure.to_string().contains("wrong or expired"), "{failure}");
}

#[tokio::test]
async fn a_peer_that_the_policy_denies_is_a_403() {
    let secret = format!("--static-auth-secret={SECRET}");
    let Some(coturn) = Coturn::start(&["--use-auth-secret", &secret, "--denied-peer-ip=127.0.0.9"]).await else {
        return;
    };
    for way in [Way::Indication, Way::Channel] {
        let plan = Plan { legs: vec![Leg::Peer { way, at: "127.0.0.9".parse().unwrap() }], ..Plan::default() };
        let failure = echo(&coturn.target(), &plan).await.unwrap_err();
        assert_eq!(failure.code(), Some(403), "{failure}");
        assert!(failure.to_string().contains("peer refused by policy"), "{failure}");
    }
}

#[tokio::test]
async fn a_family_that_the_server_does_not_relay_is_a_440() {
    let Some(coturn) = with_secret().await else { return };
    let ask = Ask { family: Some(Family::V6), lifetime: None };
    let failure = allocate(&coturn.target(), &ask).await.err().unwrap();
    assert_eq!(failure.code(), Some(440), "{failure}");
}

#[tokio::test]
async fn another_realm_than_expected_is_said_before_the_password_is_blamed() {
    let Some(coturn) = with_secret().await else { return };
    let target = Target { realm: Some("elsewhere.example.org".into()), ..coturn.target() };
    let failure = allocate(&target, &Ask::default()).await.err().unwrap();
    assert!(matches!(&failure, Failure::Realm { got, .. } if got == REALM), "{failure}");
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_closed_and_one_that_swallows_is_silent() {
    let closed = binding(free_address()).await.unwrap_err();
    assert!(matches!(closed, Failure::Closed { .. }), "{closed}");

    let swallowing = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = binding(swallowing.local_addr().unwrap()).await.unwrap_err();
    assert!(matches!(silent, Failure::Silent { .. }), "{silent}");
}
