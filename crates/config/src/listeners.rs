//! Listeners judged together: none twice, none inside the relay's ports, at least one.

use std::net::SocketAddr;

use crate::config::Config;
use crate::problem::Complaint;
use crate::reading::Reading;

/// The transport protocols of a listener.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Tcp,
    Both,
}

impl Transport {
    /// Every listener has TCP.
    fn of_both(self, other: Self) -> &'static str {
        if self == Self::Both && other == Self::Both { "UDP and TCP" } else { "TCP" }
    }
}

/// One address that somebody will bind.
struct Listener {
    path: String,
    transport: Transport,
    address: SocketAddr,
}

const KEYS: [&str; 5] = ["web.listen", "relay.listen", "relay.tls_listen", "edge.listen", "admin.listen"];

/// Complains about listeners that cannot live beside each other.
pub(crate) fn check(reading: &mut Reading<'_>, config: &Config) {
    if !reading.is_sound(&KEYS) {
        return;
    }
    let listeners = all(config);
    for (index, one) in listeners.iter().enumerate() {
        if let Some(other) = listeners[..index].iter().find(|other| other.collides(one)) {
            // Point at the one that the file holds: the other may be a default.
            let (at, elsewhere) = if reading.has(&one.path) { (one, other) } else { (other, one) };
            let expected = format!("a {} address that no other listener has", one.transport.of_both(other.transport));
            let found = format!("{}, which {} has as {}", at.address, elsewhere.path, elsewhere.address);
            reading
                .complain(&at.path, Complaint::wrong(expected, found, "write another port or remove one of the two"));
        }
    }
    if reading.is_sound(&["relay.ports", "relay.relay_addresses"]) {
        check_ports(reading, config, &listeners);
    }
    if listeners.iter().all(|listener| listener.path.starts_with("admin.")) {
        let complaint =
            Complaint::wrong("a listener in [web], [relay] or [edge]", "none", "name an address in one of them");
        reading.complain(if reading.has("relay.listen") { "relay.listen" } else { "web.listen" }, complaint);
    }
}

/// A relayed transport address must never be one that this server listens on.
fn check_ports(reading: &mut Reading<'_>, config: &Config, listeners: &[Listener]) {
    let (ports, addresses) = (&config.relay.ports, &config.relay.relay_addresses);
    for listener in listeners.iter().filter(|listener| listener.transport == Transport::Both) {
        let ip = listener.address.ip();
        let shared =
            addresses.contains(&ip) || (ip.is_unspecified() && addresses.iter().any(|a| a.is_ipv4() == ip.is_ipv4()));
        if shared && ports.contains(&listener.address.port()) {
            let range = format!("{}-{}", ports.start(), ports.end());
            let complaint = if reading.has("relay.ports") {
                let found = format!("\"{range}\", which covers {} of {}", listener.address, listener.path);
                Complaint::wrong("ports without a listener among them", found, "move one of the two")
            } else {
                let found = format!("{}, which lies in relay.ports ({range})", listener.address);
                Complaint::wrong(
                    "a port that the relay does not give away",
                    found,
                    "write another port or narrow relay.ports",
                )
            };
            let path = if reading.has("relay.ports") { "relay.ports" } else { &listener.path };
            reading.complain(path, complaint);
        }
    }
}

impl Listener {
    fn collides(&self, other: &Self) -> bool {
        let (a, b) = (self.address.ip(), other.address.ip());
        let same_ip = a == b || (a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified()));
        self.address.port() == other.address.port() && same_ip
    }
}

fn all(config: &Config) -> Vec<Listener> {
    let lists = [
        (KEYS[0], Transport::Tcp, &config.web.listen),
        (KEYS[1], Transport::Both, &config.relay.listen),
        (KEYS[2], Transport::Tcp, &config.relay.tls_listen),
        (KEYS[3], Transport::Tcp, &config.edge.listen),
        (KEYS[4], Transport::Tcp, &config.admin.listen),
    ];
    let listeners = lists.into_iter().flat_map(|(key, transport, list)| {
        let paths = list.iter().enumerate();
        paths.map(move |(index, address)| Listener { path: format!("{key}[{index}]"), transport, address: *address })
    });
    listeners.collect()
}
