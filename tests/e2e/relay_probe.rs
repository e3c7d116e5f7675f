//! Crate `probe`, an implementation of other people, against the real binary.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use posthouse_probe::{Ask, Family, Leg, Plan, Target, Way, allocate, binding, echo};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::harness::credential::{now, time_limited};
use crate::harness::settings::{REALM, SECRET};
use crate::harness::{Server, Settings};

/// On the loopback network, but no address of the server's.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const WAYS: [Way; 2] = [Way::Indication, Way::Channel];

#[tokio::test]
async fn a_binding_tells_the_address_that_the_server_sees() {
    let server = Server::start(&Settings::default().ipv6());
    for at in [server.relay, server.relay6] {
        let mapped = binding(at).await.unwrap();
        assert_eq!(mapped.address, mapped.local);
    }
}

#[tokio::test]
async fn relay_to_relay_carries_every_byte_under_the_default_policy() {
    let server = Server::start(&Settings::default());
    let plan = Plan { payloads: 200, payload_len: 1200, ..Plan::default() };
    let report = echo(&server.target("alice"), &plan).await.unwrap();
    assert!(report.is_whole(), "{report}");
}

#[tokio::test]
async fn payloads_of_every_length_pass_whole() {
    let server = Server::start(&Settings::default().loopback_peers());
    for payload_len in [16, 17, 18, 19, 500, 1000, 1400] {
        let legs = WAYS.map(|way| Leg::Peer { way, at: ELSEWHERE }).to_vec();
        let plan = Plan { legs, payload_len, ..Plan::default() };
        let report = echo(&server.target("alice"), &plan).await.unwrap();
        assert!(report.is_whole(), "{payload_len} bytes: {report}");
    }
}

#[tokio::test]
async fn a_peer_outside_exchanges_bytes_where_the_policy_allows_it() {
    let server = Server::start(&Settings::default().loopback_peers());
    let legs = WAYS.map(|way| Leg::Peer { way, at: ELSEWHERE }).to_vec();
    let plan = Plan { legs, payloads: 200, ..Plan::default() };
    let report = echo(&server.target("alice"), &plan).await.unwrap();
    assert!(report.is_whole(), "{report}");
}

#[tokio::test]
async fn a_static_user_is_served_beside_the_shared_secret() {
    let server = Server::start(&Settings::default().user("alice", "wonderland-password"));
    let mut target = Target::new(server.relay, "alice", "wonderland-password");
    target.realm = Some(REALM.into());
    for target in [target, server.target("bob")] {
        let report = echo(&target, &Plan::default()).await.unwrap();
        assert!(report.is_whole(), "{report}");
    }
}

#[tokio::test]
async fn wrong_unknown_and_expired_credentials_are_each_a_401() {
    let server = Server::start(&Settings::default().user("alice", "wonderland-password"));
    let expired = time_limited(SECRET, "bob", now() - 60);
    let foreign = time_limited("a secret of another server altogether", "bob", now() + 3600);
    let cases = [
        ("wrong password", "alice".to_owned(), "looking-glass".to_owned()),
        ("unknown user", "mallory".to_owned(), "wonderland-password".to_owned()),
        ("expired", expired.0, expired.1),
        ("another secret", foreign.0, foreign.1),
    ];
    for (case, username, password) in cases {
        let failure = allocate(&Target::new(server.relay, username, password), &Ask::default()).await.err();
        let failure = failure.unwrap_or_else(|| panic!("{case}: got an allocation"));
        assert_eq!(failure.code(), Some(401), "{case}: {failure}");
    }
}

#[tokio::test]
async fn private_loopback_and_metadata_peers_are_a_403_by_default() {
    let server = Server::start(&Settings::default());
    let mut allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    for peer in ["127.0.0.2", "127.255.255.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"]
    {
        let peer = SocketAddr::new(peer.parse().unwrap(), 9);
        for way in WAYS {
            let failure = allocation.open(peer, way).await.err();
            let failure = failure.unwrap_or_else(|| panic!("{peer} was let in by {way:?}"));
            assert_eq!(failure.code(), Some(403), "{failure}");
        }
    }
}

#[tokio::test]
async fn the_servers_own_listeners_are_not_peers_even_where_loopback_is_allowed() {
    let server = Server::start(&Settings::default().loopback_peers());
    let mut allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    for listener in [server.relay, server.web, server.admin] {
        let failure = allocation.bind_channel(listener).await.err();
        let failure = failure.unwrap_or_else(|| panic!("a channel was bound to {listener}"));
        assert_eq!(failure.code(), Some(403), "{failure}");
    }

    // A Binding request sent by Send indication must not come back answered by the server itself. The permission may
    // be granted, because it covers the address and other clients' relayed addresses are on it; the port decides.
    let peer = UdpSocket::bind((ELSEWHERE, 0)).await.unwrap();
    let peer_address = peer.local_addr().unwrap();
    drop(allocation.permit(server.relay).await);
    allocation.permit(peer_address).await.unwrap();
    allocation.send(server.relay, Way::Indication, &BINDING_REQUEST).await.unwrap();
    allocation.send(peer_address, Way::Indication, b"after").await.unwrap();
    let mut buffer = [0; 64];
    let (len, from) = peer.recv_from(&mut buffer).await.unwrap();
    peer.send_to(&buffer[..len], from).await.unwrap();
    let received = allocation.receive().await.unwrap();
    assert_eq!((received.from, received.payload.as_slice()), (peer_address, b"after".as_slice()));
    let more = timeout(Duration::from_millis(300), allocation.receive()).await;
    assert!(more.is_err(), "the server's own listener answered: {more:?}");
}

/// A whole Binding request: type, length 0, magic cookie, transaction ID.
const BINDING_REQUEST: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xA4\x42end-to-end!!";

#[tokio::test]
async fn a_peer_without_a_permission_is_not_heard() {
    let server = Server::start(&Settings::default().loopback_peers());
    let mut allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    let stranger = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 3), 0)).await.unwrap();
    let friend = UdpSocket::bind((ELSEWHERE, 0)).await.unwrap();
    allocation.permit(friend.local_addr().unwrap()).await.unwrap();
    stranger.send_to(b"let me in", allocation.relayed()).await.unwrap();
    friend.send_to(b"hello", allocation.relayed()).await.unwrap();
    let received = allocation.receive().await.unwrap();
    assert_eq!((received.from, received.payload.as_slice()), (friend.local_addr().unwrap(), b"hello".as_slice()));
    let more = timeout(Duration::from_millis(300), allocation.receive()).await;
    assert!(more.is_err(), "a stranger was heard: {more:?}");
}

#[tokio::test]
async fn lifetimes_are_granted_within_bounds_and_zero_ends_the_allocation_at_once() {
    let server = Server::start(&Settings::default());
    let ask = |seconds| Ask { lifetime: Some(Duration::from_secs(seconds)), family: None };
    let target = server.target("alice");
    // RFC 8656 §7.2: no request gets less than the default of 10 minutes; §3.2 suggests a maximum of an hour.
    for (asked, granted) in [(1, 600), (600, 600), (1800, 1800), (1_000_000, 3600)] {
        let mut allocation = allocate(&target, &ask(asked)).await.unwrap();
        assert_eq!(allocation.lifetime(), Duration::from_secs(granted), "asked for {asked} s");
        assert_eq!(allocation.refresh(Duration::from_secs(1200)).await.unwrap(), Duration::from_secs(1200));
        assert_eq!(allocation.refresh(Duration::ZERO).await.unwrap(), Duration::ZERO);
        let gone = allocation.refresh(Duration::from_secs(600)).await.unwrap_err();
        assert_eq!(gone.code(), Some(437), "{gone}");
    }
}

#[tokio::test]
async fn a_relayed_address_lies_in_the_configured_range_and_is_never_given_twice() {
    let server = Server::start(&Settings::default());
    let target = server.target("alice");
    let mut held = Vec::new();
    for _ in 0..10 {
        held.push(allocate(&target, &Ask::default()).await.unwrap());
    }
    let mut ports: Vec<u16> = held.iter().map(|allocation| allocation.relayed().port()).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 10, "{ports:?}");
    assert!(ports.iter().all(|port| server.relay_ports.contains(port)), "{ports:?} outside {:?}", server.relay_ports);
}

#[tokio::test]
async fn one_allocation_more_than_the_user_may_have_is_a_486() {
    let server = Server::start(&Settings::default().limits("allocations_per_user = 2"));
    let target = server.target("alice");
    let first = allocate(&target, &Ask::default()).await.unwrap();
    let _second = allocate(&target, &Ask::default()).await.unwrap();
    let third = allocate(&target, &Ask::default()).await.err().expect("the third is refused");
    assert_eq!(third.code(), Some(486), "{third}");

    // The quota hangs on the user id, not on a name that changes with every credential.
    let (username, password) = time_limited(SECRET, "alice", now() + 1800);
    let renamed = Target::new(server.relay, username, password);
    let refused = allocate(&renamed, &Ask::default()).await.err().expect("a new expiry is the same user");
    assert_eq!(refused.code(), Some(486), "{refused}");

    first.free().await.unwrap();
    allocate(&target, &Ask::default()).await.expect("a freed place is free");
    allocate(&server.target("bob"), &Ask::default()).await.expect("another user has places of its own");
}

#[tokio::test]
async fn ipv6_relays_carry_every_byte_and_keep_families_apart() {
    let server = Server::start(&Settings::default().ipv6());
    let mut target = server.target("alice");
    for at in [server.relay, server.relay6] {
        target.server = at;
        let report = echo(&target, &Plan::of(Family::V6)).await.unwrap();
        assert!(report.is_whole(), "{report}");
    }
    let six = Ask { family: Some(Family::V6), lifetime: None };
    let mut allocation = allocate(&target, &six).await.unwrap();
    assert_eq!(allocation.relayed().ip(), IpAddr::V6(Ipv6Addr::LOCALHOST));
    let mismatch = allocation.permit("127.0.0.2:9".parse().unwrap()).await.unwrap_err();
    assert_eq!(mismatch.code(), Some(443), "{mismatch}");
    let denied = allocation.permit("[fd00:ec2::254]:80".parse().unwrap()).await.unwrap_err();
    assert_eq!(denied.code(), Some(403), "{denied}");
}

#[tokio::test]
async fn a_family_that_is_not_relayed_is_a_440() {
    let server = Server::start(&Settings::default());
    let six = Ask { family: Some(Family::V6), lifetime: None };
    let refused = allocate(&server.target("alice"), &six).await.err().expect("no IPv6 relay is configured");
    assert_eq!(refused.code(), Some(440), "{refused}");
}
