//! What a TLS connection becomes, by its ALPN or its first decrypted byte.

use std::io::{ErrorKind, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use posthouse_edge::{Adopted, Carries};
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::world::{BINDING, World, client, client_of, exactly, handshake, rest};

/// What a worker does with an adopted connection: everything that the client sends comes back, upside down.
fn echo(adopted: Adopted, length: usize) {
    let Adopted { mut stream, tls, early, .. } = adopted;
    let mut tls = tls.expect("TLS");
    stream.set_nonblocking(false).unwrap();
    let mut heard = early;
    while heard.len() < length {
        tls.read_tls(&mut stream).unwrap();
        tls.process_new_packets().unwrap();
        match tls.reader().read_to_end(&mut heard) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    heard.reverse();
    tls.writer().write_all(&heard).unwrap();
    while tls.wants_write() {
        tls.write_tls(&mut stream).unwrap();
    }
}

async fn is_relayed(world: &mut World, alpn: &[&str], message: &[u8]) {
    let mut stream = handshake(client(alpn), "localhost", world.connect().await).await.unwrap();
    stream.write_all(message).await.unwrap();
    let adopted = world.adopted().await;
    assert_eq!(adopted.client, stream.get_ref().0.local_addr().unwrap());
    let length = message.len();
    let worker = std::thread::spawn(move || echo(adopted, length));
    let upside_down: Vec<u8> = message.iter().rev().copied().collect();
    assert_eq!(exactly(&mut stream, message.len()).await, upside_down);
    worker.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stun_turn_and_nat_discovery_are_turn_whatever_is_sent() {
    for carries in [Carries::Turn, Carries::All] {
        let mut world = World::open(carries).await;
        for alpn in [&["stun.turn"][..], &["stun.nat-discovery"], &["http/1.1", "stun.turn"], &["h2", "stun.turn"]] {
            is_relayed(&mut world, alpn, BINDING).await;
            is_relayed(&mut world, alpn, b"GET / HTTP/1.1\r\n\r\n").await;
        }
        assert_eq!(world.edge.stats().turn_tls, 8);
        assert_eq!(world.edge.stats().handshakes, 8);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn turn_is_adopted_before_it_says_anything_when_alpn_named_it() {
    let mut world = World::open(Carries::All).await;
    let mut stream = handshake(client(&["stun.turn"]), "localhost", world.connect().await).await.unwrap();
    let adopted = world.adopted().await;
    assert!(adopted.early.is_empty());
    stream.write_all(BINDING).await.unwrap();
    let worker = std::thread::spawn(move || echo(adopted, BINDING.len()));
    assert_eq!(exactly(&mut stream, BINDING.len()).await.last(), BINDING.first());
    worker.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_alpn_the_first_decrypted_byte_decides_for_turn() {
    for carries in [Carries::Turn, Carries::All] {
        let mut world = World::open(carries).await;
        for first in 0..=3 {
            is_relayed(&mut world, &[], &[&[first], &BINDING[1..]].concat()).await;
        }
        let three_records = BINDING.repeat(1500);
        is_relayed(&mut world, &[], &three_records).await;
        assert_eq!(world.edge.stats().turn_tls, 5);
    }
}

#[tokio::test]
async fn without_alpn_everything_else_is_http_on_a_shared_listener() {
    let mut world = World::open(Carries::All).await;
    for request in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"POST /join/a HTTP/1.1\r\n", b"\xff", b"\r\nGET /", b"OPTIONS"] {
        let mut stream = handshake(client(&[]), "localhost", world.connect().await).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut served = world.http().await;
        assert!(served.connection.is_tls);
        assert_eq!(served.connection.client, stream.get_ref().0.local_addr().unwrap());
        assert_eq!(exactly(&mut served.connection.stream, request.len()).await, request);
        served.connection.stream.write_all(b"answer").await.unwrap();
        served.connection.stream.shutdown().await.unwrap();
        assert_eq!(rest(stream).await, b"answer");
    }
    assert_eq!(world.edge.stats().http_tls, 5);
}

#[tokio::test]
async fn http_by_alpn_is_http_whatever_is_sent() {
    let mut world = World::open(Carries::All).await;
    for alpn in [&["http/1.1"][..], &["h2", "http/1.1"]] {
        let mut stream = handshake(client(alpn), "localhost", world.connect().await).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        // Served before it says anything: a keep-alive that was opened ahead of its request.
        let mut served = world.http().await;
        stream.write_all(BINDING).await.unwrap();
        assert_eq!(exactly(&mut served.connection.stream, BINDING.len()).await, BINDING);
    }
}

#[tokio::test]
async fn what_is_not_turn_is_refused_on_its_listener_by_alpn_or_by_its_first_byte() {
    let mut world = World::open(Carries::Turn).await;
    let error = handshake(client(&["http/1.1"]), "localhost", world.connect().await).await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
    let mut stream = handshake(client(&[]), "localhost", world.connect().await).await.unwrap();
    stream.write_all(b"\r\nGET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(rest(stream).await, b"");
    world.until(|stats| stats.refused_not_turn == 1 && stats.handshakes_failed == 1).await;
    world.assert_nothing_taken();
}

#[tokio::test]
async fn http_2_alone_is_not_offered() {
    let world = World::open(Carries::All).await;
    let error = handshake(client(&["h2"]), "localhost", world.connect().await).await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test]
async fn both_versions_of_tls_are_served_and_sessions_are_resumed() {
    let mut world = World::open(Carries::All).await;
    for version in [&TLS12, &TLS13] {
        let config = client_of(&["stun.turn"], &[version]);
        for kind in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
            let mut stream = handshake(config.clone(), "localhost", world.connect().await).await.unwrap();
            let adopted = world.adopted().await;
            // Tickets of TLS 1.3 come after the handshake: something must be read for them to be seen.
            let worker = std::thread::spawn(move || echo(adopted, 1));
            stream.write_all(b"x").await.unwrap();
            exactly(&mut stream, 1).await;
            worker.join().unwrap();
            let (_, session) = stream.get_ref();
            assert_eq!(session.protocol_version(), Some(version.version));
            // The server may ask for another key exchange first; what matters is whether certificates were shown.
            assert_eq!(
                session.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
                kind == rustls::HandshakeKind::Resumed
            );
        }
    }
}

#[tokio::test]
async fn a_client_that_writes_every_byte_alone_is_understood() {
    let mut world = World::open(Carries::All).await;
    let stream = world.connect().await;
    stream.set_nodelay(true).unwrap();
    let mut stream = handshake(client(&[]), "localhost", ByteByByte(stream)).await.unwrap();
    stream.write_all(BINDING).await.unwrap();
    let adopted = world.adopted().await;
    let worker = std::thread::spawn(move || echo(adopted, BINDING.len()));
    assert_eq!(exactly(&mut stream, BINDING.len()).await.last(), BINDING.first());
    worker.join().unwrap();
}

#[tokio::test]
async fn what_only_looks_like_tls_fails_with_an_alert() {
    let mut world = World::open(Carries::All).await;
    for garbage in [&[0x16; 400][..], b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", b"\x16\x03\x01\xff\xff\x01"] {
        let stream = world.say(garbage).await;
        let answer = rest(stream).await;
        assert_eq!(answer.first(), Some(&0x15), "{answer:?}");
    }
    world.until(|stats| stats.handshakes_failed == 3).await;
    world.assert_nothing_taken();
}

#[tokio::test]
async fn a_client_that_leaves_after_its_handshake_leaves_nothing_behind() {
    let mut world = World::open(Carries::All).await;
    let mut stream = handshake(client(&[]), "localhost", world.connect().await).await.unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    world.until(|stats| stats.gone == 1 && stats.arriving == 0).await;
    world.assert_nothing_taken();
}

/// Hands the socket one byte at a time.
struct ByteByByte(TcpStream);

impl AsyncRead for ByteByByte {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for ByteByByte {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        let one = buf.len().min(1);
        Pin::new(&mut self.0).poll_write(cx, &buf[..one])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
