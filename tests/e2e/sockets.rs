//! What somebody with a WebSocket can do to the memory of a running server: nothing to speak of.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::harness::collider::Collider;
use crate::harness::http::post;
use crate::harness::{Server, Settings};

const KIB_PER_MIB: u64 = 1024;

/// What has not come by then will not come; a busy machine needs less.
const LIMIT: Duration = Duration::from_secs(20);

/// A WebSocket and the first bytes on it, written by hand.
fn announce(web: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(web).expect("the web listener accepts");
    stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
    write!(
        stream,
        "GET /ws HTTP/1.1\r\nHost: {web}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .expect("a request");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream.write_all(bytes).expect("a frame");
    stream
}

/// The head of a text frame that announces so many bytes and brings none.
fn head(length: u64) -> Vec<u8> {
    [&[0x81, 0x80 | 127][..], &length.to_be_bytes(), &[0; 4]].concat()
}

/// A seat in a room: the client's id.
async fn join(web: SocketAddr, room: &str) -> String {
    let joined = post(web, &format!("/join/{room}"), "").await.json();
    joined["params"]["client_id"].as_str().unwrap_or_else(|| panic!("no seat: {joined}")).to_owned()
}

/// W11, and the longest length that is allowed.
#[test]
fn a_length_that_is_only_announced_takes_no_memory() {
    let server = Server::start(&Settings::default());
    // Once through the path, so that what is measured is not the first page of code and stack.
    let warm: Vec<TcpStream> = (0..50).map(|_| announce(server.web, &head(65_535 + 1))).collect();
    let before = server.resident();
    let kept: Vec<TcpStream> = (0..300).map(|_| announce(server.web, &head(65_536))).collect();
    for length in [u64::MAX >> 1, 1 << 40] {
        for _ in 0..100 {
            let mut answer = Vec::new();
            announce(server.web, &head(length)).read_to_end(&mut answer).expect("the end");
            assert_eq!(answer[..4], [0x88, 2, 0x03, 0xf1], "1009");
        }
    }
    let after = server.resident();
    eprintln!("{before} KiB, then {after} KiB with {} sockets more", kept.len());
    // What an idle socket costs, 300 times; 64 KiB each would be 19 MiB.
    assert!(after <= before + 9 * KIB_PER_MIB, "{before} KiB before, {after} KiB after");
    drop(warm);
}

/// A room in which one says 11 MB, in the burst that a socket may send, to another who does not read.
async fn flooded(web: SocketAddr, room: &str) -> [Collider; 2] {
    let [alice, bob] = [join(web, room).await, join(web, room).await];
    let mut speaker = Collider::register(web, room, &alice).await;
    let stalled = Collider::register(web, room, &bob).await;
    let large = "x".repeat(60_000);
    for _ in 0..190 {
        speaker.send(&large).await;
    }
    [speaker, stalled]
}

/// W30: what waits for one who does not read is bounded, whatever its partner sends.
#[tokio::test]
async fn what_is_sent_to_one_who_does_not_read_is_not_kept() {
    let server = Server::start(&Settings::default());
    // Once, so that what is measured is not how the allocator spreads over its arenas.
    let mut rooms = vec![flooded(server.web, "room-0").await];
    let before = server.resident();
    for number in 1..=5 {
        rooms.push(flooded(server.web, &format!("room-{number}")).await);
    }
    let [carol, dave] = [join(server.web, "parlour").await, join(server.web, "parlour").await];
    let mut carol = Collider::register(server.web, "parlour", &carol).await;
    let mut dave = Collider::register(server.web, "parlour", &dave).await;
    carol.send("still here").await;
    assert_eq!(dave.message().await, "still here");
    let after = server.resident();
    eprintln!("{before} KiB before, {after} KiB after {} rooms more", rooms.len() - 1);
    // 11 MB were offered to each. A queue is 256 KiB, and so is what waits in a room; the rest is what two sockets hold in
    // hand, and the allocator.
    assert!(after <= before + 5 * 3 * KIB_PER_MIB, "{before} KiB before, {after} KiB after");
}
