//! Clients that are sent to another server (RFC 8489 §10).

use std::net::SocketAddr;

use posthouse_probe::{Ask, allocate, binding};
use stun::attributes::{ATTR_ALTERNATE_SERVER, ATTR_MESSAGE_INTEGRITY, ATTR_REQUESTED_TRANSPORT, AttrType};
use stun::message::METHOD_ALLOCATE;

use crate::harness::stun_client::{Raw, StunClient, address, error_code};
use crate::harness::{Server, Settings};

const ALTERNATE_DOMAIN: AttrType = AttrType(0x8003);
const ELSEWHERE: &str = "198.51.100.20:3478";

fn server() -> Server {
    let line = format!("alternate_server = [\"{ELSEWHERE}\"]\nalternate_domain = \"turn2.example.org\"");
    Server::start(&Settings::default().ipv6().relay(&line))
}

#[test]
fn whoever_proves_a_credential_is_told_another_server_and_strangers_are_not() {
    let server = server();
    let mut client = StunClient::at(server.relay.ip(), server.relay);
    let udp = Raw(ATTR_REQUESTED_TRANSPORT, vec![17, 0, 0, 0]);
    let (stranger, _) = client.ask(METHOD_ALLOCATE, &[&udp]);
    assert_eq!((error_code(&stranger), address(&stranger, ATTR_ALTERNATE_SERVER)), (Some(401), None));
    let answer = client.request(METHOD_ALLOCATE, &[&udp]);
    assert_eq!(error_code(&answer), Some(300));
    assert_eq!(address(&answer, ATTR_ALTERNATE_SERVER), Some(ELSEWHERE.parse::<SocketAddr>().unwrap()));
    assert!(answer.contains(ATTR_MESSAGE_INTEGRITY), "what sends a client elsewhere is signed: {answer}");
    assert!(!answer.contains(ALTERNATE_DOMAIN), "a client over UDP checks no certificate: {answer}");
}

#[tokio::test]
async fn a_family_without_another_server_is_served_and_so_is_stun() {
    let server = server();
    let mut target = server.target("alice");
    let sent = allocate(&target, &Ask::default()).await.err().expect("sent elsewhere");
    assert_eq!(sent.code(), Some(300), "{sent}");
    target.server = server.relay6;
    allocate(&target, &Ask::default()).await.expect("no other server for clients over IPv6");
    binding(server.relay).await.expect("Binding needs no other server");
}
