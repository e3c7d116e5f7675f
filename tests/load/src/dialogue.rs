//! [`Dialogue`]: one client's requests, step by step, as bytes in and bytes out.
//!
//! TURN (RFC 8656): Allocate, refused with 401; Allocate with credentials; CreatePermission; ChannelBind; at the end
//! Refresh with lifetime 0. The bare forwarder understands three requests of its own instead ([`crate::bare`]).

use std::net::{SocketAddr, SocketAddrV4};

use posthouse_stun::{
    AttributeType, Builder, ChannelNumber, Class, ErrorCode, Integrity, Key, Message, MessageType, Method,
    TransactionId,
};

use crate::bare;

/// How to talk to a server.
#[derive(Debug, Clone)]
pub enum Dialect {
    /// TURN with long-term credentials.
    Turn(Credentials),
    /// The yardstick.
    Bare,
}

/// A user of the server; realm and key become known with its first 401.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// USERNAME.
    pub username: String,
    /// The password.
    pub password: String,
    realm: Vec<u8>,
    key: Option<Key>,
}

impl Credentials {
    /// A user who has not met the server.
    #[must_use]
    pub fn new(username: &str, password: &str) -> Self {
        Self { username: username.into(), password: password.into(), realm: Vec::new(), key: None }
    }

    fn learn(&mut self, realm: &[u8]) {
        if self.key.is_none() || self.realm != realm {
            self.realm = realm.to_vec();
            self.key = Some(Key::md5(self.username.as_bytes(), realm, self.password.as_bytes()));
        }
    }
}

/// How far a dialogue shall go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// A relayed transport address.
    Allocated,
    /// A permission for the peer as well.
    Permitted,
    /// A permission and a channel to the peer as well.
    Bound,
    /// Nothing any more.
    Deleted,
}

/// What an answer led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Send the next request.
    Ask,
    /// The goal is reached.
    Reached,
    /// Not the answer to the request that waits.
    Ignored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    Allocate,
    CreatePermission,
    ChannelBind,
    Delete,
}

/// One client of the server.
#[derive(Debug, Clone)]
pub struct Dialogue {
    flow: u32,
    request: Request,
    /// Counts requests: part of the transaction ID.
    count: u32,
    nonce: Vec<u8>,
    /// The relayed transport address, once allocated.
    pub relayed: Option<SocketAddrV4>,
    /// The peer of permission and channel: set before [`Goal::Bound`].
    pub peer: Option<SocketAddrV4>,
}

/// One channel is enough for an allocation with one peer.
#[must_use]
pub fn channel() -> ChannelNumber {
    ChannelNumber::new(0x4001).expect("0x4001 is a channel number")
}

impl Dialogue {
    /// A client without an allocation.
    #[must_use]
    pub fn new(flow: usize) -> Self {
        Self { flow: flow as u32, request: Request::Allocate, count: 0, nonce: Vec::new(), relayed: None, peer: None }
    }

    /// Turns to a goal: the first request on the way waits to be written.
    pub fn aim(&mut self, goal: Goal) {
        self.count += 1;
        self.request = match (goal, self.relayed) {
            (Goal::Deleted, _) => Request::Delete,
            (Goal::Permitted | Goal::Bound, Some(_)) => Request::CreatePermission,
            _ => Request::Allocate,
        };
    }

    /// Appends the request that waits; the same bytes again until it is answered.
    ///
    /// # Panics
    /// A channel is to be bound and no peer is set.
    pub fn write(&self, dialect: &Dialect, bytes: &mut Vec<u8>) {
        match dialect {
            Dialect::Turn(credentials) => self.write_turn(credentials, bytes),
            Dialect::Bare => match self.request {
                Request::Allocate => bare::write_allocate(bytes),
                Request::CreatePermission | Request::ChannelBind => {
                    bare::write_bind(channel(), self.peer.expect("a peer is set before it is bound"), bytes);
                }
                Request::Delete => bare::write_delete(bytes),
            },
        }
    }

    /// Takes what the server sent.
    ///
    /// # Errors
    /// The server said no, or something unreadable: the words for the report.
    pub fn answer(&mut self, dialect: &mut Dialect, goal: Goal, bytes: &[u8]) -> Result<Progress, String> {
        match dialect {
            Dialect::Turn(credentials) => self.answer_turn(credentials, goal, bytes),
            Dialect::Bare => {
                if let Some(relayed) = bare::read_answer(bytes).ok_or("the bare forwarder refused")? {
                    self.relayed = Some(relayed);
                }
                // The bare forwarder has no permissions: its one answer stands for both requests.
                if self.request == Request::CreatePermission {
                    self.request = Request::ChannelBind;
                }
                Ok(self.advance(goal))
            }
        }
    }

    fn write_turn(&self, credentials: &Credentials, bytes: &mut Vec<u8>) {
        let mut buffer = [0; 1024];
        let (method, class) = (self.method(), Class::Request);
        let mut builder = Builder::new(&mut buffer, MessageType::new(method, class), self.transaction_id());
        match self.request {
            // 17 is UDP (RFC 8656 §18.8), followed by three reserved bytes.
            Request::Allocate => _ = builder.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]),
            Request::CreatePermission => self.write_peer(&mut builder),
            Request::ChannelBind => {
                let [high, low] = channel().get().to_be_bytes();
                builder.attribute(AttributeType::CHANNEL_NUMBER, &[high, low, 0, 0]);
                self.write_peer(&mut builder);
            }
            Request::Delete => _ = builder.number(AttributeType::LIFETIME, 0),
        }
        if let Some(key) = credentials.key.as_ref().filter(|_| !self.nonce.is_empty()) {
            builder
                .attribute(AttributeType::USERNAME, credentials.username.as_bytes())
                .attribute(AttributeType::REALM, &credentials.realm)
                .attribute(AttributeType::NONCE, &self.nonce)
                .integrity(Integrity::Sha1, key.as_bytes());
        }
        let len = builder.finish().expect("a request has room in a kilobyte");
        bytes.extend_from_slice(&buffer[..len]);
    }

    fn write_peer(&self, builder: &mut Builder<'_>) {
        let peer = self.peer.expect("a peer is set before it is bound");
        builder.xor_address(AttributeType::XOR_PEER_ADDRESS, SocketAddr::V4(peer));
    }

    fn answer_turn(&mut self, credentials: &mut Credentials, goal: Goal, bytes: &[u8]) -> Result<Progress, String> {
        let message = Message::parse(bytes).map_err(|e| format!("unreadable answer: {e}"))?;
        if message.transaction_id() != self.transaction_id() || message.method() != self.method() {
            return Ok(Progress::Ignored);
        }
        match message.class() {
            Class::Success => self.succeed(credentials, goal, &message),
            Class::Error => self.authenticate(credentials, &message),
            Class::Request | Class::Indication => Ok(Progress::Ignored),
        }
    }

    fn succeed(&mut self, credentials: &Credentials, goal: Goal, message: &Message<'_>) -> Result<Progress, String> {
        let key = credentials.key.as_ref().ok_or("allocated without credentials: the server is open to everybody")?;
        if !message.verify_integrity(Integrity::Sha1, key.as_bytes()) {
            return Err(format!("{:?}: success without a sound MESSAGE-INTEGRITY", self.request));
        }
        if self.request == Request::Allocate {
            match message.xor_address(AttributeType::XOR_RELAYED_ADDRESS) {
                Ok(Some(SocketAddr::V4(relayed))) => self.relayed = Some(relayed),
                other => return Err(format!("Allocate: expected an IPv4 XOR-RELAYED-ADDRESS, got {other:?}")),
            }
        }
        Ok(self.advance(goal))
    }

    /// 401 once, and 438 whenever a nonce has aged: the same request again, with what the server named.
    fn authenticate(&mut self, credentials: &mut Credentials, message: &Message<'_>) -> Result<Progress, String> {
        let code = message.error_code().ok().flatten().map(|(code, _)| code);
        let fresh = code == Some(ErrorCode::UNAUTHENTICATED) && self.nonce.is_empty();
        if !fresh && code != Some(ErrorCode::STALE_NONCE) {
            let code = code.map_or_else(|| "an error without a code".into(), |code| code.0.to_string());
            return Err(format!("{:?}: the server answered {code}", self.request));
        }
        let (Ok(Some(realm)), Ok(Some(nonce))) = (message.realm(), message.nonce()) else {
            return Err(format!("{:?}: a 401 or 438 without REALM and NONCE", self.request));
        };
        credentials.learn(realm);
        self.nonce = nonce.to_vec();
        self.count += 1;
        Ok(Progress::Ask)
    }

    fn advance(&mut self, goal: Goal) -> Progress {
        self.request = match (self.request, goal) {
            (Request::Allocate, Goal::Permitted | Goal::Bound) => Request::CreatePermission,
            (Request::CreatePermission, Goal::Bound) => Request::ChannelBind,
            (Request::Delete, _) => {
                self.relayed = None;
                return Progress::Reached;
            }
            _ => return Progress::Reached,
        };
        self.count += 1;
        Progress::Ask
    }

    fn method(&self) -> Method {
        match self.request {
            Request::Allocate => Method::ALLOCATE,
            Request::CreatePermission => Method::CREATE_PERMISSION,
            Request::ChannelBind => Method::CHANNEL_BIND,
            Request::Delete => Method::REFRESH,
        }
    }

    /// Unique per flow and request, which is all that a load generator on its own socket needs.
    fn transaction_id(&self) -> TransactionId {
        let mut id = *b"load--------";
        id[4..8].copy_from_slice(&self.flow.to_be_bytes());
        id[8..].copy_from_slice(&self.count.to_be_bytes());
        TransactionId(id)
    }
}
