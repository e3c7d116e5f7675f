//! Requests that are signed well and otherwise anything: what lies between USERNAME and MESSAGE-INTEGRITY are the fuzzer's
//! own bytes, attributes that lie about their length among them. A client of the server sends them, with an allocation
//! of its own. The server never panics, what it answers parses and is signed, and nobody else's allocation is touched.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use posthouse_stun::attribute::Family;
use posthouse_stun::{AttributeType, Class, Key, Message, MessageType, Method};
use posthouse_turn::{
    Bound, Credentials, Families, FiveTuple, NonceKeys, Now, Output, RelayedTransportAddress, Server, Settings, Shared,
    TicketKey, Transport,
};
use sha1::Sha1;

const REALM: &str = "example.org";
const RELAY: IpAddr = IpAddr::V4(Ipv4Addr::new(11, 1, 1, 1));
const METHODS: [Method; 7] = [
    Method::ALLOCATE,
    Method::REFRESH,
    Method::CREATE_PERMISSION,
    Method::CHANNEL_BIND,
    Method::BINDING,
    Method::CONNECT,
    Method::CONNECTION_BIND,
];
/// REQUESTED-TRANSPORT: UDP.
const UDP: [u8; 8] = [0, 0x19, 0, 4, 17, 0, 0, 0];

fuzz_target!(|input: &[u8]| {
    let mut world = World::new();
    let [alice, bob] = ["alice", "bob"].map(|name| world.arrive(name));
    let mut rest = input;
    while let Some((&[method, length], after)) = rest.split_first_chunk::<2>() {
        let (body, after) = after.split_at(usize::from(length).min(after.len()));
        rest = after;
        world.sends(&alice, METHODS[usize::from(method) % METHODS.len()], body);
        let holds = |client: &Client| world.server.allocations(world.now).any(|a| a.client == client.from);
        assert!(holds(&bob), "a request of alice ended what bob has");
    }
});

struct Client {
    name: &'static str,
    from: FiveTuple,
    nonce: Vec<u8>,
}

struct World {
    server: Server,
    now: Now,
    next_port: u16,
    answer: Option<Vec<u8>>,
}

impl World {
    fn new() -> Self {
        let now = Now { instant: Instant::now(), unix: 1_700_000_000 };
        let mut credentials = Credentials::new(REALM);
        for name in ["alice", "bob"] {
            credentials.add_user(name, "password");
        }
        let mut settings = Settings::new(credentials, NonceKeys::new([7; 32], None, now));
        settings.families = Families { v4: true, v6: false };
        settings.own_addresses = vec![RELAY];
        settings.relay_ports = 50_000..=59_999;
        settings.tcp_allocations = true;
        settings.mobility = Some(TicketKey::new([5; 32]));
        let server = Server::new(Arc::new(settings), Shared::new(), [3; 32], now);
        Self { server, now, next_port: 50_000, answer: None }
    }

    /// A client with an allocation.
    fn arrive(&mut self, name: &'static str) -> Client {
        let port = 40_000 + u16::from(name.as_bytes()[0]);
        let from = FiveTuple {
            client: SocketAddr::from(([198, 41, 0, 4], port)),
            server: SocketAddr::new(RELAY, 3478),
            transport: Transport::Udp,
        };
        let mut client = Client { name, from, nonce: b"none yet".to_vec() };
        self.sends(&client, Method::ALLOCATE, &UDP);
        let refused = self.answer.take().expect("438 with a nonce");
        let nonce = Message::parse(&refused).expect("it was parsed before").nonce();
        client.nonce = nonce.expect("a nonce").expect("a nonce").to_vec();
        self.sends(&client, Method::ALLOCATE, &UDP);
        let granted = self.answer.take().expect("an answer");
        assert_eq!(Message::parse(&granted).expect("it was parsed before").class(), Class::Success);
        client
    }

    fn sends(&mut self, client: &Client, method: Method, body: &[u8]) {
        let key = Key::md5(client.name.as_bytes(), REALM.as_bytes(), b"password");
        let packet = signed(client, method, body, key.as_bytes());
        self.now = self.now.after(Duration::from_millis(200));
        self.server.handle_client(self.now, client.from, &packet);
        self.answer = None;
        self.drain(client, key.as_bytes());
    }

    /// A shell that binds at once.
    fn drain(&mut self, client: &Client, key: &[u8]) {
        let mut binds = Vec::new();
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Respond { to, message } => {
                    assert_eq!(to, client.from, "an answer to somebody else");
                    let answer = Message::parse(message).expect("every answer parses");
                    let sound = answer.integrity().is_none_or(|integrity| answer.verify_integrity(integrity, key));
                    assert!(sound, "an answer signed with another key");
                    let granted = answer.class() == Class::Success && answer.method() != Method::BINDING;
                    assert!(!granted || answer.integrity().is_some(), "a grant that is not signed");
                    self.answer = Some(message.to_vec());
                }
                Output::BindRelayed(bind) => binds.push(bind),
                Output::ConnectPeer { to, .. } => assert!(!to.0.ip().is_loopback()),
                _ => {}
            }
        }
        for bind in binds {
            assert_eq!(bind.family, Family::V4, "a family that is not offered");
            self.next_port += 2;
            let at = |port| RelayedTransportAddress(SocketAddr::new(RELAY, port));
            let bound = Bound { relayed: at(self.next_port), reserved: Some(at(self.next_port + 1)) };
            self.server.handle_bound(self.now, bind.id, bind.family, Ok(bound));
            self.drain(client, key);
        }
    }
}

/// Header, USERNAME, REALM, NONCE, the fuzzer's bytes, and a MAC that holds over all of it (RFC 8489 §14.5).
fn signed(client: &Client, method: Method, body: &[u8], key: &[u8]) -> Vec<u8> {
    let mut packet = MessageType::new(method, Class::Request).to_bits().to_be_bytes().to_vec();
    packet.extend([0, 0, 0x21, 0x12, 0xa4, 0x42]);
    packet.extend([body.len() as u8; 12]);
    let attributes = [
        (AttributeType::USERNAME, client.name.as_bytes()),
        (AttributeType::REALM, REALM.as_bytes()),
        (AttributeType::NONCE, &client.nonce),
    ];
    for (kind, value) in attributes {
        packet.extend(kind.0.to_be_bytes());
        packet.extend((value.len() as u16).to_be_bytes());
        packet.extend(value);
        packet.resize(packet.len().next_multiple_of(4), 0);
    }
    packet.extend(body);
    packet.resize(packet.len().next_multiple_of(4), 0);
    let length = (packet.len() - 20 + 24) as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(&packet);
    packet.extend([0, 8, 0, 20]);
    packet.extend(mac.finalize().into_bytes());
    packet
}
