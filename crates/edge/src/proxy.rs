//! The PROXY protocol: who a connection is from, told by the proxy in front.
//!
//! Both versions of the specification (`proxy-protocol.txt` of HAProxy, 2020). Bytes in, a verdict out; who may send
//! such a header is decided elsewhere.

mod v1;
mod v2;

use std::net::SocketAddr;

/// Longest header in bytes. The specification asks for 216; certificates' names in TLVs need more.
pub(crate) const LONGEST: usize = 2048;

/// What the first bytes of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// Something else: no byte belongs to a header.
    Absent,
    /// All bytes belong to a header, and more of it must come.
    Incomplete,
    /// It began as a header and broke its rules.
    Malformed,
    /// A header of `length` bytes.
    Header {
        /// Bytes up to what the client itself sent.
        length: usize,
        /// Source and destination; `None`: those of the connection itself (a health check of the proxy, or a family
        /// that is not IP).
        told: Option<(SocketAddr, SocketAddr)>,
    },
}

/// Whether a stream with this first byte may have a header.
pub(crate) fn may_begin_with(first: u8) -> bool {
    matches!(first, b'P' | b'\r')
}

/// Reads the header at the beginning of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    match bytes.first() {
        None => Parsed::Incomplete,
        Some(b'P') => v1::parse(bytes),
        Some(b'\r') => v2::parse(bytes),
        Some(_) => Parsed::Absent,
    }
}

/// `Absent` when `bytes` leave `signature`, `Incomplete` while they are a part of it, `None` once it is whole.
fn signed(bytes: &[u8], signature: &[u8]) -> Option<Parsed> {
    let common = bytes.len().min(signature.len());
    if bytes[..common] != signature[..common] {
        Some(Parsed::Absent)
    } else {
        (common < signature.len()).then_some(Parsed::Incomplete)
    }
}

/// The pair in one form: `::ffff:192.0.2.1` is 192.0.2.1. Both ends must be of one family.
fn canonical(source: SocketAddr, destination: SocketAddr) -> Option<(SocketAddr, SocketAddr)> {
    let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let (source, destination) = (plain(source), plain(destination));
    (source.is_ipv4() == destination.is_ipv4()).then_some((source, destination))
}
