//! A client that looks at single messages, on the codec of other people (crate `stun`).

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use stun::addr::MappedAddress;
use stun::agent::TransactionId;
use stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME, ATTR_XOR_PEER_ADDRESS, AttrType};
use stun::error_code::ErrorCodeAttribute;
use stun::integrity::MessageIntegrity;
use stun::message::{CLASS_INDICATION, CLASS_REQUEST, Getter, Message, MessageType, Method, Setter};
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

pub(crate) struct StunClient {
    pub(crate) socket: UdpSocket,
    pub(crate) server: SocketAddr,
    user: (String, String),
    /// REALM and NONCE of the last challenge.
    challenge: Option<(String, String)>,
}

impl StunClient {
    /// A socket at `own`, any port; with a time-limited credential for those requests that need one.
    pub(crate) fn at(own: IpAddr, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((own, 0)).expect("an address of this machine");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { socket, server, user: time_limited(SECRET, "alice", now() + 3600), challenge: None }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.socket.local_addr().expect("bound")
    }

    /// An authenticated request and its answer, whatever it is, once the challenge is met.
    pub(crate) fn request(&mut self, method: Method, attributes: &[&dyn Setter]) -> Message {
        loop {
            let request = self.write(MessageType::new(method, CLASS_REQUEST), attributes, self.challenge.as_ref());
            self.send(&request);
            let answer = self.receive().0;
            assert_eq!(answer.transaction_id, request.transaction_id);
            if self.challenge.is_some() || error_code(&answer) != Some(401) {
                return answer;
            }
            let text = |kind| TextAttribute::get_from_as(&answer, kind).expect("a challenge").text;
            self.challenge = Some((text(ATTR_REALM), text(ATTR_NONCE)));
        }
    }

    /// A request without a credential; its answer is whatever comes, wherever from.
    pub(crate) fn ask(&self, method: Method, attributes: &[&dyn Setter]) -> (Message, SocketAddr) {
        let request = self.write(MessageType::new(method, CLASS_REQUEST), attributes, None);
        self.send(&request);
        let (answer, from) = self.receive();
        assert_eq!(answer.transaction_id, request.transaction_id);
        (answer, from)
    }

    pub(crate) fn indicate(&self, method: Method, attributes: &[&dyn Setter]) {
        self.send(&self.write(MessageType::new(method, CLASS_INDICATION), attributes, None));
    }

    pub(crate) fn send(&self, message: &Message) {
        self.socket.send_to(&message.raw, self.server).expect("sent");
    }

    /// The next message and who sent it.
    pub(crate) fn receive(&self) -> (Message, SocketAddr) {
        receive(&self.socket)
    }

    pub(crate) fn write(
        &self,
        kind: MessageType,
        attributes: &[&dyn Setter],
        signed: Option<&(String, String)>,
    ) -> Message {
        let mut message = Message::new();
        message.build(&[Box::new(TransactionId::new()), Box::new(kind)]).expect("a header");
        for attribute in attributes {
            attribute.add_to(&mut message).expect("an attribute");
        }
        if let Some((realm, nonce)) = signed {
            let (username, password) = &self.user;
            for (kind, text) in [(ATTR_USERNAME, username), (ATTR_REALM, realm), (ATTR_NONCE, nonce)] {
                message.add(kind, text.as_bytes());
            }
            let key = MessageIntegrity::new_long_term_integrity(username.clone(), realm.clone(), password.clone());
            key.add_to(&mut message).expect("a signature");
        }
        message
    }
}

/// The next message at a socket and who sent it.
pub(crate) fn receive(socket: &UdpSocket) -> (Message, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (len, from) = socket.recv_from(&mut buffer).expect("a message comes");
    let mut message = Message::new();
    message.unmarshal_binary(&buffer[..len]).expect("a whole message");
    (message, from)
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
