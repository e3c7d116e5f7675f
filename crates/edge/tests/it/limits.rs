//! Connections that want to cost more than they may.

use std::time::Duration;

use posthouse_edge::{Carries, Settings};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::world::{BINDING, Files, World, client, handshake, rest};

/// A handshake record that announces 512 bytes and then some of them.
const HALF_OPEN: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

async fn with(change: impl FnOnce(&mut Settings)) -> World {
    let files = Files::new();
    World::with(Carries::All, &[files.pair("localhost")], change).await
}

fn in_a_hurry(settings: &mut Settings) {
    settings.timing.arrival = Duration::from_millis(400);
    settings.timing.handshake = Duration::from_millis(200);
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let mut world = with(in_a_hurry).await;
    let stream = world.connect().await;
    assert_eq!(rest(stream).await, b"");
    world.until(|stats| stats.refused_silent == 1 && stats.arriving == 0).await;
    world.assert_nothing_taken();
}

#[tokio::test]
async fn a_handshake_that_trickles_is_cut() {
    let mut world = with(in_a_hurry).await;
    let mut stream = world.say(HALF_OPEN).await;
    // More of it, for ever: progress does not help.
    let trickle = async {
        while stream.write_all(&[0]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::world::PATIENCE, trickle).await.expect("the connection is cut");
    world.until(|stats| stats.handshakes_timed_out == 1 && stats.arriving == 0).await;
    world.assert_nothing_taken();
}

#[tokio::test]
async fn a_handshake_without_a_first_message_is_closed() {
    let mut world = with(in_a_hurry).await;
    let stream = handshake(client(&[]), "localhost", world.connect().await).await.unwrap();
    assert_eq!(rest(stream).await, b"");
    world.until(|stats| stats.refused_silent == 1 && stats.handshakes == 1).await;
    world.assert_nothing_taken();
}

#[tokio::test]
async fn one_source_has_so_many_that_say_nothing_and_no_more() {
    let mut world = with(|settings| settings.limits.arriving_per_source = 8).await;
    let mut silent: Vec<TcpStream> = Vec::new();
    for _ in 0..8 {
        silent.push(world.connect().await);
    }
    world.until(|stats| stats.arriving == 8).await;
    for _ in 0..20 {
        assert_eq!(rest(world.connect().await).await, b"");
    }
    assert_eq!(world.edge.stats().refused_source, 20);
    // Another source does not notice, and one that says what it is makes room.
    world.connect_from([127, 0, 0, 2]).await.write_all(BINDING).await.unwrap();
    world.adopted().await;
    silent[0].write_all(BINDING).await.unwrap();
    world.adopted().await;
    world.say(BINDING).await;
    world.adopted().await;
}

#[tokio::test]
async fn a_trusted_proxy_may_have_more_than_one_source() {
    let world = with(|settings| {
        settings.limits.arriving_per_source = 2;
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(world.connect().await);
    }
    world.until(|stats| stats.arriving == 20).await;
    // The clients that it tells are counted each for itself.
    for stream in &mut silent[..3] {
        stream.write_all(b"PROXY TCP4 192.0.2.1 203.0.113.10 5 443\r\n").await.unwrap();
    }
    world.until(|stats| stats.refused_source == 1 && stats.arriving == 19).await;
}

#[tokio::test]
async fn a_flood_of_half_open_handshakes_holds_no_more_than_its_share_and_passes() {
    let mut world = with(|settings| {
        in_a_hurry(settings);
        settings.limits.handshakes = 4;
    })
    .await;
    // Connections that are relayed already feel nothing of it.
    let relayed = handshake(client(&["stun.turn"]), "localhost", world.connect().await).await.unwrap();
    let _adopted = world.adopted().await;
    let mut half_open = Vec::new();
    for n in 0..200_u8 {
        let mut stream = world.connect_from([127, 0, 1, n]).await;
        stream.write_all(HALF_OPEN).await.unwrap();
        half_open.push(stream);
    }
    let stats = world.until(|stats| stats.handshakes_timed_out == 200 && stats.arriving == 0).await;
    assert_eq!(stats.handshakes, 1);
    let next = handshake(client(&["stun.turn"]), "localhost", world.connect().await).await.unwrap();
    world.adopted().await;
    drop((relayed, next));
}

#[tokio::test]
async fn connections_beyond_those_that_may_arrive_wait_and_are_served() {
    let mut world = with(|settings| {
        in_a_hurry(settings);
        settings.limits.arriving = 2;
    })
    .await;
    let _silent = [world.connect().await, world.connect().await];
    let _late = world.say(BINDING).await;
    world.adopted().await;
    assert!(world.edge.stats().refused_silent > 0);
}

#[tokio::test]
async fn http_connections_beyond_their_number_are_closed() {
    let mut world = with(|settings| settings.limits.http = 1).await;
    let _first = handshake(client(&["http/1.1"]), "localhost", world.connect().await).await.unwrap();
    let served = world.http().await;
    let second = handshake(client(&["http/1.1"]), "localhost", world.connect().await).await.unwrap();
    assert_eq!(rest(second).await, b"");
    world.until(|stats| stats.refused_http == 1 && stats.http == 1).await;
    drop(served);
    world.until(|stats| stats.http == 0).await;
    let _third = handshake(client(&["http/1.1"]), "localhost", world.connect().await).await.unwrap();
    world.http().await;
}
