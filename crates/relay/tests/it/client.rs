//! A small TURN client over UDP.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

use posthouse_stun::{
    AttributeType as A, Builder, ChannelData, ChannelNumber, Class, ErrorCode, Integrity, Key, Message, MessageType,
    Method, TransactionId,
};

use crate::world::{PATIENCE, REALM, receive};

/// One client at one 5-tuple.
pub(crate) struct Client {
    pub(crate) socket: UdpSocket,
    pub(crate) server: SocketAddr,
    user: String,
    nonce: Vec<u8>,
    /// Set by [`Client::allocate`].
    pub(crate) relayed: Option<SocketAddr>,
}

/// What came from a peer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    Channel(u16, Vec<u8>),
    Data(SocketAddr, Vec<u8>),
}

impl Client {
    /// Not known to the server yet.
    pub(crate) fn new(server: SocketAddr, user: &str) -> Self {
        let own: IpAddr = if server.is_ipv4() { [127, 0, 0, 1].into() } else { server.ip() };
        Self::at(own, server, user)
    }

    pub(crate) fn at(own: IpAddr, server: SocketAddr, user: &str) -> Self {
        let socket = UdpSocket::bind((own, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, server, user: user.into(), nonce: Vec::new(), relayed: None }
    }

    /// A client with an allocation of the server's family.
    ///
    /// The system may give it a port whose last owner, another client, left an allocation behind: 437. Then another one.
    pub(crate) fn allocated(server: SocketAddr, user: &str) -> Self {
        let mut spoilt = Vec::new();
        loop {
            let mut client = Self::new(server, user);
            match client.allocate(|_| {}) {
                Err(ErrorCode::ALLOCATION_MISMATCH) if spoilt.len() < 100 => spoilt.push(client),
                outcome => {
                    outcome.unwrap();
                    return client;
                }
            }
        }
    }

    pub(crate) fn own_address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub(crate) fn relayed(&self) -> SocketAddr {
        self.relayed.expect("allocated")
    }

    /// Allocates with further attributes; the whole success response is returned.
    pub(crate) fn allocate(&mut self, more: impl Fn(&mut Builder<'_>)) -> Result<Vec<u8>, ErrorCode> {
        let family = if self.server.is_ipv4() { 1u32 } else { 2 };
        let answer = self.request(Method::ALLOCATE, |b| {
            b.number(A::REQUESTED_TRANSPORT, 17 << 24);
            if family == 2 {
                b.number(A::REQUESTED_ADDRESS_FAMILY, family << 24);
            }
            more(b);
        })?;
        let message = Message::parse(&answer).unwrap();
        self.relayed = message.xor_address(A::XOR_RELAYED_ADDRESS).unwrap();
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

    pub(crate) fn binding(&self) -> SocketAddr {
        let id = next_id();
        let mut buffer = [0; 64];
        let len = Builder::new(&mut buffer, MessageType::new(Method::BINDING, Class::Request), id).finish().unwrap();
        self.socket.send_to(&buffer[..len], self.server).unwrap();
        let answer = self.answer(id);
        Message::parse(&answer).unwrap().xor_address(A::XOR_MAPPED_ADDRESS).unwrap().unwrap()
    }

    /// A Send indication.
    pub(crate) fn send(&self, peer: SocketAddr, data: &[u8]) {
        self.indicate(peer, data, false);
    }

    /// A Send indication whose datagram must not be fragmented.
    pub(crate) fn send_whole(&self, peer: SocketAddr, data: &[u8]) {
        self.indicate(peer, data, true);
    }

    fn indicate(&self, peer: SocketAddr, data: &[u8], dont_fragment: bool) {
        self.socket.send_to(&send_indication(peer, data, dont_fragment), self.server).unwrap();
    }

    pub(crate) fn send_channel(&self, number: u16, data: &[u8]) {
        self.socket.send_to(&channel_data(number, data), self.server).unwrap();
    }

    /// The next packet from a peer.
    pub(crate) fn incoming(&self) -> Incoming {
        let (bytes, from) = receive(&self.socket);
        assert_eq!(from, self.server, "answers come from where the client sends to");
        Self::from_peer(&bytes)
    }

    /// The same, when ICMP errors are reported in between.
    pub(crate) fn incoming_past_reports(&self) -> Incoming {
        loop {
            let (bytes, _) = receive(&self.socket);
            if !Message::parse(&bytes).is_ok_and(|m| m.icmp().is_ok_and(|icmp| icmp.is_some())) {
                return Self::from_peer(&bytes);
            }
        }
    }

    fn from_peer(bytes: &[u8]) -> Incoming {
        if let Ok(channel) = ChannelData::parse(bytes) {
            assert_eq!(bytes.len(), 4 + channel.len, "no padding over UDP");
            return Incoming::Channel(channel.number.get(), bytes[channel.payload()].to_vec());
        }
        let message = Message::parse(bytes).expect("a whole message");
        assert_eq!(message.message_type(), MessageType::new(Method::DATA, Class::Indication));
        let peer = message.xor_peer_address().unwrap().unwrap();
        assert_eq!(bytes.len() % 4, 0);
        Incoming::Data(peer, message.data().unwrap().to_vec())
    }

    /// The next indication about an ICMP error: the peer, type and code.
    pub(crate) fn icmp(&self) -> (SocketAddr, u8, u16) {
        let (bytes, from) = receive(&self.socket);
        assert_eq!(from, self.server, "answers come from where the client sends to");
        let message = Message::parse(&bytes).expect("a whole message");
        assert_eq!(message.message_type(), MessageType::new(Method::DATA, Class::Indication));
        assert_eq!(message.data(), None, "RFC 8656 §11.5: no DATA");
        let (kind, code, data) = message.icmp().unwrap().expect("an ICMP attribute");
        assert_eq!(data, 0);
        (message.xor_peer_address().unwrap().unwrap(), kind, code)
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
            self.socket.send_to(&bytes, self.server).unwrap();
            let answer = self.answer(id);
            let message = Message::parse(&answer).unwrap();
            assert_eq!(message.method(), method);
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

    /// The answer to a transaction; relayed packets that come before it are passed over.
    fn answer(&self, id: TransactionId) -> Vec<u8> {
        loop {
            let (bytes, from) = receive(&self.socket);
            assert_eq!(from, self.server, "answers come from where the client sends to");
            if Message::parse(&bytes).is_ok_and(|m| m.transaction_id() == id) {
                return bytes;
            }
        }
    }
}

/// One request, authenticated when there is a nonce.
pub(crate) fn request_bytes(
    user: &str,
    nonce: &[u8],
    method: Method,
    id: TransactionId,
    attributes: impl Fn(&mut Builder<'_>),
) -> Vec<u8> {
    let mut buffer = vec![0; 1024];
    let mut builder = Builder::new(&mut buffer, MessageType::new(method, Class::Request), id);
    attributes(&mut builder);
    if !nonce.is_empty() {
        let user = user.as_bytes();
        let key = Key::md5(user, REALM.as_bytes(), user);
        builder.attribute(A::USERNAME, user).attribute(A::REALM, REALM.as_bytes());
        builder.attribute(A::NONCE, nonce).integrity(Integrity::Sha1, key.as_bytes());
    }
    let len = builder.finish().unwrap();
    buffer.truncate(len);
    buffer
}

/// One Send indication.
pub(crate) fn send_indication(peer: SocketAddr, data: &[u8], dont_fragment: bool) -> Vec<u8> {
    let mut buffer = vec![0; data.len() + 64];
    let mut builder = Builder::new(&mut buffer, MessageType::new(Method::SEND, Class::Indication), next_id());
    builder.xor_address(A::XOR_PEER_ADDRESS, peer);
    if dont_fragment {
        builder.attribute(A::DONT_FRAGMENT, &[]);
    }
    let len = builder.attribute(A::DATA, data).finish().unwrap();
    buffer.truncate(len);
    buffer
}

/// One ChannelData message.
pub(crate) fn channel_data(number: u16, data: &[u8]) -> Vec<u8> {
    let number = ChannelNumber::new(number).unwrap();
    [&ChannelData::header(number, data.len()).unwrap(), data].concat()
}

pub(crate) fn next_id() -> TransactionId {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let mut id = [0x70; 12];
    id[..4].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    TransactionId(id)
}
