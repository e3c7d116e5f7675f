//! What went out to a client.

use std::net::SocketAddr;

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Builder, Class, Message, MessageType, Method};
use posthouse_turn::FiveTuple;

/// An answer as it went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) to: FiveTuple,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).expect("the server writes valid messages")
    }

    /// The error code, 0 for success.
    pub(crate) fn code(&self) -> u16 {
        match self.message().class() {
            Class::Success => 0,
            Class::Error => self.message().error_code().unwrap().unwrap().0.0,
            other => panic!("an answer of class {other:?}"),
        }
    }

    pub(crate) fn has(&self, kind: AttributeType) -> bool {
        self.message().attribute(kind).is_some()
    }

    pub(crate) fn relayed(&self) -> SocketAddr {
        self.message().xor_address(AttributeType::XOR_RELAYED_ADDRESS).unwrap().expect("XOR-RELAYED-ADDRESS")
    }

    pub(crate) fn all_relayed(&self) -> Vec<SocketAddr> {
        let id = self.message().transaction_id();
        let raw = self.message().attributes().filter(|a| a.kind == AttributeType::XOR_RELAYED_ADDRESS);
        raw.map(|a| {
            // Read through a message of its own, as the codec's getter gives the first one only.
            let mut buffer = [0; 64];
            let kind = MessageType::new(Method::ALLOCATE, Class::Success);
            let len = Builder::new(&mut buffer, kind, id).attribute(a.kind, a.value).finish().unwrap();
            Message::parse(&buffer[..len]).unwrap().xor_address(a.kind).unwrap().unwrap()
        })
        .collect()
    }

    pub(crate) fn lifetime(&self) -> u32 {
        self.message().lifetime().unwrap().expect("LIFETIME")
    }
}
