//! A small TURN client over TCP or TLS, and what accepts it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use posthouse_relay::{Adopted, Relay};
use posthouse_stun::stream::{Frame, next_frame};
use posthouse_stun::{
    AttributeType as A, Builder, ChannelData, Class, ErrorCode, Kind, Message, MessageType, Method, TransactionId,
};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::client::{Incoming, channel_data, next_id, request_bytes, send_indication};
use crate::world::PATIENCE;

/// How a client comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    Tcp,
    Tls,
}

pub(crate) const BOTH: [Over; 2] = [Over::Tcp, Over::Tls];

/// Accepts connections and hands them to the relay, as the edge does.
pub(crate) struct Door {
    listener: TcpListener,
    /// The client's address as a proxy in front says, in place of the true one.
    pub(crate) claimed: Option<SocketAddr>,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Door {
    pub(crate) fn new() -> Self {
        Self::at("127.0.0.1:0")
    }

    pub(crate) fn at(address: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["relay.test".into()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let server = ServerConfig::builder().with_no_client_auth();
        let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Self {
            listener: TcpListener::bind(address).unwrap(),
            claimed: None,
            server: Arc::new(server.with_single_cert(vec![made.cert.der().clone()], key).unwrap()),
            client: Arc::new(client),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// A client whose first bytes the door has not looked at.
    pub(crate) fn connect(&self, relay: &Relay, over: Over, user: &str) -> StreamClient {
        self.connect_early(relay, over, user, |_| {}, 0)
    }

    /// A client that says something at once, of which the door reads `early` bytes before it hands the client on.
    pub(crate) fn connect_early(
        &self,
        relay: &Relay,
        over: Over,
        user: &str,
        say: impl FnOnce(&mut StreamClient),
        early: usize,
    ) -> StreamClient {
        let near = TcpStream::connect(self.address()).unwrap();
        let (mut far, _) = self.listener.accept().unwrap();
        let mut tls = (over == Over::Tls).then(|| ServerConnection::new(Arc::clone(&self.server)).unwrap());
        let mut client = std::thread::scope(|scope| {
            let tls = tls.as_mut();
            let far = &mut far;
            scope.spawn(move || {
                if let Some(tls) = tls {
                    while tls.is_handshaking() {
                        tls.complete_io(far).unwrap();
                    }
                }
            });
            self.client(near, over, user)
        });
        say(&mut client);
        let mut bytes = vec![0; early];
        match &mut tls {
            Some(tls) => rustls::Stream::new(tls, &mut far).read_exact(&mut bytes).unwrap(),
            None => far.read_exact(&mut bytes).unwrap(),
        }
        far.set_nonblocking(true).unwrap();
        let tls = tls.map(Box::new);
        let adopted = Adopted {
            client: self.claimed.unwrap_or(client.own),
            server: self.address(),
            stream: far,
            tls,
            early: bytes,
        };
        assert!(relay.adopt(adopted));
        client
    }

    fn client(&self, socket: TcpStream, over: Over, user: &str) -> StreamClient {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let own = socket.local_addr().unwrap();
        let raw = socket.try_clone().unwrap();
        let link: Box<dyn Link> = match over {
            Over::Tcp => Box::new(socket),
            Over::Tls => {
                let name = ServerName::try_from("relay.test").unwrap();
                let mut tls = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
                let mut socket = socket;
                while tls.is_handshaking() {
                    tls.complete_io(&mut socket).unwrap();
                }
                Box::new(StreamOwned::new(tls, socket))
            }
        };
        StreamClient { raw, link, come: Vec::new(), own, user: user.into(), nonce: Vec::new(), relayed: None }
    }

    /// A client with an allocation.
    pub(crate) fn allocated(&self, relay: &Relay, over: Over, user: &str) -> StreamClient {
        let mut client = self.connect(relay, over, user);
        client.allocate().unwrap();
        client
    }
}

pub(crate) trait Link: Read + Write + Send {
    /// Says goodbye as the protocol wants it.
    fn close(&mut self);
}

impl Link for TcpStream {
    fn close(&mut self) {
        self.shutdown(std::net::Shutdown::Write).unwrap();
    }
}

impl Link for StreamOwned<ClientConnection, TcpStream> {
    fn close(&mut self) {
        self.conn.send_close_notify();
        self.conn.complete_io(&mut self.sock).unwrap();
    }
}

/// One client on one connection.
pub(crate) struct StreamClient {
    /// The socket below.
    pub(crate) raw: TcpStream,
    pub(crate) link: Box<dyn Link>,
    come: Vec<u8>,
    pub(crate) own: SocketAddr,
    user: String,
    nonce: Vec<u8>,
    relayed: Option<SocketAddr>,
}

impl StreamClient {
    pub(crate) fn relayed(&self) -> SocketAddr {
        self.relayed.expect("allocated")
    }

    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.link.write_all(bytes).unwrap();
        self.link.flush().unwrap();
    }

    pub(crate) fn allocate(&mut self) -> Result<Vec<u8>, ErrorCode> {
        self.allocate_over(17)
    }

    /// `transport` is the protocol of the relayed side.
    pub(crate) fn allocate_over(&mut self, transport: u32) -> Result<Vec<u8>, ErrorCode> {
        let family = if self.own.is_ipv4() { 1u32 } else { 2 };
        let answer = self.request(Method::ALLOCATE, |b| {
            b.number(A::REQUESTED_TRANSPORT, transport << 24);
            if family == 2 {
                b.number(A::REQUESTED_ADDRESS_FAMILY, family << 24);
            }
        })?;
        self.relayed = Message::parse(&answer).unwrap().xor_address(A::XOR_RELAYED_ADDRESS).unwrap();
        Ok(answer)
    }

    pub(crate) fn permit(&mut self, peer: SocketAddr) -> Result<Vec<u8>, ErrorCode> {
        self.request(Method::CREATE_PERMISSION, |b| {
            b.xor_address(A::XOR_PEER_ADDRESS, peer);
        })
    }

    pub(crate) fn bind_channel(&mut self, number: u16, peer: SocketAddr) -> Result<Vec<u8>, ErrorCode> {
        self.request(Method::CHANNEL_BIND, |b| {
            b.number(A::CHANNEL_NUMBER, u32::from(number) << 16).xor_address(A::XOR_PEER_ADDRESS, peer);
        })
    }

    pub(crate) fn refresh(&mut self, seconds: u32) -> Result<Vec<u8>, ErrorCode> {
        self.request(Method::REFRESH, |b| {
            b.number(A::LIFETIME, seconds);
        })
    }

    pub(crate) fn send(&mut self, peer: SocketAddr, data: &[u8]) {
        self.say(&send_indication(peer, data, false));
    }

    pub(crate) fn send_channel(&mut self, number: u16, data: &[u8]) {
        self.say(&padded(number, data));
    }

    pub(crate) fn binding(&mut self) -> SocketAddr {
        let id = next_id();
        self.say(&binding_request(id));
        let answer = self.answer(id);
        Message::parse(&answer).unwrap().xor_address(A::XOR_MAPPED_ADDRESS).unwrap().unwrap()
    }

    /// One authenticated request; a 401 or 438 on the way teaches the nonce.
    pub(crate) fn request(
        &mut self,
        method: Method,
        attributes: impl Fn(&mut Builder<'_>),
    ) -> Result<Vec<u8>, ErrorCode> {
        for _ in 0..3 {
            let id = next_id();
            let bytes = request_bytes(&self.user, &self.nonce, method, id, &attributes);
            self.say(&bytes);
            let answer = self.answer(id);
            let message = Message::parse(&answer).unwrap();
            match message.error_code().unwrap() {
                None => return Ok(answer),
                Some((ErrorCode::UNAUTHENTICATED | ErrorCode::STALE_NONCE, _)) => {
                    self.nonce = message.nonce().unwrap().expect("a nonce").to_vec();
                }
                Some((code, _)) => return Err(code),
            }
        }
        Err(ErrorCode::UNAUTHENTICATED)
    }

    /// A request that is ready to be said.
    pub(crate) fn refresh_bytes(&self, id: TransactionId) -> Vec<u8> {
        request_bytes(&self.user, &self.nonce, Method::REFRESH, id, |b| {
            b.number(A::LIFETIME, 600);
        })
    }

    /// The answer to a transaction; relayed packets that come before it are passed over.
    pub(crate) fn answer(&mut self, id: TransactionId) -> Vec<u8> {
        loop {
            let (kind, frame) = self.frame();
            if kind == Kind::Stun && Message::parse(&frame).is_ok_and(|m| m.transaction_id() == id) {
                return frame;
            }
        }
    }

    /// A request of a client that knows its nonce.
    pub(crate) fn request_bytes(
        &self,
        method: Method,
        id: TransactionId,
        attributes: impl Fn(&mut Builder<'_>),
    ) -> Vec<u8> {
        request_bytes(&self.user, &self.nonce, method, id, attributes)
    }

    /// The next `n` bytes as they come.
    pub(crate) fn bytes(&mut self, n: usize) -> Vec<u8> {
        while self.come.len() < n {
            assert!(self.hear() > 0, "closed after {} of {n} bytes", self.come.len());
        }
        self.come.drain(..n).collect()
    }

    /// The next packet from a peer.
    pub(crate) fn incoming(&mut self) -> Incoming {
        let (kind, frame) = self.frame();
        if kind == Kind::ChannelData {
            let channel = ChannelData::parse(&frame).unwrap();
            return Incoming::Channel(channel.number.get(), frame[channel.payload()].to_vec());
        }
        let message = Message::parse(&frame).expect("a whole message");
        assert_eq!(message.message_type(), MessageType::new(Method::DATA, Class::Indication));
        Incoming::Data(message.xor_peer_address().unwrap().unwrap(), message.data().unwrap().to_vec())
    }

    /// The next frame, without padding.
    pub(crate) fn frame(&mut self) -> (Kind, Vec<u8>) {
        loop {
            match next_frame(&self.come) {
                Frame::Complete { kind, len, advance } => {
                    let mut frame: Vec<_> = self.come.drain(..advance).collect();
                    assert!(frame[len..].iter().all(|&b| b == 0), "padding is zero");
                    frame.truncate(len);
                    return (kind, frame);
                }
                Frame::Incomplete { .. } => assert!(self.hear() > 0, "the server closed the connection"),
                Frame::Broken => panic!("the server lost its step: {:02x?}", &self.come[..self.come.len().min(16)]),
            }
        }
    }

    fn hear(&mut self) -> usize {
        let mut buffer = [0; 65536];
        let n = self.link.read(&mut buffer).expect("a frame comes");
        self.come.extend_from_slice(&buffer[..n]);
        n
    }

    /// Waits until the server closes the connection; what comes before does not matter.
    pub(crate) fn until_closed(&mut self) {
        let mut buffer = [0; 65536];
        loop {
            match self.link.read(&mut buffer) {
                Ok(0) => return,
                Ok(_) => {}
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    panic!("the server keeps the connection")
                }
                // Reset, or an alert.
                Err(_) => return,
            }
        }
    }
}

/// ChannelData as streams have it (RFC 8656 §12.5).
pub(crate) fn padded(number: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = channel_data(number, data);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub(crate) fn binding_request(id: TransactionId) -> Vec<u8> {
    request_bytes("", &[], Method::BINDING, id, |_| {})
}
