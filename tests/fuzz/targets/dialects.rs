//! Every dialect under arbitrary messages: two of its clients in one place, on WebSockets without a network. The server
//! never panics, answers what can be answered, and whatever it says to either of them is JSON.
//!
//! The input is a script: a byte for the door, then lines, each a byte for who speaks and what it says.
#![no_main]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use libfuzzer_sys::fuzz_target;
use posthouse_signaling::{
    Config, IceConfig, IceServer, IceServers, NoEvents, Page, PageRequest, Pages, Ports, RelayControl, RequestContext,
    Signaling,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    runtime::Runtime,
    sync::watch,
    time::timeout,
};

/// Where each dialect is spoken; `{me}` is a name that the two do not share.
const DOORS: [&str; 13] = [
    "/announce",
    "/auto",
    "/hello",
    "/matchbox/room",
    "/matchbox/room?next=2",
    "/peer/websocket?vsn=1.0.0",
    "/peer/websocket?vsn=2.0.0",
    "/peerjs?key=peerjs&id={me}&token=t",
    "/v1/socket",
    "/ws",
    "/ws/websocket?vsn=1.0.0",
    "/ws/websocket?vsn=2.0.0",
    "/yjs",
];

/// Messages of one script.
const MESSAGES: usize = 32;

/// What has not come by then never will: a task died.
const PATIENCE: Duration = Duration::from_secs(20);

/// Nothing is behind it but one server for ICE.
struct Nothing;

impl IceServers for Nothing {
    fn ice_servers(&self, label: &str, _: &RequestContext<'_>) -> IceConfig {
        let urls = vec!["turn:127.0.0.1:3478".to_owned()];
        let turn = IceServer { urls, username: Some(label.to_owned()), credential: Some("secret".to_owned()) };
        IceConfig { servers: vec![turn], lifetime: 3600 }
    }
}

impl RelayControl for Nothing {
    fn end_user(&self, _: &str) {}

    fn revoke_user(&self, _label: &str) {}
}

impl Pages for Nothing {
    fn page(&self, _: PageRequest<'_>) -> Option<Page> {
        None
    }
}

fuzz_target!(|script: &[u8]| {
    let Some((&door, lines)) = script.split_first() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(converse(DOORS[usize::from(door) % DOORS.len()], lines));
    end(runtime);
});

/// Tasks that wait for time are dropped, not waited for.
fn end(runtime: Runtime) {
    runtime.shutdown_background();
}

async fn converse(door: &str, lines: &[u8]) {
    let ports = Ports {
        ice: Arc::new(Nothing),
        relay: Arc::new(Nothing),
        pages: Arc::new(Nothing),
        events: Arc::new(NoEvents),
    };
    let signaling = Signaling::new(Config::default(), ports);
    let mut both = [
        Some(open(&signaling, &door.replace("{me}", "a")).await),
        Some(open(&signaling, &door.replace("{me}", "b")).await),
    ];
    for line in lines.split(|byte| *byte == b'\n').take(MESSAGES) {
        let Some((who, message)) = line.split_first() else { continue };
        let speaker = &mut both[usize::from(who & 1)];
        if let Some(stream) = speaker
            && !say(stream, message).await
        {
            // It was closed for what it said.
            *speaker = None;
        }
    }
    for stream in both.iter_mut().flatten() {
        say(stream, b"").await;
    }
}

/// A WebSocket at a door.
async fn open(signaling: &Arc<Signaling>, path: &str) -> DuplexStream {
    let (mut near, far) = duplex(1 << 20);
    let (signaling, (drain, draining)) = (signaling.clone(), watch::channel(false));
    tokio::spawn(async move {
        let _kept = drain;
        signaling.serve_stream(far, SocketAddr::from(([127, 0, 0, 1], 9)), draining).await;
    });
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    near.write_all(request.as_bytes()).await.expect("the server reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, near.read_u8()).await.expect("an answer").expect("an answer"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    near
}

/// Says something, then asks whether it was heard; false if the socket was closed meanwhile.
async fn say(stream: &mut DuplexStream, message: &[u8]) -> bool {
    let opcode = if std::str::from_utf8(message).is_ok() { 0x81 } else { 0x82 };
    let sent = [frame(opcode, message), frame(0x89, b"heard?")].concat();
    if stream.write_all(&sent).await.is_err() {
        return false;
    }
    loop {
        let Some((opcode, payload)) = timeout(PATIENCE, hear(stream)).await.expect("an answer or the end") else {
            return false;
        };
        match opcode {
            0x81 => drop(serde_json::from_slice::<serde_json::Value>(&payload).map_err(|problem| {
                panic!("{problem}: {}", String::from_utf8_lossy(&payload));
            })),
            0x8a => return true,
            0x88 => return false,
            0x89 => {}
            other => panic!("opcode {other:#x}"),
        }
    }
}

async fn hear(stream: &mut DuplexStream) -> Option<(u8, Vec<u8>)> {
    let opcode = stream.read_u8().await.ok()?;
    let length = match stream.read_u8().await.ok()? {
        126 => usize::from(stream.read_u16().await.ok()?),
        127 => usize::try_from(stream.read_u64().await.ok()?).expect("a length"),
        short => usize::from(short),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.ok()?;
    Some((opcode, payload))
}

/// A client's frame, with a mask that changes nothing.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a script is short");
    let length =
        if length < 126 { vec![0x80 | length as u8] } else { [&[0x80 | 126][..], &length.to_be_bytes()].concat() };
    [&[opcode][..], &length, &[0; 4], payload].concat()
}
