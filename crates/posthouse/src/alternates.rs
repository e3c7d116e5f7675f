//! The second address (RFC 5780) and the other server (RFC 8489 §10) as the state machine takes them.

use std::net::SocketAddr;

use posthouse_config::Relay;
use posthouse_turn::{Alternate, Discovery};

/// One entry for each family with a second address, as clients see it behind 1:1 NAT.
pub(crate) fn discovery(relay: &Relay) -> Vec<Discovery> {
    let of = |found: posthouse_config::Discovery| {
        let posthouse_config::Discovery { primary, alternate } = found;
        let bound = [primary.ip(), alternate.ip()];
        let seen = bound.map(|ip| relay.seen_as(ip));
        Discovery { primary, alternate, external: (seen != bound).then_some(seen) }
    };
    relay.discovery().into_iter().map(of).collect()
}

/// Where clients are sent, if anywhere.
pub(crate) fn server(relay: &Relay) -> Option<Alternate> {
    let mut alternate = Alternate { domain: relay.alternate_domain.clone(), ..Alternate::default() };
    for server in &relay.alternate_server {
        match *server {
            SocketAddr::V4(server) => alternate.v4 = Some(server),
            SocketAddr::V6(server) => alternate.v6 = Some(server),
        }
    }
    (!relay.alternate_server.is_empty()).then_some(alternate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(lines: &str) -> Relay {
        posthouse_config::parse(&format!("[relay]\n{lines}"), "test").unwrap().config.relay
    }

    #[test]
    fn clients_behind_one_to_one_nat_are_told_public_addresses() {
        let lines = "listen = [\"10.0.0.5:3478\"]\nalternate_addresses = [\"10.0.0.6\"]\n";
        assert_eq!(discovery(&relay(lines))[0].external, None);
        let nat = format!("{lines}external_addresses = [\"203.0.113.10\", \"203.0.113.11/10.0.0.6\"]");
        let seen = ["203.0.113.10", "203.0.113.11"].map(|ip| ip.parse().unwrap());
        assert_eq!(discovery(&relay(&nat))[0].external, Some(seen));
    }

    #[test]
    fn each_family_has_its_server() {
        let lines = "listen = [\"10.0.0.5:3478\"]\n";
        assert_eq!(server(&relay(lines)), None);
        let six = server(&relay(&format!("{lines}alternate_server = [\"[2001:db8::20]:3478\"]"))).unwrap();
        assert_eq!((six.v4, six.v6), (None, Some("[2001:db8::20]:3478".parse().unwrap())));
    }
}
