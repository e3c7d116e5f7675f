//! The end of the process, with calls still running.

use posthouse_probe::{Ask, Way, allocate};
use tokio::net::UdpSocket;

use crate::harness::{Server, Settings};

/// Another address of this machine than the one the server relays at.
const ELSEWHERE: &str = "127.0.0.2";

#[tokio::test]
async fn after_sigterm_a_running_call_goes_on_until_it_ends_and_nothing_new_begins() {
    let mut server = Server::start(&Settings::default().loopback_peers());
    let mut allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    let peer = UdpSocket::bind((ELSEWHERE, 0)).await.unwrap();
    let at = peer.local_addr().unwrap();
    allocation.open(at, Way::Channel).await.unwrap();

    server.signal("TERM");
    server.wait_for_log("ending");
    // The workers hear of it with their next batch; from then on every new Allocate is refused.
    let refused = loop {
        match allocate(&server.target("bob"), &Ask::default()).await {
            Ok(late) => late.free().await.unwrap(),
            Err(failure) => break failure,
        }
    };
    assert_eq!(refused.code(), Some(508), "{refused}");
    for number in 0..100u8 {
        allocation.send(at, Way::Channel, &[number; 100]).await.unwrap();
        let mut buffer = [0; 200];
        let (len, relayed) = peer.recv_from(&mut buffer).await.unwrap();
        assert_eq!(buffer[..len], [number; 100]);
        peer.send_to(&[!number; 50], relayed).await.unwrap();
        assert_eq!(allocation.receive().await.unwrap().payload, [!number; 50]);
    }
    allocation.free().await.unwrap();
    let status = server.ended();
    assert_eq!(status.code(), Some(0), "{status}\n{}", server.log());
}

#[tokio::test]
async fn a_second_sigterm_cuts_what_still_runs() {
    let mut server = Server::start(&Settings::default());
    let allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    server.signal("TERM");
    server.wait_for_log("ending");
    server.signal("TERM");
    let status = server.ended();
    assert_eq!(status.code(), Some(0), "{status}\n{}", server.log());
    drop(allocation);
}
