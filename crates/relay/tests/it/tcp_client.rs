//! TCP allocations from the outside: a client's control and data connections, and peers.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use posthouse_relay::{Config, Relay};
use posthouse_stun::{AttributeType as A, Class, ErrorCode, Message, Method};
use posthouse_turn::{Settings, Shared};

use crate::client::next_id;
use crate::stream_client::{Door, Over, StreamClient};
use crate::world::{PATIENCE, settings};

/// A relay that offers TCP allocations.
pub(crate) fn start(config: &Config) -> Relay {
    start_with(config, |_| ())
}

pub(crate) fn start_with(config: &Config, change: impl FnOnce(&mut Settings)) -> Relay {
    let mut settings = settings(config);
    settings.tcp_allocations = true;
    change(&mut settings);
    Relay::start(config, Arc::new(settings), Shared::new()).unwrap()
}

/// A peer that is connected to.
pub(crate) fn listening_peer() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.9:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The relay's connection with a peer, and where it came from.
pub(crate) fn accepted(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let (peer, from) = listener.accept().unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    (peer, from)
}

/// Connects to a relayed transport address.
pub(crate) fn connected_peer(to: SocketAddr) -> TcpStream {
    let peer = TcpStream::connect(to).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    peer
}

pub(crate) fn read_exactly(from: &mut impl Read, n: usize) -> Vec<u8> {
    let mut bytes = vec![0; n];
    from.read_exact(&mut bytes).expect("all of it comes");
    bytes
}

/// Waits for the end, which may be a reset; what comes before is returned.
pub(crate) fn until_end(from: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match from.read_to_end(&mut bytes) {
        Err(e) if e.kind() != std::io::ErrorKind::ConnectionReset => panic!("the relay keeps the connection: {e}"),
        _ => bytes,
    }
}

impl Door {
    /// A control connection with a TCP allocation.
    pub(crate) fn allocated_tcp(&self, relay: &Relay, over: Over, user: &str) -> StreamClient {
        let mut client = self.connect(relay, over, user);
        client.allocate_over(6).unwrap();
        client
    }

    /// A client data connection for a peer data connection.
    pub(crate) fn bound(&self, relay: &Relay, over: Over, user: &str, connection: u32) -> StreamClient {
        let mut data = self.connect(relay, over, user);
        data.bind_connection(connection).unwrap();
        data
    }
}

impl StreamClient {
    /// Connect; the CONNECTION-ID.
    pub(crate) fn connect_to(&mut self, peer: SocketAddr) -> Result<u32, ErrorCode> {
        let answer = self.request(Method::CONNECT, |b| {
            b.xor_address(A::XOR_PEER_ADDRESS, peer);
        })?;
        Ok(Message::parse(&answer).unwrap().connection_id().unwrap().expect("CONNECTION-ID"))
    }

    pub(crate) fn bind_connection(&mut self, connection: u32) -> Result<(), ErrorCode> {
        self.request(Method::CONNECTION_BIND, |b| {
            b.number(A::CONNECTION_ID, connection);
        })?;
        Ok(())
    }

    /// A ConnectionBind and what follows it in the same breath, for a client that knows its nonce.
    pub(crate) fn bind_and_say(&mut self, connection: u32, bytes: &[u8]) {
        let id = next_id();
        let mut breath = self.request_bytes(Method::CONNECTION_BIND, id, |b| {
            b.number(A::CONNECTION_ID, connection);
        });
        breath.extend_from_slice(bytes);
        self.say(&breath);
        let answer = self.answer(id);
        assert_eq!(Message::parse(&answer).unwrap().class(), Class::Success);
    }

    /// The next ConnectionAttempt: who, and the CONNECTION-ID.
    pub(crate) fn attempt(&mut self) -> (SocketAddr, u32) {
        let (_, frame) = self.frame();
        let message = Message::parse(&frame).unwrap();
        assert_eq!((message.class(), message.method()), (Class::Indication, Method::CONNECTION_ATTEMPT));
        (message.xor_peer_address().unwrap().unwrap(), message.connection_id().unwrap().unwrap())
    }
}
