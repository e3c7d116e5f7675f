use std::net::SocketAddr;

use posthouse_probe::{Ask, Failure, Target, allocate, binding};
use stun::attributes::{ATTR_NONCE, ATTR_REALM};
use stun::error_code::CODE_UNAUTHORIZED;
use stun::message::{CLASS_ERROR_RESPONSE, CLASS_SUCCESS_RESPONSE, METHOD_ALLOCATE, Message, MessageType, Setter};
use stun::textattrs::TextAttribute;
use tokio::net::UdpSocket;

/// Answers each datagram with what `lie` makes of it, for as long as the test runs.
async fn liar(lie: impl Fn(u32, &[u8]) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        for count in 0.. {
            let (len, from) = socket.recv_from(&mut buffer).await.unwrap();
            socket.send_to(&lie(count, &buffer[..len]), from).await.unwrap();
        }
    });
    server
}

fn answer(request: &[u8], class: stun::message::MessageClass, attributes: Vec<Box<dyn Setter>>) -> Vec<u8> {
    let mut read = Message::new();
    read.unmarshal_binary(request).unwrap();
    let mut setters: Vec<Box<dyn Setter>> =
        vec![Box::new(read.transaction_id), Box::new(MessageType::new(METHOD_ALLOCATE, class))];
    setters.extend(attributes);
    let mut answer = Message::new();
    answer.build(&setters).unwrap();
    answer.raw
}

fn challenge() -> Vec<Box<dyn Setter>> {
    vec![
        Box::new(CODE_UNAUTHORIZED),
        Box::new(TextAttribute::new(ATTR_REALM, "realm".into())),
        Box::new(TextAttribute::new(ATTR_NONCE, "nonce".into())),
    ]
}

#[tokio::test]
async fn a_server_that_sends_requests_back_is_not_taken_for_a_stun_server() {
    let server = liar(|_, request| request.to_vec()).await;
    let failure = binding(server).await.unwrap_err();
    assert!(matches!(failure, Failure::Malformed { .. }), "{failure}");
}

#[tokio::test]
async fn a_success_that_is_not_signed_with_the_password_is_not_believed() {
    let server = liar(|count, request| match count {
        0 => answer(request, CLASS_ERROR_RESPONSE, challenge()),
        _ => answer(request, CLASS_SUCCESS_RESPONSE, vec![]),
    })
    .await;
    let failure = allocate(&Target::new(server, "alice", "wonderland"), &Ask::default()).await.err().unwrap();
    assert!(matches!(failure, Failure::Unsigned { .. }), "{failure}");
}

#[tokio::test]
async fn a_challenge_without_a_nonce_is_named_as_such() {
    let server = liar(|_, request| {
        let mut attributes = challenge();
        attributes.pop();
        answer(request, CLASS_ERROR_RESPONSE, attributes)
    })
    .await;
    let failure = allocate(&Target::new(server, "alice", "wonderland"), &Ask::default()).await.err().unwrap();
    assert!(failure.to_string().contains("NONCE"), "{failure}");
}
