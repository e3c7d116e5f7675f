//! The yardstick: a forwarder without a rule. What it costs, the kernel costs.
//!
//! It receives ChannelData from a client, sends the payload from that client's relay socket to the client's one peer, and
//! the other way round. No authentication, permissions, lifetimes or counters. Three requests set a flow up, all with
//! a first byte that no TURN message has:
//!
//! ```text
//! 0xff 1                          allocate         -> 0xff 1 port(2) ip(4)
//! 0xff 2 channel(2) ip(4) port(2) bind the peer    -> 0xff 2
//! 0xff 3                          delete           -> 0xff 3
//! ```

mod flows;
mod forward;
mod gather;

use std::net::{Ipv4Addr, SocketAddrV4};

use posthouse_stun::ChannelNumber;

pub use forward::serve;

/// First byte of the requests and answers.
const MARK: u8 = 0xff;

enum Request {
    Allocate,
    Bind { channel: u16, peer: SocketAddrV4 },
    Delete,
}

/// Appends a request for a relay socket.
pub fn write_allocate(bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&[MARK, 1]);
}

/// Appends a request to bind the client's channel to a peer.
pub fn write_bind(channel: ChannelNumber, peer: SocketAddrV4, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&[MARK, 2]);
    bytes.extend_from_slice(&channel.get().to_be_bytes());
    bytes.extend_from_slice(&peer.ip().octets());
    bytes.extend_from_slice(&peer.port().to_be_bytes());
}

/// Appends a request to close the relay socket.
pub fn write_delete(bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&[MARK, 3]);
}

/// Reads an answer: the relayed transport address when it was one to allocate. `None`: not an answer.
#[must_use]
pub fn read_answer(bytes: &[u8]) -> Option<Option<SocketAddrV4>> {
    match *bytes {
        [MARK, 1, p0, p1, a, b, c, d] => {
            Some(Some(SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([p0, p1]))))
        }
        [MARK, 2 | 3] => Some(None),
        _ => None,
    }
}

fn read_request(bytes: &[u8]) -> Option<Request> {
    match *bytes {
        [MARK, 1] => Some(Request::Allocate),
        [MARK, 2, n0, n1, a, b, c, d, p0, p1] => Some(Request::Bind {
            channel: u16::from_be_bytes([n0, n1]),
            peer: SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([p0, p1])),
        }),
        [MARK, 3] => Some(Request::Delete),
        _ => None,
    }
}

fn write_answer(request: &Request, relayed: SocketAddrV4) -> Vec<u8> {
    match request {
        Request::Allocate => {
            let mut bytes = vec![MARK, 1];
            bytes.extend_from_slice(&relayed.port().to_be_bytes());
            bytes.extend_from_slice(&relayed.ip().octets());
            bytes
        }
        Request::Bind { .. } => vec![MARK, 2],
        Request::Delete => vec![MARK, 3],
    }
}
