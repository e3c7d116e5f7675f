//! A client that speaks correct TURN unless told otherwise.

use std::net::SocketAddr;

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{
    Builder, ChannelData, Class, Integrity, Key, MessageType, Method, PasswordAlgorithm, TransactionId,
};
use posthouse_turn::{AllocationId, Credentials, FiveTuple, Forward, RelayedTransportAddress, Transport};

use crate::answer::Answer;
use crate::world::{REALM, SECRET, START, World, address, channel};

/// How a client proves itself.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub(crate) username: Option<Vec<u8>>,
    pub(crate) userhash: Option<[u8; 32]>,
    pub(crate) realm: Option<Vec<u8>>,
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) algorithms: Option<Vec<u8>>,
    pub(crate) algorithm: Option<PasswordAlgorithm>,
    pub(crate) integrity: Integrity,
    pub(crate) key: Key,
}

pub(crate) struct Client {
    pub(crate) at: FiveTuple,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) nonce: Option<Vec<u8>>,
    /// `Some`: speaks RFC 8489's algorithms.
    pub(crate) algorithm: Option<PasswordAlgorithm>,
    pub(crate) fingerprint: bool,
    transactions: u64,
}

impl Client {
    /// A UDP client of alice's, at 203.0.113.`n`.
    pub(crate) fn new(n: u8) -> Self {
        Self::at(SocketAddr::from(([203, 0, 113, n], 5000)), Transport::Udp)
    }

    pub(crate) fn at(client: SocketAddr, transport: Transport) -> Self {
        let server = if client.is_ipv4() { address("198.51.100.1:3478") } else { address("[2001:db8::1]:3478") };
        Self {
            at: FiveTuple { client, server, transport },
            username: "alice".into(),
            password: "wonderland".into(),
            nonce: None,
            algorithm: None,
            fingerprint: false,
            transactions: 0,
        }
    }

    pub(crate) fn user(mut self, username: &str, password: &str) -> Self {
        (self.username, self.password) = (username.into(), password.into());
        self
    }

    /// A time-limited credential, good for so many seconds after the start.
    pub(crate) fn minted(self, user: &str, seconds: u64) -> Self {
        let minted = Credentials::mint(SECRET, user, START + seconds);
        self.user(&minted.username, &minted.password)
    }

    pub(crate) fn transaction(&mut self) -> TransactionId {
        self.transactions += 1;
        let mut id = [0xc1; 12];
        id[..8].copy_from_slice(&self.transactions.to_be_bytes());
        id[8..10].copy_from_slice(&self.at.client.port().to_be_bytes());
        TransactionId(id)
    }

    pub(crate) fn proof(&self) -> Proof {
        let algorithm = self.algorithm.unwrap_or(PasswordAlgorithm::Md5);
        let (user, password) = (self.username.as_bytes(), self.password.as_bytes());
        Proof {
            username: Some(user.to_vec()),
            userhash: None,
            realm: Some(REALM.into()),
            nonce: self.nonce.clone(),
            algorithms: self.algorithm.map(|_| vec![0, 2, 0, 0, 0, 1, 0, 0]),
            algorithm: self.algorithm,
            integrity: if self.algorithm.is_some() { Integrity::Sha256 } else { Integrity::Sha1 },
            key: Key::derive(algorithm, user, REALM.as_bytes(), password),
        }
    }

    /// Asks for a nonce, as every client's first request does.
    pub(crate) fn greet(&mut self, world: &mut World) {
        let bytes = self.build(Method::ALLOCATE, None, |_| ());
        world.packet(self.at, &bytes);
        let answer = world.answer().expect("a challenge");
        assert_eq!(answer.code(), 401);
        self.nonce = answer.message().nonce().unwrap().map(<[u8]>::to_vec);
    }

    pub(crate) fn build(
        &mut self,
        method: Method,
        proof: Option<&Proof>,
        write: impl FnOnce(&mut Builder<'_>),
    ) -> Vec<u8> {
        let id = self.transaction();
        build(MessageType::new(method, Class::Request), id, proof, self.fingerprint, write)
    }

    /// A signed request of a client that knows its nonce.
    pub(crate) fn signed(
        &mut self,
        world: &mut World,
        method: Method,
        write: impl FnOnce(&mut Builder<'_>),
    ) -> Vec<u8> {
        if self.nonce.is_none() {
            self.greet(world);
        }
        let proof = self.proof();
        self.build(method, Some(&proof), write)
    }

    pub(crate) fn request(
        &mut self,
        world: &mut World,
        method: Method,
        write: impl FnOnce(&mut Builder<'_>),
    ) -> Answer {
        let bytes = self.signed(world, method, write);
        world.packet(self.at, &bytes);
        world.answer().expect("an answer")
    }

    pub(crate) fn code(&mut self, world: &mut World, method: Method, write: impl FnOnce(&mut Builder<'_>)) -> u16 {
        self.request(world, method, write).code()
    }

    pub(crate) fn allocate_with(&mut self, world: &mut World, write: impl FnOnce(&mut Builder<'_>)) -> Answer {
        self.request(world, Method::ALLOCATE, |b| {
            b.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            write(b);
        })
    }

    /// An allocation that must succeed.
    pub(crate) fn allocate(&mut self, world: &mut World) -> AllocationId {
        let answer = self.allocate_with(world, |_| ());
        assert_eq!(answer.code(), 0);
        world.server.relayed(RelayedTransportAddress(answer.relayed())).expect("the allocation just made")
    }

    pub(crate) fn permit(&mut self, world: &mut World, peers: &[SocketAddr]) -> u16 {
        self.code(world, Method::CREATE_PERMISSION, |b| {
            for &peer in peers {
                b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer);
            }
        })
    }

    pub(crate) fn bind(&mut self, world: &mut World, number: u16, peer: SocketAddr) -> u16 {
        self.code(world, Method::CHANNEL_BIND, |b| {
            b.attribute(AttributeType::CHANNEL_NUMBER, &channel_value(number))
                .xor_address(AttributeType::XOR_PEER_ADDRESS, peer);
        })
    }

    pub(crate) fn refresh(&mut self, world: &mut World, lifetime: Option<u32>) -> Answer {
        self.request(world, Method::REFRESH, |b| {
            if let Some(lifetime) = lifetime {
                b.number(AttributeType::LIFETIME, lifetime);
            }
        })
    }

    pub(crate) fn send(&mut self, world: &mut World, peer: SocketAddr, payload: &[u8]) -> Option<Forward> {
        let bytes = self.send_indication(|b| {
            b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer).attribute(AttributeType::DATA, payload);
        });
        let forward = world.packet(self.at, &bytes);
        assert_eq!(world.answers, [], "an indication is never answered");
        if let Some(forward) = &forward {
            assert_eq!(&bytes[forward.payload.clone()], payload);
        }
        forward
    }

    pub(crate) fn send_indication(&mut self, write: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
        let id = self.transaction();
        build(MessageType::new(Method::SEND, Class::Indication), id, None, self.fingerprint, write)
    }

    pub(crate) fn channel_data(&mut self, world: &mut World, number: u16, payload: &[u8]) -> Option<Forward> {
        let bytes = channel_data(number, payload);
        let forward = world.packet(self.at, &bytes);
        assert_eq!(world.answers, []);
        if let Some(forward) = &forward {
            assert_eq!(&bytes[forward.payload.clone()], payload);
        }
        forward
    }
}

pub(crate) fn channel_data(number: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = ChannelData::header(channel(number), payload.len()).unwrap().to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

pub(crate) fn channel_value(number: u16) -> [u8; 4] {
    let [high, low] = number.to_be_bytes();
    [high, low, 0, 0]
}

pub(crate) fn build(
    kind: MessageType,
    id: TransactionId,
    proof: Option<&Proof>,
    fingerprint: bool,
    write: impl FnOnce(&mut Builder<'_>),
) -> Vec<u8> {
    let mut buffer = vec![0; 65_535 + 20];
    let mut builder = Builder::new(&mut buffer, kind, id);
    write(&mut builder);
    if let Some(proof) = proof {
        prove(&mut builder, proof);
    }
    if fingerprint {
        builder.fingerprint();
    }
    let len = builder.finish().unwrap();
    buffer.truncate(len);
    buffer
}

fn prove(builder: &mut Builder<'_>, proof: &Proof) {
    let optional = [
        (AttributeType::USERNAME, proof.username.clone()),
        (AttributeType::USERHASH, proof.userhash.map(Vec::from)),
        (AttributeType::REALM, proof.realm.clone()),
        (AttributeType::NONCE, proof.nonce.clone()),
        (AttributeType::PASSWORD_ALGORITHMS, proof.algorithms.clone()),
        (AttributeType::PASSWORD_ALGORITHM, proof.algorithm.map(|a| a.to_bytes().to_vec())),
    ];
    for (kind, value) in optional {
        if let Some(value) = value {
            builder.attribute(kind, &value);
        }
    }
    builder.integrity(proof.integrity, proof.key.as_bytes());
}
