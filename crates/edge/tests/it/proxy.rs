//! The PROXY protocol in front of everything.

use std::net::SocketAddr;
use std::time::Duration;

use posthouse_edge::{Carries, Settings};
use tokio::io::AsyncWriteExt;

use crate::world::{BINDING, Files, World, client, exactly, handshake, plain_bytes, rest};

const V1: &[u8] = b"PROXY TCP4 192.0.2.1 203.0.113.10 56324 443\r\n";
const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x13\xc0\x00\x02\x01\xcb\x00\x71\x0a\xdc\x04\x01\xbb\xee\x00\x04TLVs";
const V2_LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";

fn told() -> (SocketAddr, SocketAddr) {
    ("192.0.2.1:56324".parse().unwrap(), "203.0.113.10:443".parse().unwrap())
}

async fn behind_proxies(carries: Carries) -> World {
    let files = Files::new();
    let trust = |settings: &mut Settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    World::with(carries, &[files.pair("localhost")], trust).await
}

#[tokio::test]
async fn a_header_of_either_version_tells_both_ends_of_plain_turn() {
    for carries in [Carries::Turn, Carries::All] {
        let mut world = behind_proxies(carries).await;
        for header in [V1, V2] {
            let _stream = world.say(&[header, BINDING].concat()).await;
            let adopted = world.adopted().await;
            assert_eq!((adopted.client, adopted.server), told());
            assert_eq!(plain_bytes(adopted, BINDING.len()).await, BINDING);
        }
        assert_eq!(world.edge.stats().proxied, 2);
    }
}

#[tokio::test]
async fn a_header_of_either_version_tells_both_ends_of_tls_behind_it() {
    let mut world = behind_proxies(Carries::All).await;
    for header in [V1, V2] {
        let _turn = handshake(client(&["stun.turn"]), "localhost", world.say(header).await).await.unwrap();
        let adopted = world.adopted().await;
        assert_eq!((adopted.client, adopted.server), told());
        let mut page = handshake(client(&[]), "localhost", world.say(header).await).await.unwrap();
        page.write_all(b"GET").await.unwrap();
        let mut served = world.http().await;
        assert_eq!((served.connection.client, served.connection.server), told());
        assert_eq!(exactly(&mut served.connection.stream, 3).await, b"GET");
    }
}

#[tokio::test]
async fn a_header_split_at_any_byte_is_the_same_header() {
    let mut world = behind_proxies(Carries::All).await;
    for header in [V1, V2] {
        let bytes = [header, BINDING].concat();
        for at in 1..=header.len() {
            let mut stream = world.connect().await;
            stream.set_nodelay(true).unwrap();
            stream.write_all(&bytes[..at]).await.unwrap();
            // Most of the time the edge has read the first part now; when not, the law holds all the same.
            tokio::time::sleep(Duration::from_millis(2)).await;
            stream.write_all(&bytes[at..]).await.unwrap();
            let adopted = world.adopted().await;
            assert_eq!((adopted.client, adopted.server), told(), "{at}");
            assert_eq!(plain_bytes(adopted, BINDING.len()).await, BINDING, "{at}");
        }
    }
}

#[tokio::test]
async fn the_proxy_speaking_for_itself_has_its_own_address() {
    let mut world = behind_proxies(Carries::All).await;
    for header in [V2_LOCAL, b"PROXY UNKNOWN\r\n"] {
        let stream = world.say(&[header, BINDING].concat()).await;
        let adopted = world.adopted().await;
        assert_eq!(adopted.client, stream.local_addr().unwrap());
        assert_eq!(adopted.server, world.address);
    }
    assert_eq!(world.edge.stats().proxied, 0);
}

#[tokio::test]
async fn a_trusted_proxy_need_not_send_a_header() {
    let mut world = behind_proxies(Carries::All).await;
    let stream = world.say(BINDING).await;
    assert_eq!(world.adopted().await.client, stream.local_addr().unwrap());
    let _tls = handshake(client(&["stun.turn"]), "localhost", world.connect().await).await.unwrap();
    assert!(world.adopted().await.tls.is_some());
}

#[tokio::test]
async fn plain_http_from_a_trusted_proxy_is_served_to_its_last_byte() {
    let mut world = behind_proxies(Carries::All).await;
    // It begins like a header, so that the first bytes are read before it is known to be none.
    for request in [&b"POST /join/a HTTP/1.1\r\n"[..], b"PUT / HTTP/1.1", b"PROPFIND / HTTP/1.1", b"GET / HTTP/1.1"] {
        for at in 1..5 {
            let mut stream = world.say(&[V1, &request[..at]].concat()).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
            stream.write_all(&request[at..]).await.unwrap();
            let mut served = world.http().await;
            assert!(!served.connection.is_tls);
            assert_eq!((served.connection.client, served.connection.server), told());
            assert_eq!(exactly(&mut served.connection.stream, request.len()).await, request);
            served.connection.stream.write_all(b"answer").await.unwrap();
            drop(served);
            assert_eq!(rest(stream).await, b"answer");
        }
    }
    assert_eq!(world.edge.stats().http_plain, 16);
}

#[tokio::test]
async fn a_header_from_anybody_else_closes_the_connection() {
    for carries in [Carries::Turn, Carries::All] {
        let mut world = World::open(carries).await;
        for header in [V1, V2, V2_LOCAL, b"PROXY UNKNOWN\r\n", b"PROXY nonsense\r\n"] {
            let stream = world.say(&[header, BINDING].concat()).await;
            assert_eq!(rest(stream).await, b"");
        }
        world.until(|stats| stats.refused_untrusted == 5).await;
        world.assert_nothing_taken();
    }
}

#[tokio::test]
async fn a_broken_header_from_a_trusted_proxy_closes_the_connection() {
    let mut world = behind_proxies(Carries::All).await;
    let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat();
    for header in [&b"PROXY TCP4 192.0.2.1\r\n"[..], b"\r\n\r\n\0\r\nQUIT\n\x31\x11\x00\x00", &long] {
        let stream = world.say(&[header, BINDING].concat()).await;
        assert_eq!(rest(stream).await, b"");
    }
    world.until(|stats| stats.refused_proxy_header == 3).await;
    world.assert_nothing_taken();
}

#[tokio::test]
async fn a_header_behind_a_header_is_no_header() {
    let mut world = behind_proxies(Carries::Turn).await;
    let stream = world.say(&[V1, V2, BINDING].concat()).await;
    assert_eq!(rest(stream).await, b"");
    world.until(|stats| stats.refused_not_turn == 1).await;
    world.assert_nothing_taken();
}
