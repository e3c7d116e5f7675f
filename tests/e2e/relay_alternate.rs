//! Clients that are sent to another server (RFC 8489 §10).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use posthouse_probe::{Ask, allocate, binding};
use stun::attributes::{ATTR_ALTERNATE_SERVER, ATTR_MESSAGE_INTEGRITY, ATTR_REQUESTED_TRANSPORT, AttrType};
use stun::message::{CLASS_REQUEST, METHOD_ALLOCATE, Message, MessageType};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::harness::certificate::Certificate;
use crate::harness::stun_client::{Author, Raw, StunClient, address, error_code, read};
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

/// One message of a stream: 20 bytes, and as many more as they say.
async fn next(stream: &mut (impl AsyncRead + Unpin)) -> Message {
    let mut bytes = vec![0; 20];
    stream.read_exact(&mut bytes).await.expect("a header");
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    bytes.resize(20 + length, 0);
    stream.read_exact(&mut bytes[20..]).await.expect("attributes");
    read(&bytes)
}

#[tokio::test]
async fn a_client_over_tls_is_told_the_name_in_the_other_certificate() {
    let certificate = Certificate::new();
    let lines = format!("alternate_server = [\"{ELSEWHERE}\"]\nalternate_domain = \"turn2.example.org\"");
    let server = Server::start(&Settings::default().tls(&certificate).relay(&lines));
    let mut stream = certificate.connect(server.relay_tls, "").await.expect("a TLS handshake");
    let (mut author, udp) = (Author::new(), Raw(ATTR_REQUESTED_TRANSPORT, vec![17, 0, 0, 0]));
    let answer = loop {
        let request = author.write(MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST), &[&udp]);
        stream.write_all(&request.raw).await.expect("sent");
        let answer = next(&mut stream).await;
        if !author.is_challenged(&answer) {
            break answer;
        }
    };
    assert_eq!(error_code(&answer), Some(300));
    assert_eq!(address(&answer, ATTR_ALTERNATE_SERVER), Some(ELSEWHERE.parse::<SocketAddr>().unwrap()));
    assert_eq!(answer.get(ALTERNATE_DOMAIN).unwrap(), b"turn2.example.org");
}

#[tokio::test]
async fn a_machine_is_emptied_by_a_reload_that_names_another() {
    let server = Server::start(&Settings::default().relay("deny_peers = []"));
    let target = server.target("alice");
    let mut old = allocate(&target, &Ask::default()).await.unwrap();
    let told = server.reload("deny_peers = []", &format!("alternate_server = [\"{ELSEWHERE}\"]"));
    assert!(told.contains("relay.alternate_server"), "{told}");
    // Workers take settings with their next batch.
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match allocate(&target, &Ask::default()).await {
            Err(failure) if failure.code() == Some(300) => break,
            Err(failure) => panic!("{failure}"),
            Ok(allocation) => allocation.free().await.unwrap(),
        }
        assert!(Instant::now() < end, "never sent elsewhere");
    }
    let hour = Duration::from_secs(3600);
    assert_eq!(old.refresh(hour).await.unwrap(), hour);
}
