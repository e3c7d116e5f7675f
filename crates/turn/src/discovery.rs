//! [`Discovery`]: the four transport addresses of NAT behaviour discovery (RFC 5780).

use std::net::{IpAddr, SocketAddr};

use posthouse_stun::Message;
use posthouse_stun::attribute::AttributeType;

use crate::refusal::BadRequest;
use crate::{FiveTuple, Refusal};

/// Two addresses of one family and two ports, with a UDP listener at each of the four combinations.
///
/// A client learns the behaviour of its NAT by asking that the answer come from another of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discovery {
    /// The first address and the first port, as they are bound.
    pub primary: SocketAddr,
    /// The second address and the second port, both different from the first.
    pub alternate: SocketAddr,
    /// Behind 1:1 NAT: what clients see in place of the first and the second address.
    pub external: Option<[IpAddr; 2]>,
}

/// How one Binding request is to be answered (RFC 5780 §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe {
    /// RESPONSE-PORT at the client, the address to answer from at the server.
    pub(crate) to: FiveTuple,
    /// RESPONSE-ORIGIN, as the client sees it.
    pub(crate) origin: SocketAddr,
    /// OTHER-ADDRESS, as the client sees it.
    pub(crate) other: SocketAddr,
    /// Length of the request's PADDING, if it has one.
    pub(crate) padding: Option<usize>,
}

impl Discovery {
    /// Whether `at` is one of the four.
    pub(crate) fn is_at(&self, at: SocketAddr) -> bool {
        [self.primary.ip(), self.alternate.ip()].contains(&at.ip())
            && [self.primary.port(), self.alternate.port()].contains(&at.port())
    }

    /// Reads what the request asks for. `from.server` must be one of the four.
    ///
    /// ```text
    /// CHANGE-REQUEST   answered from
    /// none             the address and port the request came to
    /// IP               the other address, the same port
    /// port             the same address, the other port
    /// IP and port      both other: this is OTHER-ADDRESS, whatever was asked
    /// ```
    pub(crate) fn probe(&self, message: &Message<'_>, from: FiveTuple) -> Result<Probe, Refusal> {
        let (change_ip, change_port) = message.change_request()?.unwrap_or_default();
        let response_port = message.response_port()?;
        let padding = message.attribute(AttributeType::PADDING).map(<[u8]>::len);
        let (one, other) = (AttributeType::RESPONSE_PORT, AttributeType::PADDING);
        match response_port {
            Some(0) => return Err(Refusal::malformed(one)),
            // "The server MUST return an error response of type 400": big answers to chosen ports are for nobody.
            Some(_) if padding.is_some() => return Err(Refusal::BadRequest(BadRequest::Contradiction(one, other))),
            _ => {}
        }
        let server = self.other(from.server, change_ip, change_port);
        let client = SocketAddr::new(from.client.ip(), response_port.unwrap_or(from.client.port()));
        Ok(Probe {
            to: FiveTuple { client, server, ..from },
            origin: self.seen(server),
            other: self.seen(self.other(from.server, true, true)),
            padding,
        })
    }

    fn other(&self, at: SocketAddr, change_ip: bool, change_port: bool) -> SocketAddr {
        let ip = if (at.ip() == self.primary.ip()) == change_ip { self.alternate.ip() } else { self.primary.ip() };
        let first_port = at.port() == self.primary.port();
        let port = if first_port == change_port { self.alternate.port() } else { self.primary.port() };
        SocketAddr::new(ip, port)
    }

    fn seen(&self, bound: SocketAddr) -> SocketAddr {
        let Some([primary, alternate]) = self.external else { return bound };
        SocketAddr::new(if bound.ip() == self.primary.ip() { primary } else { alternate }, bound.port())
    }
}
