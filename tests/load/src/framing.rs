//! [`Framing`]: what a payload travels in between a client and the server, or between a peer and the server.

use std::net::{SocketAddr, SocketAddrV4};

use posthouse_stun::{AttributeType, Builder, ChannelData, Class, Message, MessageType, Method, TransactionId};

use crate::dialogue::channel;

/// What a payload travels in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Nothing: as peers send and receive.
    Bare,
    /// ChannelData.
    Channel,
    /// Send and Data indications.
    Indication,
}

/// Why what came carries no payload of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// For another channel, or from another peer.
    Misdelivered,
    /// An answer that came late, or nothing that we know.
    Stray,
    /// Neither message nor frame.
    Corrupt,
}

/// The bytes before a payload.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    bytes: [u8; 64],
    len: usize,
}

impl Header {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Framing {
    /// What stands before a payload of `len` bytes for `peer`; `len` is a multiple of 4 for an indication, which would
    /// need padding otherwise.
    #[must_use]
    pub fn header(self, peer: SocketAddrV4, len: usize) -> Header {
        let mut header = Header { bytes: [0; 64], len: 0 };
        match self {
            Self::Bare => {}
            Self::Channel => {
                let bytes = ChannelData::header(channel(), len).expect("a short payload");
                header.bytes[..bytes.len()].copy_from_slice(&bytes);
                header.len = bytes.len();
            }
            Self::Indication => {
                let kind = MessageType::new(Method::SEND, Class::Indication);
                let mut builder = Builder::new(&mut header.bytes, kind, TransactionId(*b"load-sending"));
                builder.xor_address(AttributeType::XOR_PEER_ADDRESS, SocketAddr::V4(peer)).data_header(len);
                header.len = builder.finish_before_data(len).expect("a header has 36 bytes");
            }
        }
        header
    }

    /// The payload of what came from a server, `peer` being who sent it there.
    ///
    /// # Errors
    /// What else it is.
    pub fn payload(self, bytes: &[u8], peer: SocketAddrV4) -> Result<&[u8], Unreadable> {
        match self {
            Self::Bare => Ok(bytes),
            Self::Channel => match ChannelData::parse(bytes) {
                Ok(data) if data.number != channel() => Err(Unreadable::Misdelivered),
                Ok(data) => Ok(&bytes[data.payload()]),
                Err(_) if bytes.first().is_some_and(|&first| first < 4) => Err(Unreadable::Stray),
                Err(_) => Err(Unreadable::Corrupt),
            },
            Self::Indication => {
                let message = Message::parse(bytes).map_err(|_| Unreadable::Corrupt)?;
                if message.method() != Method::DATA || message.class() != Class::Indication {
                    return Err(Unreadable::Stray);
                }
                match message.xor_address(AttributeType::XOR_PEER_ADDRESS) {
                    Ok(Some(from)) if from == SocketAddr::V4(peer) => {}
                    _ => return Err(Unreadable::Misdelivered),
                }
                message.data().ok_or(Unreadable::Corrupt)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: SocketAddrV4 = SocketAddrV4::new(std::net::Ipv4Addr::new(127, 2, 0, 1), 9);

    /// Written by a client, read by a client: as if the server had only turned Send into Data.
    fn returned(framing: Framing) -> Vec<u8> {
        let mut bytes = framing.header(PEER, 8).as_bytes().to_vec();
        bytes.extend_from_slice(b"payload!");
        if framing == Framing::Indication {
            bytes[1] = 0x17;
        }
        bytes
    }

    #[test]
    fn a_payload_is_found_again_in_each_framing() {
        for framing in [Framing::Bare, Framing::Channel, Framing::Indication] {
            assert_eq!(framing.payload(&returned(framing), PEER), Ok(&b"payload!"[..]), "{framing:?}");
        }
    }

    #[test]
    fn an_indication_from_another_peer_is_misdelivered_and_a_cut_one_corrupt() {
        let bytes = returned(Framing::Indication);
        let other = SocketAddrV4::new(*PEER.ip(), 10);
        assert_eq!(Framing::Indication.payload(&bytes, other), Err(Unreadable::Misdelivered));
        assert_eq!(Framing::Indication.payload(&bytes[..40], PEER), Err(Unreadable::Corrupt));
        assert_eq!(Framing::Channel.payload(&bytes, PEER), Err(Unreadable::Stray));
    }
}
