//! Every bound of a WebSocket, at every door: a dialect that is new adds its line to `DOORS` and nothing else.

use std::time::Duration;

use futures_util::StreamExt;
use posthouse_signaling::Config;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    doors::DOORS,
    house::{House, Socket},
    wire::{TEXT, Wire, frame},
};

/// 10 s of patience in a fraction of one.
fn brisk(config: &mut Config) {
    config.timing.register = Duration::from_millis(300);
    config.timing.close = Duration::from_millis(300);
}

/// A head that announces a payload, without it.
fn announcing(first: u8, code: u8, length: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | code][..], length, &[0; 4]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_break_the_rules_are_closed_with_their_code_at_every_door() {
    let house = House::open().await;
    let mut unmasked = frame(TEXT, b"{}");
    unmasked[1] &= 0x7f;
    unmasked.drain(2..6);
    let pieces = [frame(0x01, b""), frame(0x00, b"").repeat(100_000)].concat();
    let not_minimal = [&announcing(TEXT, 126, &5_u16.to_be_bytes())[..], b"hello"].concat();
    let not_minimal_either = announcing(TEXT, 127, &200_u64.to_be_bytes());
    let cases: [(&str, Vec<u8>, u16); 14] = [
        ("W07 unmasked", unmasked, 1002),
        ("W08 RSV2", frame(0xa1, b"{}"), 1002),
        ("W09 opcode 7", frame(0x87, b""), 1002),
        ("W09 opcode 15", frame(0x8f, b""), 1002),
        ("W10 65,537 bytes", announcing(TEXT, 127, &65_537_u64.to_be_bytes()), 1009),
        ("W10 65,537 bytes in two", [frame(0x01, &[b' '; 40_000]), frame(0x80, &[b' '; 25_537])].concat(), 1009),
        ("W11 2^63-1", announcing(TEXT, 127, &(u64::MAX >> 1).to_be_bytes()), 1009),
        ("W11 2^63", announcing(TEXT, 127, &(1_u64 << 63).to_be_bytes()), 1002),
        ("W13 five bytes in sixteen bits", not_minimal, 1002),
        ("W13 200 bytes in 64 bits", not_minimal_either, 1002),
        ("W14 ping in pieces", frame(0x09, b""), 1002),
        ("W16 continuation from nowhere", frame(0x80, b"x"), 1002),
        ("W17 empty pieces", pieces, 1008),
        ("W19 beyond U+10FFFF", frame(TEXT, b"\xf4\x90\x80\x80"), 1007),
    ];
    for door in DOORS {
        for (name, bytes, code) in &cases {
            let path = &door.visit().path;
            let mut wire = Wire::open_with(&house, path, &[]).await;
            wire.write(bytes).await;
            assert_eq!(wire.close_code().await, Some(*code), "{path}: {name}");
            // The same right behind the handshake (W35).
            let early = &bytes[..bytes.len().min(1000)];
            let mut wire = Wire::open_with(&house, path, early).await;
            wire.write(&bytes[early.len()..]).await;
            assert_eq!(wire.close_code().await, Some(*code), "{path}: {name}, early");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_broken_frame_is_heard() {
    let house = House::open().await;
    let mut wire = Wire::open(&house).await;
    let good = frame(TEXT, br#"{"cmd":"x"}"#);
    wire.write(&[good.clone(), good, announcing(TEXT, 126, &5_u16.to_be_bytes())].concat()).await;
    for _ in 0..2 {
        let (_, answer) = wire.frame().await.unwrap();
        assert!(String::from_utf8(answer).unwrap().contains("unexpected 'cmd'"));
    }
    assert_eq!(wire.close_code().await, Some(1002));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_64_pieces_is_a_message() {
    let house = House::open().await;
    let mut wire = Wire::open(&house).await;
    let text = format!(r#"{{"cmd":"{}"}}"#, "x".repeat(54));
    assert_eq!(text.len(), 64);
    let pieces = text.bytes().enumerate().flat_map(|(at, byte)| {
        let first = u8::from(at == 0) | if at == 63 { 0x80 } else { 0 };
        frame(first, &[byte])
    });
    wire.write(&pieces.collect::<Vec<u8>>().repeat(3)).await;
    for _ in 0..3 {
        let (_, answer) = wire.frame().await.unwrap();
        assert!(String::from_utf8(answer).unwrap().contains("unexpected 'cmd'"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_opens_no_door() {
    let house = House::with(|config| {
        config.allowed_origins = vec!["https://app.example".to_owned()];
        config.allow_no_origin = false;
    })
    .await;
    for door in DOORS {
        let path = &door.visit().path;
        for origin in ["https://evil.example", "https://app.example.evil.example", "null", "http://app.example"] {
            let refused = house.socket_at(path, &[("origin", origin)]).await.err();
            assert_eq!(refused, Some(403), "{path} from {origin}");
        }
        assert_eq!(house.socket_at(path, &[]).await.err(), Some(403), "{path} from nowhere");
        assert!(house.socket_at(path, &[("origin", "https://app.example")]).await.is_ok(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_has_one_number_of_sockets_for_all_doors() {
    let house = House::with(|config| {
        config.rates.exempt_loopback = false;
        config.rates.upgrade.per_second = 0;
        config.sockets_per_source = 2 * DOORS.len() as u32;
    })
    .await;
    let mut open = Vec::new();
    for door in DOORS.iter().chain(DOORS) {
        open.push(house.socket_at(&door.visit().path, &[]).await.unwrap());
    }
    for door in DOORS {
        assert_eq!(house.socket_at(&door.visit().path, &[]).await.err(), Some(429), "{}", door.path);
    }
    assert_eq!(house.signaling.stats().refused_sockets, DOORS.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_says_nothing_is_closed_and_one_who_answers_no_close_is_left() {
    let house = House::with(brisk).await;
    for door in DOORS {
        if door.silent.is_some() {
            let path = &door.visit().path;
            let mut wire = Wire::open_with(&house, path, &[]).await;
            assert_eq!(wire.close_code().await, door.silent, "{path}");
            // W25: no close frame comes back, nothing is read any more; the connection ends nevertheless.
            let mut rest = Vec::new();
            let _ = wire.0.read_to_end(&mut rest).await;
        }
    }
    while house.signaling.stats().sockets > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_behind_a_close_is_ignored() {
    let house = House::open().await;
    for door in DOORS {
        let path = &door.visit().path;
        let mut wire = Wire::open_with(&house, path, &[]).await;
        let close = frame(0x88, &1000_u16.to_be_bytes());
        wire.write(&[close, frame(TEXT, b"{}"), frame(0x89, b"x")].concat()).await;
        assert_eq!(wire.close_code().await, Some(1000), "{path}");
        assert_eq!(wire.frame().await, None, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_closes_every_door_with_1008() {
    let house = House::open().await;
    for door in DOORS {
        for of_pings in [false, true] {
            let visit = door.visit();
            let one = if of_pings { frame(0x89, b"") } else { frame(TEXT, visit.ask.as_bytes()) };
            let mut wire = Wire::open_with(&house, &visit.path, &[]).await;
            wire.write(&one.repeat(1000)).await;
            assert_eq!(wire.close_code().await, Some(1008), "{}", door.path);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_64_kib_is_heard_and_answered_at_every_door() {
    let house = House::open().await;
    for door in DOORS.iter().filter(|door| door.answers()) {
        let visit = door.visit();
        let mut socket = house.socket_at(&visit.path, &[]).await.unwrap();
        if door.greets {
            socket.frame().await.unwrap();
        }
        for length in [visit.ask.len(), 65_536] {
            socket.say(&(visit.ask.clone() + &" ".repeat(length - visit.ask.len()))).await;
            assert!(socket.frame().await.is_some(), "{} with {length} bytes", door.path);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_asks_and_never_reads_is_closed_at_every_door_and_others_are_answered() {
    let house = House::with(|config| {
        config.rates.socket_messages.per_second = 0;
        config.timing.write = Duration::from_millis(300);
        config.timing.close = Duration::from_millis(300);
    })
    .await;
    for door in DOORS.iter().filter(|door| door.answers()) {
        let visit = door.visit();
        let mut stalled = Wire::narrow(&house, &visit.path).await;
        let asks = frame(TEXT, visit.ask.as_bytes()).repeat(100);
        let asking = tokio::spawn(async move { while stalled.0.write_all(&asks).await.is_ok() {} });
        let visit = door.visit();
        let mut lively = house.socket_at(&visit.path, &[]).await.unwrap();
        if door.greets {
            lively.frame().await.unwrap();
        }
        let before = house.signaling.stats().slow_readers;
        while house.signaling.stats().slow_readers == before {
            lively.say(&visit.ask).await;
            assert!(lively.frame().await.is_some(), "{}", door.path);
        }
        // It is left behind: what it still writes has no reader.
        asking.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_answers_no_ping_is_dead_at_every_door_and_one_who_does_is_not() {
    let house = House::with(|config| {
        config.timing.ping = Duration::from_millis(200);
        config.timing.dead = Duration::from_secs(3);
    })
    .await;
    let mut silent = Vec::new();
    let mut attentive = Vec::new();
    for door in DOORS {
        silent.push((door, Wire::open_with(&house, &door.visit().path, &[]).await));
        attentive.push((door, house.socket_at(&door.visit().path, &[]).await.unwrap()));
    }
    let answering = attentive.into_iter().map(|(door, mut socket)| {
        tokio::spawn(async move {
            // Reading answers pings; nothing but pings comes for longer than the dead are waited for.
            let ended =
                tokio::time::timeout(Duration::from_secs(5), async { while socket.0.next().await.is_some() {} });
            assert!(ended.await.is_err(), "{}", door.path);
        })
    });
    let answering: Vec<_> = answering.collect();
    for (door, mut wire) in silent {
        assert_eq!(wire.close_code().await, None, "{}: it is dead, not told", door.path);
    }
    for one in answering {
        one.await.unwrap();
    }
    assert_eq!(house.signaling.stats().dead_sockets, DOORS.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_and_ambiguous_json_is_acted_upon_nowhere() {
    let house = House::open().await;
    let deep = format!(r#"{{"type":"publish","topic":"t","x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let twice = r#"{"type":"publish","topic":"t","topic":"t"}"#;
    let mut listener = house.socket_at("/yjs", &[]).await.unwrap();
    listener.say(r#"{"type":"subscribe","topics":["t"]}"#).await;
    let mut speaker = house.socket_at("/yjs", &[]).await.unwrap();
    for said in [deep.as_str(), twice, r#"{"type":"publish","topic":"t","n":1}"#] {
        speaker.say(said).await;
    }
    assert_eq!(next(&mut listener).await["n"], 1, "nothing came before it");
    let mut a = house.socket_at("/matchbox/json", &[]).await.unwrap();
    let id = next(&mut a).await["IdAssigned"].as_str().unwrap().to_owned();
    let mut b = house.socket_at("/matchbox/json", &[]).await.unwrap();
    next(&mut b).await;
    next(&mut a).await;
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    b.say(&format!(r#"{{"Signal":{{"receiver":"{id}","data":{nested}}}}}"#)).await;
    b.say(&format!(r#"{{"Signal":{{"receiver":"x","receiver":"{id}","data":1}}}}"#)).await;
    b.say(&format!(r#"{{"Signal":{{"receiver":"{id}","data":1}},"Signal":{{"receiver":"{id}","data":2}}}}"#)).await;
    b.say(&format!(r#"{{"Signal":{{"receiver":"{id}","data":3}}}}"#)).await;
    assert_eq!(next(&mut a).await["Signal"]["data"], 3, "nothing came before it");
    for bad in [deep.as_str(), twice] {
        let mut auto = house.socket_at("/auto", &[]).await.unwrap();
        auto.say(bad).await;
        assert_eq!(auto.closed().await, Some(1008));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_stops_reading_delays_neither_its_own_topic_nor_another() {
    let flood = |config: &mut Config| config.rates.socket_messages.per_second = 0;
    let house = House::with(flood).await;
    let mut subscribers = Vec::new();
    for topic in ["t", "t", "u"] {
        let mut socket = house.socket_at("/yjs", &[]).await.unwrap();
        socket.say(&json!({"type": "subscribe", "topic": topic}).to_string()).await;
        socket.say(r#"{"type":"ping"}"#).await;
        assert_eq!(next(&mut socket).await["type"], "pong");
        subscribers.push(socket);
    }
    let [mut stalled, mut lively, mut other] = <[Socket; 3]>::try_from(subscribers).ok().unwrap();
    let mut speaker = house.socket_at("/yjs", &[]).await.unwrap();
    let large = "x".repeat(60_000);
    let mut n = 0;
    while house.signaling.stats().slow_readers == 0 {
        speaker.say(&json!({"type": "publish", "topic": "t", "n": n, "large": large}).to_string()).await;
        assert_eq!(next(&mut lively).await["n"], n);
        speaker.say(&json!({"type": "publish", "topic": "u", "n": n}).to_string()).await;
        assert_eq!(next(&mut other).await["n"], n);
        n += 1;
    }
    assert_eq!(stalled.closed().await, Some(1013));
}

async fn next(socket: &mut Socket) -> serde_json::Value {
    serde_json::from_str(&socket.frame().await.expect("a frame comes")).unwrap()
}
