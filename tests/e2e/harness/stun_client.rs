//! A client that looks at single messages, on the codec of other people (crate `stun`).

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use stun::addr::MappedAddress;
use stun::agent::TransactionId;
use stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME, ATTR_XOR_PEER_ADDRESS, AttrType};
use stun::error_code::ErrorCodeAttribute;
use stun::integrity::MessageIntegrity;
use stun::message::{CLASS_REQUEST, Getter, Message, MessageType, Method, Setter};
use stun::textattrs::TextAttribute;
use stun::xoraddr::XorMappedAddress;

use super::credential::{now, time_limited};
use super::settings::SECRET;

/// Loopback loses nothing, so nothing is sent twice; a busy machine needs less than this.
const PATIENCE: Duration = Duration::from_secs(20);

/// An attribute and its bytes.
pub(crate) struct Raw(pub(crate) AttrType, pub(crate) Vec<u8>);

impl Setter for Raw {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        message.add(self.0, &self.1);
        Ok(())
    }
}

/// XOR-PEER-ADDRESS.
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Setter for Peer {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        XorMappedAddress { ip: self.0.ip(), port: self.0.port() }.add_to_as(message, ATTR_XOR_PEER_ADDRESS)
    }
}

/// Somebody with a time-limited credential.
pub(crate) struct Author {
    user: (String, String),
    /// REALM and NONCE of the last challenge.
    challenge: Option<(String, String)>,
}

impl Author {
    pub(crate) fn new() -> Self {
        Self::named("alice")
    }

    pub(crate) fn named(user: &str) -> Self {
        Self { user: time_limited(SECRET, user, now() + 3600), challenge: None }
    }

    /// The same credential where no challenge was met yet: a nonce is good for one place.
    pub(crate) fn elsewhere(&self) -> Self {
        Self { user: self.user.clone(), challenge: None }
    }

    /// The same user, who was not challenged yet.
    pub(crate) fn again(&self) -> Self {
        Self { user: self.user.clone(), challenge: None }
    }

    /// A message, signed once there was a challenge.
    pub(crate) fn write(&self, kind: MessageType, attributes: &[&dyn Setter]) -> Message {
        let mut message = Message::new();
        message.build(&[Box::new(TransactionId::new()), Box::new(kind)]).expect("a header");
        for attribute in attributes {
            attribute.add_to(&mut message).expect("an attribute");
        }
        if let Some((realm, nonce)) = self.challenge.as_ref().filter(|_| kind.class == CLASS_REQUEST) {
            let (username, password) = &self.user;
            for (kind, text) in [(ATTR_USERNAME, username), (ATTR_REALM, realm), (ATTR_NONCE, nonce)] {
                message.add(kind, text.as_bytes());
            }
            let key = MessageIntegrity::new_long_term_integrity(username.clone(), realm.clone(), password.clone());
            key.add_to(&mut message).expect("a signature");
        }
        message
    }

    /// Whether the answer is the first challenge: then the request is to be written again.
    pub(crate) fn is_challenged(&mut self, answer: &Message) -> bool {
        let first = self.challenge.is_none() && error_code(answer) == Some(401);
        if first {
            let text = |kind| TextAttribute::get_from_as(answer, kind).expect("a challenge").text;
            self.challenge = Some((text(ATTR_REALM), text(ATTR_NONCE)));
        }
        first
    }
}

/// One of them at a UDP socket.
pub(crate) struct StunClient {
    pub(crate) socket: UdpSocket,
    pub(crate) server: SocketAddr,
    pub(crate) author: Author,
}

impl StunClient {
    /// A socket at `own`, any port.
    pub(crate) fn at(own: IpAddr, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((own, 0)).expect("an address of this machine");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { socket, server, author: Author::new() }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.socket.local_addr().expect("bound")
    }

    /// A request and its answer, whatever it is, once the challenge is met.
    pub(crate) fn request(&mut self, method: Method, attributes: &[&dyn Setter]) -> Message {
        loop {
            let (answer, _) = self.ask(method, attributes);
            if !self.author.is_challenged(&answer) {
                return answer;
            }
        }
    }

    /// A request as it is; its answer is whatever comes, wherever from.
    pub(crate) fn ask(&self, method: Method, attributes: &[&dyn Setter]) -> (Message, SocketAddr) {
        let request = self.send(MessageType::new(method, CLASS_REQUEST), attributes);
        let (answer, from) = self.receive();
        assert_eq!(answer.transaction_id, request.transaction_id);
        (answer, from)
    }

    /// Sends a message and returns it.
    pub(crate) fn send(&self, kind: MessageType, attributes: &[&dyn Setter]) -> Message {
        let message = self.author.write(kind, attributes);
        self.socket.send_to(&message.raw, self.server).expect("sent");
        message
    }

    /// The next message and who sent it.
    pub(crate) fn receive(&self) -> (Message, SocketAddr) {
        receive(&self.socket)
    }
}

/// The next message at a socket and who sent it.
pub(crate) fn receive(socket: &UdpSocket) -> (Message, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (len, from) = socket.recv_from(&mut buffer).expect("a message comes");
    (read(&buffer[..len]), from)
}

/// A message from its bytes.
pub(crate) fn read(bytes: &[u8]) -> Message {
    let mut message = Message::new();
    message.unmarshal_binary(bytes).expect("a whole message");
    message
}

/// The code of an error response.
pub(crate) fn error_code(message: &Message) -> Option<u16> {
    let mut error = ErrorCodeAttribute::default();
    error.get_from(message).ok().map(|()| error.code.0)
}

/// An address attribute that is not XORed.
pub(crate) fn address(message: &Message, kind: AttrType) -> Option<SocketAddr> {
    let mut address = MappedAddress::default();
    address.get_from_as(message, kind).ok().map(|()| SocketAddr::new(address.ip, address.port))
}

/// An address attribute that is XORed.
pub(crate) fn xor_address(message: &Message, kind: AttrType) -> Option<SocketAddr> {
    let mut address = XorMappedAddress::default();
    address.get_from_as(message, kind).ok().map(|()| SocketAddr::new(address.ip, address.port))
}
