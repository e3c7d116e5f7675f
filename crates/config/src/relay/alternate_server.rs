//! ALTERNATE-SERVER and ALTERNATE-DOMAIN (RFC 8489 §10): where clients are sent instead.

use std::net::SocketAddr;

use super::Relay;
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::value::{Parsed, address, quoted};

const SERVER: &str = "relay.alternate_server";
const DOMAIN: &str = "relay.alternate_domain";

/// What ALTERNATE-DOMAIN may hold (RFC 8489 §14.16).
const LONGEST_NAME: usize = 255;

/// An address and a port of another machine.
pub(super) fn server(text: &str) -> Parsed<SocketAddr> {
    let server = address::listener(text)?;
    if server.ip().is_unspecified() {
        let found = format!("the wildcard {}", quoted(text));
        return Err(Complaint::wrong(
            "the address of another server",
            found,
            "write the address that clients reach it by",
        ));
    }
    Ok(server)
}

/// A host name; empty is none.
pub(super) fn domain(text: &str) -> Parsed<Option<String>> {
    if text.is_empty() {
        return Ok(None);
    }
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if text.len() <= LONGEST_NAME && text.split('.').all(label) {
        return Ok(Some(text.to_owned()));
    }
    let expected = "a host name of at most 255 letters, digits, hyphens and dots";
    Err(Complaint::wrong(
        expected,
        quoted(text),
        "write the name in that server's certificate, like \"turn2.example.org\"",
    ))
}

/// Complains about a server that is this one and about a second one of a family; doubts a name without a server.
pub(super) fn check(reading: &mut Reading<'_>, relay: &Relay) {
    let servers = &relay.alternate_server;
    for (index, server) in servers.iter().enumerate() {
        let path = format!("{SERVER}[{index}]");
        if servers[..index].iter().any(|other| other.is_ipv4() == server.is_ipv4()) {
            let expected = "at most one alternate server of each family";
            reading.complain(&path, Complaint::wrong(expected, format!("{server} as well"), "remove one of them"));
        } else if relay.is_at(*server) {
            let found = format!("{server}, where this one listens");
            let write = "remove it: clients would be sent in a circle";
            reading.complain(&path, Complaint::wrong("the address of another server", found, write));
        }
    }
    if servers.is_empty() && relay.alternate_domain.is_some() && reading.is_sound(&[SERVER]) {
        let about = "without alternate_server nobody is sent there";
        reading.warn(DOMAIN, Complaint::doubt(about, "write alternate_server, or remove this line"));
    }
}

impl Relay {
    /// Whether clients reach this very server at `address`.
    pub(crate) fn is_at(&self, address: SocketAddr) -> bool {
        let is_seen = |local| [local, self.seen_as(local)].contains(&address.ip());
        self.udp_listeners().iter().chain(&self.tls_listen).filter(|l| l.port() == address.port()).any(|listener| {
            is_seen(listener.ip())
                || (listener.ip().is_unspecified() && self.relay_addresses.iter().any(|&local| is_seen(local)))
        })
    }
}
