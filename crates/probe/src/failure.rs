//! Why a call through this server would fail: one sentence each, with what to do.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use stun::message::Method;

/// What stopped the probe.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// This machine would not open the socket.
    #[error(
        "cannot open a UDP socket on {local}: {source}; give this machine an address of that family, or probe another"
    )]
    Socket {
        /// Where it should have been bound.
        local: IpAddr,
        /// The system's answer.
        source: io::Error,
    },

    /// The system refused to send to the server.
    #[error("cannot send to {server}: {source}; look at the route and the firewall of this machine")]
    Unreachable {
        /// TURN server transport address.
        server: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },

    /// Nothing came back.
    #[error(
        "no answer on UDP from {server} in {} s: a firewall drops UDP or the server is not running; \
         open the port for UDP and look at the server's log",
        waited.as_secs_f32()
    )]
    Silent {
        /// TURN server transport address.
        server: SocketAddr,
        /// How long the probe retransmitted.
        waited: Duration,
    },

    /// The host answered that nobody listens.
    #[error("UDP port {} of {} is closed: the server is not running or listens elsewhere; compare with relay.listen", server.port(), server.ip())]
    Closed {
        /// TURN server transport address.
        server: SocketAddr,
    },

    /// An error response.
    #[error("{method}{}: {code}: {}{}", about(*.peer), meaning(*.code), quoted(.reason))]
    Refused {
        /// Which request.
        method: Method,
        /// ERROR-CODE, [RFC 8489 §14.8](https://www.rfc-editor.org/rfc/rfc8489#section-14.8).
        code: u16,
        /// The server's own phrase, often empty.
        reason: String,
        /// The peer that the request was about, if about one.
        peer: Option<SocketAddr>,
    },

    /// The server announced another realm than the target names.
    #[error("the server's realm is {got:?}, expected {expected:?}: this is another server, or auth.realm differs")]
    Realm {
        /// What the target says.
        expected: String,
        /// What the server says.
        got: String,
    },

    /// An answer that must carry a right MESSAGE-INTEGRITY does not.
    #[error(
        "{method}: the answer is not signed with the password: something between here and the server forges or changes answers"
    )]
    Unsigned {
        /// Which request.
        method: Method,
    },

    /// An answer that breaks the RFC.
    #[error(
        "{method}: the answer makes no sense: {what}; this is not a STUN/TURN server, or something on the way changes its packets"
    )]
    Malformed {
        /// Which request.
        method: Method,
        /// Expected, got.
        what: String,
    },

    /// The `turn` crate's client gave up.
    #[error("the independent TURN client gave up while it {doing}: {detail}{}", hint(.detail))]
    Client {
        /// What it was about to do.
        doing: &'static str,
        /// Its own words.
        detail: String,
    },
}

impl Failure {
    /// The ERROR-CODE when the server said no, `None` for every other failure.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Client { detail, .. } => code_in(detail),
            _ => None,
        }
    }
}

/// The `turn` crate reports a refusal only as text: `... (error 403: Forbidden)`.
fn code_in(detail: &str) -> Option<u16> {
    let (_, after) = detail.split_once("(error ")?;
    after.get(..3)?.parse().ok()
}

/// What a code means to an operator. RFC 8656 §19 and RFC 8489 §14.8 name them.
fn meaning(code: u16) -> &'static str {
    match code {
        300 => "the server sends clients elsewhere; probe the server that it names",
        400 => "the server could not make sense of the request; its log says why",
        401 => "the username or password is wrong or expired; mint a new credential and compare secret, user and realm",
        403 => "peer refused by policy; if it must be reached, name it in relay.allow_peers",
        420 => "the server does not know an attribute that the request needs; upgrade it",
        437 => "the allocation is gone or this address has one already; allocate anew from another port",
        438 => "the nonce went stale twice in a row; compare the clocks and look for a NAT that changes ports",
        440 => "the server relays no addresses of that family; name one in relay.relay_addresses",
        441 => "the allocation belongs to another user; use the credential that made it",
        442 => "the server does not relay that transport; ask for UDP",
        443 => "the peer's address family is not the allocation's; allocate in the peer's family",
        486 => "this user has all the allocations it may have; free one or raise limits.allocations_per_user",
        500 => "the server failed inside; its log says why, try again",
        508 => "the server has no port or memory left; widen relay.ports or wait for allocations to end",
        _ => "the server refused",
    }
}

fn hint(detail: &str) -> String {
    code_in(detail).map_or_else(String::new, |code| format!("; {code} means: {}", meaning(code)))
}

fn about(peer: Option<SocketAddr>) -> String {
    peer.map_or_else(String::new, |peer| format!(" for {peer}"))
}

fn quoted(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" (the server says {reason:?})") }
}

#[cfg(test)]
mod tests {
    use stun::message::{METHOD_ALLOCATE, METHOD_CREATE_PERMISSION};

    use super::*;

    fn refused(method: Method, code: u16, peer: Option<&str>) -> Failure {
        Failure::Refused { method, code, reason: String::new(), peer: peer.map(|peer| peer.parse().unwrap()) }
    }

    #[test]
    fn wrong_credentials_and_a_refused_peer_read_differently() {
        let wrong = refused(METHOD_ALLOCATE, 401, None);
        assert_eq!(wrong.code(), Some(401));
        assert!(
            wrong.to_string().starts_with("Allocate: 401: the username or password is wrong or expired"),
            "{wrong}"
        );

        let denied = refused(METHOD_CREATE_PERMISSION, 403, Some("10.0.0.1:9"));
        assert_eq!(denied.code(), Some(403));
        assert!(
            denied.to_string().starts_with("CreatePermission for 10.0.0.1:9: 403: peer refused by policy"),
            "{denied}"
        );
    }

    #[test]
    fn silence_names_the_server_the_wait_and_the_two_usual_reasons() {
        let silent = Failure::Silent { server: "192.0.2.1:3478".parse().unwrap(), waited: Duration::from_secs(3) };
        assert!(
            silent.to_string().starts_with(
                "no answer on UDP from 192.0.2.1:3478 in 3 s: a firewall drops UDP or the server is not running"
            ),
            "{silent}"
        );
        assert_eq!(silent.code(), None);
    }

    #[test]
    fn the_code_is_found_in_the_words_of_the_turn_crate() {
        let failure = Failure::Client { doing: "sent", detail: "CreatePermission error response (error 403: )".into() };
        assert_eq!(failure.code(), Some(403));
        assert!(failure.to_string().contains("peer refused by policy"), "{failure}");
        assert_eq!(code_in("no code here"), None);
        assert_eq!(code_in("(error 4"), None);
    }
}
