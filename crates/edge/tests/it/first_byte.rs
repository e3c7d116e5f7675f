//! What the first byte of a plain connection decides.

use posthouse_edge::Carries;
use tokio::io::AsyncWriteExt;

use crate::world::{BINDING, World, plain_bytes, rest};

#[tokio::test]
async fn plain_stun_is_turn_on_every_listener_and_no_byte_of_it_is_consumed() {
    for carries in [Carries::Turn, Carries::All] {
        let mut world = World::open(carries).await;
        let stream = world.say(BINDING).await;
        let adopted = world.adopted().await;
        assert_eq!(adopted.client, stream.local_addr().unwrap());
        assert_eq!(adopted.server, world.address);
        assert!(adopted.stream.nodelay().unwrap());
        assert_eq!(plain_bytes(adopted, BINDING.len()).await, BINDING);
        assert_eq!(world.edge.stats().turn_plain, 1);
    }
}

#[tokio::test]
async fn one_byte_is_enough_and_a_method_that_nobody_knows_is_stun_too() {
    let mut world = World::open(Carries::All).await;
    for first in [0, 1, 2, 3, 4, 0x17, 0x3f] {
        let mut stream = world.say(&[first]).await;
        let adopted = world.adopted().await;
        stream.write_all(&BINDING[1..]).await.unwrap();
        assert_eq!(plain_bytes(adopted, BINDING.len()).await, [&[first], &BINDING[1..]].concat());
    }
}

#[tokio::test]
async fn a_stream_for_turn_may_begin_with_channel_data_whatever_its_number() {
    let mut world = World::open(Carries::Turn).await;
    for bytes in [*b"\x40\0\0\x04four", *b"GET\x04four", *b"POST\0\0\0\0", *b"\x7f\xff\0\x04four"] {
        let _stream = world.say(&bytes).await;
        let adopted = world.adopted().await;
        let early = adopted.early.clone();
        let rest = plain_bytes(adopted, bytes.len() - early.len()).await;
        assert_eq!([early, rest].concat(), bytes);
    }
}

#[tokio::test]
async fn an_adopted_socket_does_not_block_its_worker() {
    let mut world = World::open(Carries::Turn).await;
    let _stream = world.say(&BINDING[..1]).await;
    let adopted = world.adopted().await;
    let mut buffer = [0; 64];
    assert_eq!(std::io::Read::read(&mut &adopted.stream, &mut buffer).unwrap(), 1);
    let error = std::io::Read::read(&mut &adopted.stream, &mut buffer).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn what_is_neither_stun_nor_channel_data_nor_tls_is_closed_on_a_listener_for_turn() {
    let mut world = World::open(Carries::Turn).await;
    for first in (0x80..=0xff).chain([b'\n']) {
        let stream = world.say(&[first]).await;
        assert_eq!(rest(stream).await, b"", "{first}");
    }
    world.until(|stats| stats.refused_not_turn == 129).await;
    world.assert_nothing_taken();
}

#[tokio::test]
async fn tls_where_there_is_no_certificate_gets_an_alert() {
    for carries in [Carries::Turn, Carries::All] {
        let mut world = World::with(carries, &[], |_| {}).await;
        let stream = world.say(b"\x16\x03\x01").await;
        assert_eq!(rest(stream).await, [0x15, 3, 3, 0, 2, 2, 40]);
        assert_eq!(world.edge.stats().refused_no_certificate, 1);
        let _stream = world.say(BINDING).await;
        world.adopted().await;
    }
}

async fn answer(world: &World, request: &str) -> String {
    String::from_utf8(rest(world.say(request.as_bytes()).await).await).unwrap()
}

async fn with_origin() -> World {
    let origin = Some("https://meet.example.org".to_owned());
    World::with(Carries::All, &[], |settings| settings.origin = origin).await
}

#[tokio::test]
async fn plain_http_is_sent_to_the_same_path_of_our_own_origin_whatever_its_host_says() {
    let mut world = with_origin().await;
    for (target, path) in [
        ("/r/kitchen?x=1", "/r/kitchen?x=1"),
        ("/", "/"),
        ("//evil.example/", "//evil.example/"),
        ("http://evil.example/r/a", "/r/a"),
    ] {
        for method in ["GET", "HEAD"] {
            let request = format!("{method} {target} HTTP/1.1\r\nHost: evil.example\r\n\r\n");
            let answer = answer(&world, &request).await;
            assert!(answer.starts_with("HTTP/1.1 301 Moved Permanently\r\n"), "{answer}");
            assert!(answer.contains(&format!("\r\nlocation: https://meet.example.org{path}\r\n")), "{answer}");
            assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        }
    }
    world.until(|stats| stats.redirected == 8 && stats.http == 0).await;
    world.assert_nothing_taken();
}

#[tokio::test]
async fn plain_http_with_another_method_is_400() {
    let world = with_origin().await;
    for request in [
        "POST /join/kitchen HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\n\r\n",
        "DELETE /r/c HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/7.3\r\n\r\n",
        "\u{7f}\u{7f}\u{7f}\r\n\r\n",
    ] {
        let answer = answer(&world, request).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{request}: {answer}");
    }
}

#[tokio::test]
async fn without_an_origin_plain_http_is_400() {
    let world = World::with(Carries::All, &[], |_| {}).await;
    let answer = answer(&world, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.ends_with("This port speaks HTTPS.\n"), "{answer}");
}

#[tokio::test]
async fn a_head_without_end_is_cut() {
    let world = with_origin().await;
    let mut stream = world.say(b"GET / HTTP/1.1\r\n").await;
    for n in 0..4096 {
        if stream.write_all(format!("X-{n}: {}\r\n", "x".repeat(60)).as_bytes()).await.is_err() {
            return;
        }
    }
    let answer = rest(stream).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
}
