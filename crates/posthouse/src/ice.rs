//! ICE servers for clients: the relay's addresses as URLs (RFC 7064, RFC 7065) and time-limited credentials.

use std::net::SocketAddr;
use std::time::Duration;

use posthouse_config::{Config, Relay, Secret};
use posthouse_relay::now;
use posthouse_turn::{Credentials, Minted};

/// What clients put into `urls`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IceUrls {
    /// `stun:HOST:PORT`
    pub(crate) stun: Vec<String>,
    /// `turn:HOST:PORT?transport=udp`, then the same over TCP, then `turns:NAME:PORT?transport=tcp`
    pub(crate) turn: Vec<String>,
}

impl IceUrls {
    /// One of each for every listener, as clients reach it: behind 1:1 NAT by the public address, and a wildcard
    /// listener by every relay address of its family.
    ///
    /// TLS is offered by the name that the pages have too: a certificate is for a name, and browsers check it.
    pub(crate) fn of(config: &Config) -> Self {
        let relay = &config.relay;
        let hosts = all_reachable(relay, relay.listen.iter());
        let origin = config.origin().filter(|origin| origin.starts_with("https://"));
        let name = origin.as_deref().and_then(host_of);
        let secure = all_reachable(relay, relay.tls_listen.iter().chain(&config.edge.listen));
        let mut turns: Vec<String> = secure
            .iter()
            .map(|at| match name {
                Some(name) => format!("turns:{name}:{}?transport=tcp", at.port()),
                None => format!("turns:{at}?transport=tcp"),
            })
            .collect();
        turns.dedup();
        let udp = hosts.iter().map(|host| format!("turn:{host}?transport=udp"));
        let tcp = hosts.iter().map(|host| format!("turn:{host}?transport=tcp"));
        Self {
            stun: hosts.iter().map(|host| format!("stun:{host}")).collect(),
            turn: udp.chain(tcp).chain(turns).collect(),
        }
    }

    /// The listeners as this machine itself reaches them: 1:1 NAT is outside of it.
    pub(crate) fn reachable_here(relay: &Relay) -> Vec<SocketAddr> {
        relay.listen.iter().flat_map(|listen| local(relay, *listen)).collect()
    }
}

/// The host of `https://HOST[:PORT]`, brackets of IPv6 included.
fn host_of(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1;
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => Some(host),
        _ => Some(authority),
    }
}

fn all_reachable<'c>(relay: &Relay, listeners: impl Iterator<Item = &'c SocketAddr>) -> Vec<SocketAddr> {
    let mut hosts: Vec<SocketAddr> = listeners.flat_map(|listen| reachable(relay, *listen)).collect();
    hosts.dedup();
    hosts
}

/// The addresses under which clients reach a listener.
fn reachable(relay: &Relay, listen: SocketAddr) -> impl Iterator<Item = SocketAddr> {
    local(relay, listen).into_iter().map(|at| SocketAddr::new(relay.seen_as(at.ip()), at.port()))
}

/// The addresses of this machine that a listener stands for.
fn local(relay: &Relay, listen: SocketAddr) -> Vec<SocketAddr> {
    if !listen.ip().is_unspecified() {
        return vec![listen];
    }
    let family = relay.relay_addresses.iter().filter(|ip| ip.is_ipv4() == listen.is_ipv4());
    family.map(|ip| SocketAddr::new(*ip, listen.port())).collect()
}

/// Makes time-limited credentials with the first secret.
#[derive(Clone)]
pub(crate) struct Mint {
    secret: Secret,
    lifetime: Duration,
}

impl Mint {
    /// `lifetime` is how long each credential is good for.
    pub(crate) fn new(secret: Secret, lifetime: Duration) -> Self {
        Self { secret, lifetime }
    }

    /// A credential for `user`, good from now for [`Mint::lifetime`].
    pub(crate) fn credential(&self, user: &str) -> Minted {
        Credentials::mint(self.secret.expose().as_bytes(), user, now().unix + self.lifetime.as_secs())
    }

    /// How long a new credential is good for.
    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(toml: &str) -> Config {
        posthouse_config::parse(&format!("[relay]\n{toml}"), "test").unwrap().config
    }

    #[test]
    fn a_client_is_told_the_address_it_can_reach() {
        let direct =
            relay("listen = [\"203.0.113.10:3478\", \"[2001:db8::1]:3478\"]\nrelay_addresses = [\"203.0.113.10\"]");
        let urls = IceUrls::of(&direct);
        assert_eq!(urls.stun, ["stun:203.0.113.10:3478", "stun:[2001:db8::1]:3478"]);
        assert_eq!(urls.turn[0], "turn:203.0.113.10:3478?transport=udp");
    }

    #[test]
    fn behind_one_to_one_nat_the_public_address_is_told() {
        let nat = relay(
            "listen = [\"10.0.0.5:3478\"]\nrelay_addresses = [\"10.0.0.5\"]\nexternal_addresses = [\"203.0.113.10/10.0.0.5\"]",
        );
        assert_eq!(
            IceUrls::of(&nat).turn,
            ["turn:203.0.113.10:3478?transport=udp", "turn:203.0.113.10:3478?transport=tcp"]
        );
    }

    #[test]
    fn a_wildcard_listener_is_told_by_the_relay_addresses() {
        let wildcard = relay("listen = [\"0.0.0.0:3478\"]\nrelay_addresses = [\"203.0.113.10\", \"2001:db8::1\"]");
        assert_eq!(IceUrls::of(&wildcard).stun, ["stun:203.0.113.10:3478"]);
    }
}
