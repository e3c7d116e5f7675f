//! Our own protocol through the real binary: what a member is given really relays, and a kick really ends it.

use std::time::Duration;

use posthouse_probe::{Ask, Plan, Way, allocate, echo};
use serde_json::json;
use tokio::net::UdpSocket;

use crate::admin::wait_until_live;
use crate::harness::member::{Member, is_refused, target_of};
use crate::harness::{Server, Settings};

const ASK: Ask = Ask { lifetime: None, family: None };

#[tokio::test]
async fn the_credentials_of_a_seat_relay_and_end_with_a_kick() {
    let server = Server::start(&Settings::default().loopback_peers());
    let mut alice = Member::create(server.web, "kitchen", json!({"capacity": 3})).await;
    let mut bob = Member::join(server.web, "kitchen").await;
    let carol = Member::join(server.web, "kitchen").await;
    let (peer, target) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), bob.target(server.relay));
    let at = peer.local_addr().unwrap();
    bob.say(&json!({"type": "ice", "id": 2})).await;
    assert_eq!(bob.hear().await["type"], "member-joined");
    let renewed = target_of(&bob.hear().await["ice"], server.relay);
    let mut bobs = allocate(&target, &ASK).await.unwrap();
    let mut carols = allocate(&carol.target(server.relay), &ASK).await.unwrap();
    for (allocation, word) in [(&mut bobs, b"bob"), (&mut carols, b"car")] {
        allocation.open(at, Way::Channel).await.unwrap();
        allocation.send(at, Way::Channel, word).await.unwrap();
        let mut said = [0; 3];
        peer.recv_from(&mut said).await.unwrap();
        assert_eq!(&said, word);
    }
    alice.say(&json!({"type": "kick", "id": 2, "member": bob.joined["member"]})).await;
    assert_eq!(bob.hear().await["reason"], "kicked");
    assert_eq!(bob.closed().await, 4403);
    is_refused(&target).await;
    is_refused(&renewed).await;
    // The workers are told without being waited for.
    wait_until_live(&server, 1.0).await;
    assert_eq!(bobs.refresh(Duration::from_secs(600)).await.unwrap_err().code(), Some(401));
    for _ in 0..5 {
        bobs.send(at, Way::Channel, b"bob").await.unwrap();
    }
    carols.refresh(Duration::from_secs(600)).await.unwrap();
    carols.send(at, Way::Channel, b"car").await.unwrap();
    let mut said = [0; 3];
    peer.recv_from(&mut said).await.unwrap();
    assert_eq!(&said, b"car", "what a kicked member sends goes nowhere");
    let report = echo(&carol.target(server.relay), &Plan::default()).await.unwrap();
    assert!(report.is_whole(), "{report}");
}

#[tokio::test]
async fn a_room_closed_by_its_owner_takes_the_credentials_of_all_its_members_along() {
    let server = Server::start(&Settings::default());
    let mut alice = Member::join(server.web, "kitchen").await;
    let bob = Member::join(server.web, "kitchen").await;
    let other = Member::join(server.web, "cellar").await;
    alice.say(&json!({"type": "close", "id": 2})).await;
    assert_eq!(alice.closed().await, 4404);
    is_refused(&alice.target(server.relay)).await;
    is_refused(&bob.target(server.relay)).await;
    let report = echo(&other.target(server.relay), &Plan::default()).await.unwrap();
    assert!(report.is_whole(), "{report}");
}

#[tokio::test]
async fn a_member_comes_back_to_what_it_missed_and_to_fresh_credentials() {
    let server = Server::start(&Settings::default());
    let mut alice = Member::join(server.web, "kitchen").await;
    let mut bob = Member::join(server.web, "kitchen").await;
    bob.say(&json!({"type": "ack", "seq": 0})).await;
    alice.say(&json!({"type": "send", "id": 2, "data": {"sdp": "v=0"}})).await;
    assert_eq!(alice.hear().await["type"], "member-joined");
    assert_eq!(alice.hear().await, json!({"type": "ok", "id": 2}));
    let token = bob.joined["resume"].clone();
    drop(bob);
    let mut bob = Member::arrive(server.web, json!({"type": "resume", "id": 2, "token": token, "seen": 0})).await;
    assert_eq!(bob.joined["type"], "resumed", "{}", bob.joined);
    assert_eq!(bob.hear().await["data"], json!({"sdp": "v=0"}));
    let report = echo(&bob.target(server.relay), &Plan::default()).await.unwrap();
    assert!(report.is_whole(), "{report}");
}
