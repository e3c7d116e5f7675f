//! A `turn::Server` under arbitrary input: raw packets, well-signed requests with arbitrary attributes, peers' packets,
//! connections, failed binds, time. It never panics, every answer parses, and every decision stays inside the packet.
//!
//! The input is a script: an operation's byte, then what the operation takes.
#![no_main]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use posthouse_stun::attribute::{Family, MappedAddress};
use posthouse_stun::{AttributeType, Builder, Class, Integrity, Key, Message, MessageType, Method, TransactionId};
use posthouse_turn::{
    AllocationId, BindError, Bound, ConnectionId, Credentials, Direction, Families, FiveTuple, Forward, NonceKeys, Now, Output,
    PeerTransportAddress, RelayedTransportAddress, Route, Server, Settings, Shared, Transport,
};

const REALM: &str = "example.org";
const NAMES: [&str; 2] = ["alice", "bob"];
const METHODS: [Method; 7] = [
    Method::ALLOCATE,
    Method::REFRESH,
    Method::CREATE_PERMISSION,
    Method::CHANNEL_BIND,
    Method::BINDING,
    Method::CONNECT,
    Method::CONNECTION_BIND,
];
const ATTRIBUTES: [AttributeType; 16] = [
    AttributeType::LIFETIME,
    AttributeType::REQUESTED_TRANSPORT,
    AttributeType::REQUESTED_ADDRESS_FAMILY,
    AttributeType::ADDITIONAL_ADDRESS_FAMILY,
    AttributeType::EVEN_PORT,
    AttributeType::RESERVATION_TOKEN,
    AttributeType::DONT_FRAGMENT,
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::CHANNEL_NUMBER,
    AttributeType::DATA,
    AttributeType::MOBILITY_TICKET,
    AttributeType::SOFTWARE,
    AttributeType::PASSWORD_ALGORITHM,
    AttributeType::CONNECTION_ID,
    AttributeType(0x7abc),
    AttributeType(0xfabc),
];

fuzz_target!(|script: &[u8]| {
    let mut world = World::new();
    let mut script = Script(script);
    for _ in 0..64 {
        let Some(operation) = script.byte() else { break };
        world.operate(operation, &mut script);
    }
    world.let_everything_expire();
});

/// Bytes that have not been taken yet.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn bytes(&mut self, most: u8) -> &'a [u8] {
        let wanted = usize::from(self.byte().unwrap_or(0).min(most));
        let (taken, rest) = self.0.split_at(wanted.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

struct World {
    server: Server,
    now: Now,
    /// What each client was given last; a nonce is of no use to another.
    nonces: HashMap<FiveTuple, Vec<u8>>,
    allocations: Vec<(AllocationId, Vec<RelayedTransportAddress>)>,
    /// Peer data connections, newest last.
    connections: Vec<ConnectionId>,
    next_port: u16,
    fail_binds: bool,
}

impl World {
    fn new() -> Self {
        let now = Now { instant: Instant::now(), unix: 1_700_000_000 };
        let mut credentials = Credentials::new(REALM);
        for name in NAMES {
            credentials.add_user(name, "password");
        }
        credentials.add_secret(b"a secret for time-limited names..");
        let mut settings = Settings::new(credentials, NonceKeys::new([7; 32], None, now));
        settings.families = Families { v4: true, v6: true };
        settings.own_addresses = vec![relay_ip(Family::V4), relay_ip(Family::V6)];
        settings.relay_ports = 50_000..=50_999;
        settings.tcp_allocations = true;
        let server = Server::new(Arc::new(settings), Shared::new(), [3; 32], now).numbered(1).among(3);
        Self {
            server,
            now,
            nonces: HashMap::new(),
            allocations: Vec::new(),
            connections: Vec::new(),
            next_port: 50_000,
            fail_binds: false,
        }
    }

    fn operate(&mut self, operation: u8, script: &mut Script<'_>) {
        let client = client(script.byte().unwrap_or(0));
        match operation % 8 {
            0 => self.packet(client, script.bytes(255)),
            1..=4 => {
                let request = self.request(client, script);
                self.packet(client, &request);
            }
            5 => self.peer(script),
            6 => {
                self.now = self.now.after(Duration::from_secs(u64::from(script.byte().unwrap_or(1)) * 7));
                self.server.handle_timeout(self.now);
                self.drain();
            }
            _ => {
                match script.byte().unwrap_or(0) % 4 {
                    0 => self.server.handle_disconnect(self.now, client),
                    1 => self.server.end_user(self.now, NAMES[0]),
                    2 => self.server.relayed_gone(self.now, relay_ip(Family::V6)),
                    _ => self.fail_binds = !self.fail_binds,
                }
                self.drain();
            }
        }
    }

    /// A request, or an indication, whose credentials hold: what lies behind authentication is reached.
    fn request(&self, from: FiveTuple, script: &mut Script<'_>) -> Vec<u8> {
        let choice = script.byte().unwrap_or(0);
        let name = NAMES[usize::from(choice >> 7)];
        let indication = choice & 0x40 != 0;
        let (method, class) = if indication {
            (Method::SEND, Class::Indication)
        } else {
            (METHODS[usize::from(choice) % METHODS.len()], Class::Request)
        };
        let id = TransactionId([choice; 12]);
        let mut buffer = vec![0; 4096];
        let mut builder = Builder::new(&mut buffer, MessageType::new(method, class), id);
        for _ in 0..script.byte().unwrap_or(0) % 6 {
            let kind = ATTRIBUTES[usize::from(script.byte().unwrap_or(0)) % ATTRIBUTES.len()];
            match self.connections.last().filter(|_| kind == AttributeType::CONNECTION_ID && choice & 1 == 0) {
                Some(connection) => drop(builder.number(kind, connection.0)),
                None => attribute(&mut builder, kind, id, script),
            }
        }
        if !indication {
            builder
                .attribute(AttributeType::USERNAME, name.as_bytes())
                .attribute(AttributeType::REALM, REALM.as_bytes())
                .attribute(AttributeType::NONCE, self.nonces.get(&from).map_or(&b"none yet"[..], Vec::as_slice))
                .integrity(Integrity::Sha1, Key::md5(name.as_bytes(), REALM.as_bytes(), b"password").as_bytes());
        }
        let len = builder.fingerprint().finish().expect("4096 bytes are enough");
        buffer.truncate(len);
        buffer
    }

    fn packet(&mut self, from: FiveTuple, packet: &[u8]) {
        let forward = self.server.handle_client(self.now, from, packet);
        if let Some(Forward { from, to, payload, route, .. }) = forward {
            let len = packet.get(payload).expect("the payload lies in the packet").len();
            assert_ne!(to.0.port(), 0);
            if route == Route::Relay {
                self.deliver_in_process(from, to, len);
            }
        }
        self.drain();
    }

    fn deliver_in_process(&mut self, from: AllocationId, to: PeerTransportAddress, len: usize) {
        let Some(receiver) = self.server.relayed(RelayedTransportAddress(to.0)) else { return };
        let family = Family::of(to.0.ip());
        let Some(sender) = self.server.relayed_address(from, family) else { return };
        let _ = self.server.handle_peer(self.now, receiver, PeerTransportAddress(sender.0), len);
    }

    fn peer(&mut self, script: &mut Script<'_>) {
        let (which, len) = (script.byte().unwrap_or(0), usize::from(script.byte().unwrap_or(0)));
        let Some((id, _)) = self.allocations.get(usize::from(which) % self.allocations.len().max(1)) else { return };
        let from = PeerTransportAddress(peer(script.byte().unwrap_or(0)));
        if let Some(wrap) = self.server.handle_peer(self.now, *id, from, len) {
            assert!(!wrap.header.as_bytes().is_empty());
            assert!(wrap.padding < 4);
        }
        self.connections.extend(self.server.handle_accepted(self.now, *id, from));
        if let Some(&id) = self.connections.last() {
            let passed = self.server.handle_data(self.now, id, Direction::ToPeer, len);
            assert!(passed <= len);
        }
        self.drain();
    }

    /// A shell that binds at once, or never.
    fn drain(&mut self) {
        let (mut binds, mut attempts) = (Vec::new(), Vec::new());
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Respond { to, message } => {
                    let message = Message::parse_any_cookie(message).expect("every answer parses");
                    if let Ok(Some(nonce)) = message.nonce() {
                        self.nonces.insert(to, nonce.to_vec());
                    }
                }
                Output::BindRelayed(bind) => binds.push(bind),
                Output::CloseRelayed { id, .. } => self.allocations.retain(|(living, _)| *living != id),
                Output::CloseRelayedFamily { .. } | Output::ReleaseReserved(_) => {}
                Output::ConnectPeer { id, to, .. } => {
                    assert_ne!(to.0.port(), 0);
                    assert!(!to.0.ip().is_loopback());
                    attempts.push(id);
                }
                Output::ClosePeer(id) => self.connections.retain(|living| *living != id),
                Output::JoinClient { id, .. } => assert!(self.connections.contains(&id), "joined to nothing"),
                Output::MoveClient { server, .. } => assert!(server < 3 && server != 1, "moved to itself"),
                Output::BindingInstalled(_) | Output::BindingRemoved(_) => {}
            }
        }
        for id in attempts {
            self.connections.push(id);
            // Some succeed, some fail, and some are left to time.
            if id.0 & 12 != 0 {
                self.server.handle_connected(self.now, id, id.0 & 4 != 0);
                self.drain();
            }
        }
        for bind in binds {
            let result = self.bind(bind.family);
            if let Ok(bound) = result {
                self.allocations.push((bind.id, vec![bound.relayed]));
            }
            self.server.handle_bound(self.now, bind.id, bind.family, result);
            self.drain();
        }
    }

    fn bind(&mut self, family: Family) -> Result<Bound, BindError> {
        if self.fail_binds || self.next_port > 50_900 {
            return Err(BindError::NoPort);
        }
        self.next_port += 2;
        let at = |port| RelayedTransportAddress(SocketAddr::new(relay_ip(family), port));
        Ok(Bound { relayed: at(self.next_port), reserved: Some(at(self.next_port + 1)) })
    }

    fn let_everything_expire(&mut self) {
        self.now = self.now.after(Duration::from_secs(2 * 3600));
        self.server.handle_timeout(self.now);
        self.drain();
        assert_eq!(self.server.allocation_count(), 0, "an allocation outlived its lifetime");
    }
}

/// Values that are often right, so that the script gets far, or any bytes.
fn attribute(builder: &mut Builder<'_>, kind: AttributeType, id: TransactionId, script: &mut Script<'_>) {
    let choice = script.byte().unwrap_or(0);
    if choice & 0x80 != 0 {
        builder.attribute(kind, script.bytes(64));
        return;
    }
    match kind {
        AttributeType::LIFETIME => builder.number(kind, u32::from(choice) * 60),
        AttributeType::REQUESTED_TRANSPORT => builder.attribute(kind, &[if choice & 3 == 3 { 6 } else { 17 }, 0, 0, 0]),
        AttributeType::REQUESTED_ADDRESS_FAMILY | AttributeType::ADDITIONAL_ADDRESS_FAMILY => {
            builder.attribute(kind, &[choice % 3, 0, 0, 0])
        }
        AttributeType::EVEN_PORT => builder.attribute(kind, &[choice << 1]),
        AttributeType::XOR_PEER_ADDRESS => builder.attribute(kind, MappedAddress::xored(peer(choice), id).as_bytes()),
        AttributeType::CHANNEL_NUMBER => builder.attribute(kind, &[0x40, choice, 0, 0]),
        _ => builder.attribute(kind, script.bytes(64)),
    };
}

fn client(choice: u8) -> FiveTuple {
    let port = 40_000 + u16::from(choice % 4);
    let transport = if choice & 0x80 == 0 { Transport::Udp } else { Transport::Tcp };
    FiveTuple {
        client: SocketAddr::from(([198, 41, 0, 4], port)),
        server: SocketAddr::new(relay_ip(Family::V4), 3478),
        transport,
    }
}

/// The world, this server's relayed addresses, and places that must stay closed.
fn peer(choice: u8) -> SocketAddr {
    match choice % 6 {
        0 | 1 => SocketAddr::from(([9, 9, 9, choice], 9000)),
        2 => SocketAddr::new(relay_ip(Family::V4), 50_000 + u16::from(choice)),
        3 => SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2a00, 1, 0, 0, 0, 0, 0, u16::from(choice))), 9000),
        4 => SocketAddr::from(([127, 0, 0, 1], 80)),
        _ => SocketAddr::new(relay_ip(Family::V4), u16::from(choice)),
    }
}

fn relay_ip(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::new(11, 1, 1, 1).into(),
        Family::V6 => Ipv6Addr::new(0x2a0a, 1, 0, 0, 0, 0, 0, 1).into(),
    }
}
