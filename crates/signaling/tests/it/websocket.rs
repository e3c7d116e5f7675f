//! Frames and handshakes that break the rules (security corpus W01 to W40, by hand).

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    house::{House, PATIENCE},
    wire::{TEXT, Wire, frame, handshake},
};

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_are_none_are_refused() {
    let house = House::open().await;
    let cases: [(&[(&str, &str)], u16); 8] = [
        (&[("Sec-WebSocket-Version", "8")], 426),
        (&[("Sec-WebSocket-Version", "12")], 426),
        (&[("Sec-WebSocket-Key", "")], 400),
        (&[("Sec-WebSocket-Key", "c2hvcnQ=")], 400),
        (&[("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==, x")], 400),
        (&[("Connection", "close")], 400),
        (&[("Upgrade", "h2c")], 400),
        (&[("Host", "")], 400),
    ];
    for (change, status) in cases {
        let mut change = change.to_vec();
        if !change.iter().any(|(name, _)| *name == "Connection") {
            change.push(("Connection", "Upgrade, close"));
        }
        let answer = house.raw(handshake(&house, "/ws", &change).as_bytes()).await;
        assert_eq!(answer.status, status, "{change:?}");
        assert_eq!(answer.header("sec-websocket-version").is_some(), status == 426);
    }
    let plain = house.get("/ws").await;
    assert_eq!((plain.status, plain.body.as_str()), (400, "not websocket protocol"));
    assert_eq!(house.post("/ws", "").await.status, 405);
    for (path, status) in [("/ws/", 404), ("//ws", 404), ("/WS", 404), ("/ws?x", 400)] {
        assert_eq!(house.get(path).await.status, status, "{path}");
    }
}

/// W06, W12.
#[tokio::test(flavor = "multi_thread")]
async fn no_older_http_is_upgraded_and_no_extension_is_agreed_to() {
    let house = House::open().await;
    let older = handshake(&house, "/ws", &[("Connection", "Upgrade, close")]).replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert_eq!(house.raw(older.as_bytes()).await.status, 400);
    let offer = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    let compressed = frame(0xc1, b"\xaa\xae\x05\x00");
    stream.write_all(&[handshake(&house, "/ws", &[offer]).as_bytes(), &compressed].concat()).await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server closes");
    let text = String::from_utf8_lossy(&answer).to_lowercase();
    assert!(text.starts_with("http/1.1 101") && !text.contains("extensions"), "{text}");
    assert!(answer.ends_with(&[0x88, 2, 0x03, 0xea]), "1002 for the compressed frame");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subprotocol_is_echoed_only_if_it_is_a_token() {
    let house = House::open().await;
    for (asked, echoed) in [("chat, other", Some("chat")), ("a\tb", None), ("\"x\"", None)] {
        let request = handshake(&house, "/ws", &[("Sec-WebSocket-Protocol", asked)]);
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = vec![0; 2048];
        let length = timeout(PATIENCE, stream.read(&mut head)).await.unwrap().unwrap();
        let head = String::from_utf8_lossy(&head[..length]).to_lowercase();
        let line = head.lines().find_map(|line| line.strip_prefix("sec-websocket-protocol: "));
        assert_eq!(line, echoed, "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_break_the_rules_are_closed_with_their_code() {
    let house = House::open().await;
    let mut unmasked = frame(TEXT, b"{}");
    unmasked[1] &= 0x7f;
    unmasked.drain(2..6);
    let huge = |length: u64| [&[TEXT, 0x80 | 127][..], &length.to_be_bytes(), &[0; 4]].concat();
    let close = |code: u16, reason: &[u8]| frame(0x88, &[&code.to_be_bytes(), reason].concat());
    let mut cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("W07 unmasked", unmasked, 1002),
        ("W08 RSV1", frame(0xc1, b"{}"), 1002),
        ("W08 RSV3", frame(0x91, b"{}"), 1002),
        ("W09 opcode 3", frame(0x83, b""), 1002),
        ("W09 opcode 11", frame(0x8b, b""), 1002),
        ("W10 65,537 bytes", frame(TEXT, &[b' '; 65_537]), 1009),
        ("W11 2^63-1", huge(u64::MAX >> 1), 1009),
        ("W14 ping of 126 bytes", frame(0x89, &[0; 126]), 1002),
        ("W14 fragmented ping", frame(0x09, b""), 1002),
        ("W16 continuation from nowhere", frame(0x80, b"x"), 1002),
        ("W16 text within a text", [frame(0x01, b"a"), frame(TEXT, b"b")].concat(), 1002),
        ("W19 invalid UTF-8", frame(TEXT, b"\xff"), 1007),
        ("W19 surrogate", frame(TEXT, b"\xed\xa0\x80"), 1007),
        ("W21 close of one byte", frame(0x88, b"\x03"), 1002),
        ("W22 close 1000", close(1000, b""), 1000),
        ("W23 a reason that is no text", close(1000, b"\xff"), 1007),
        ("W22 close 4999", close(4999, b"why"), 4999),
        ("W39 send before register", frame(TEXT, br#"{"cmd":"send","msg":"x"}"#), 1008),
        ("R08 register of a stranger", frame(TEXT, br#"{"cmd":"register","roomid":"r","clientid":"c"}"#), 1008),
        ("R13 deep", frame(TEXT, "[".repeat(10_000).as_bytes()), 1008),
        ("R18 two documents", frame(TEXT, b"{} {}"), 1008),
    ];
    let codes = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000];
    cases.extend(codes.map(|code| ("W21 close code", close(code, b""), 1002)));
    for (name, bytes, code) in cases {
        let mut wire = Wire::open(&house).await;
        wire.write(&bytes).await;
        assert_eq!(wire.close_code().await, Some(code), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_in_pieces_and_in_bytes_are_understood() {
    let house = House::open().await;
    let [(_, mut a_socket), (b, b_socket)] = house.call("kitchen").await;
    b_socket.kill();
    let register = format!(r#"{{"cmd":"register","roomid":"kitchen","clientid":"{}"}}"#, b.id);
    // Behind the handshake (W35), as bytes, then a text in pieces with a ping between, cut inside a character (W15, W18).
    let mut wire = Wire::open_with(&house, "/ws", &frame(0x82, register.as_bytes())).await;
    let text = r#"{"cmd":"send","msg":"é"}"#.as_bytes();
    wire.write(&frame(0x01, &text[..22])).await;
    wire.write(&frame(0x89, b"ping")).await;
    for byte in frame(0x80, &text[22..]) {
        wire.write(&[byte]).await;
    }
    assert_eq!(wire.frame().await, Some((10, b"ping".to_vec())));
    assert_eq!(a_socket.hear().await, "é");
}

/// W28.
#[tokio::test(flavor = "multi_thread")]
async fn a_frame_may_come_byte_by_byte_and_a_handshake_may_not() {
    let house = House::with(|config| config.timing.headers = Duration::from_millis(500)).await;
    let mut wire = Wire::open(&house).await;
    for byte in frame(TEXT, br#"{"cmd":"x"}"#) {
        wire.write(&[byte]).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (_, answer) = wire.frame().await.unwrap();
    assert!(String::from_utf8(answer).unwrap().contains("unexpected 'cmd'"));
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let dribbling = async {
        for byte in handshake(&house, "/ws", &[]).bytes() {
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    tokio::select! {
        () = dribbling => {}
        _ = timeout(PATIENCE, reading.read_to_end(&mut answer)) => {}
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_does_not_register_in_time_is_closed_with_1008() {
    let house = House::with(|config| {
        config.timing.register = Duration::from_millis(200);
        config.timing.close = Duration::from_millis(200);
    })
    .await;
    let mut wire = Wire::open(&house).await;
    assert_eq!(wire.close_code().await, Some(1008));
    while house.signaling.stats().sockets > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_messages_or_pings_is_closed_with_1008_and_pongs_are_ignored() {
    let house = House::open().await;
    let mut wire = Wire::open(&house).await;
    wire.write(&frame(0x8a, b"").repeat(10_000)).await;
    wire.write(&frame(TEXT, br#"{"cmd":"x"}"#)).await;
    let (_, answer) = wire.frame().await.unwrap();
    assert!(String::from_utf8(answer).unwrap().contains("unexpected 'cmd'"));
    wire.write(&frame(0x89, b"").repeat(1000)).await;
    assert_eq!(wire.close_code().await, Some(1008));
    let mut wire = Wire::open(&house).await;
    wire.write(&frame(TEXT, br#"{"cmd":"x"}"#).repeat(1000)).await;
    let mut last = Vec::new();
    while let Some((opcode, payload)) = wire.frame().await {
        if opcode == 8 {
            assert_eq!(payload, 1008_u16.to_be_bytes());
            break;
        }
        last = payload;
    }
    assert_eq!(String::from_utf8(last).unwrap(), "{\"msg\":\"\",\"error\":\"Too many messages\"}\n");
}
