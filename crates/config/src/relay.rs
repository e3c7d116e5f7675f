//! `[relay]`: the STUN and TURN server.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;

use crate::keys::{Key, Table};
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::reference::{list, text};
use crate::value::{Parsed, address, duration, ports, prefix};

mod alternate_server;
mod discovery;
mod engine;
mod external;

pub use discovery::Discovery;
pub use engine::Engine;
pub use external::ExternalAddress;

pub(crate) const TABLE: Table = Table {
    path: "relay",
    text: "STUN tells clients their public address, TURN relays for those that cannot connect directly.",
    keys: &[
        Key {
            name: "listen",
            default: "[\"127.0.0.1:3478\"]",
            example: "[\"203.0.113.10:3478\"]",
            expects: "a list of addresses with a port",
            text: "Addresses and ports that clients send to, UDP and TCP. Name each public address, IPv4 and\n\
                   IPv6; 3478 is the port that clients expect. The default is reachable from this machine alone.\n\
                   Empty: no STUN, no TURN.",
        },
        Key {
            name: "tls_listen",
            default: "[]",
            example: "[\"203.0.113.10:5349\"]",
            expects: "a list of addresses with a port",
            text: "Addresses and ports, TCP: STUN and TURN over TLS, and over plain TCP for clients that send that to a\n\
                   port for TLS: the first byte decides. 5349 is the port that clients expect. Needs [tls]. None by\n\
                   default: it needs a certificate.",
        },
        Key {
            name: "relay_addresses",
            default: "[\"127.0.0.1\"]",
            example: "[\"203.0.113.10\"]",
            expects: "a list of addresses",
            text: "Addresses of this machine on which relayed transport addresses are bound, at most one of each family\n\
                   for a client to choose from. Without this line: the addresses of `listen` and `tls_listen`.",
        },
        Key {
            name: "external_addresses",
            default: "[]",
            example: "[\"203.0.113.10/10.0.0.5\"]",
            expects: "a list of addresses, \"public\" or \"public/private\"",
            text: "What peers see in place of a relay address when the machine stands behind 1:1 NAT, as most cloud\n\
                   machines do: \"203.0.113.10\" for the only relay address of its family, or \"public/private\".\n\
                   None by default: what is bound is what peers see.",
        },
        Key {
            name: "ports",
            default: "\"49152-65535\"",
            example: "\"49152-65535\"",
            expects: "a range of ports in quotes",
            text: "Ports of relayed transport addresses, UDP; open them in the firewall. The default is the range that\n\
                   RFC 8656 recommends: no service is registered there. One allocation takes one port.",
        },
        Key {
            name: "alternate_addresses",
            default: "[]",
            example: "[\"203.0.113.11\"]",
            expects: "a list of addresses",
            text: "Second address of this machine, one of each family. With it NAT behaviour discovery (RFC 5780) is on: this\n\
                   address and the listener's own both answer Binding requests, UDP, on two ports each. Behind 1:1 NAT it\n\
                   needs a \"public/private\" of its own in external_addresses. None by default: few machines have two.",
        },
        Key {
            name: "alternate_port",
            default: "0",
            example: "3479",
            expects: "a whole number",
            text: "Second port of NAT behaviour discovery, on both addresses. 0: the one after the listener's, 3479 beside\n\
                   3478, as coturn has it. Open it in the firewall.",
        },
        Key {
            name: "alternate_server",
            default: "[]",
            example: "[\"203.0.113.20:3478\"]",
            expects: "a list of addresses with a port",
            text: "Another server, one address of each family, that clients with good credentials are sent to instead of\n\
                   getting a new allocation here (300 with ALTERNATE-SERVER); what they have here stays. It empties\n\
                   a machine, and a reload is enough. A family without one is served as usual. None by default.",
        },
        Key {
            name: "alternate_domain",
            default: "\"\"",
            example: "\"turn2.example.org\"",
            expects: "a name in quotes",
            text: "Name in that server's certificate, told to clients over TLS (ALTERNATE-DOMAIN). Empty: the same name as\n\
                   ours.",
        },
        Key {
            name: "deny_peers",
            default: "[]",
            example: "[\"203.0.113.0/24\"]",
            expects: "a list of networks",
            text: "Networks never relayed to, beside the built-in list: loopback, private, link-local and metadata\n\
                   addresses, multicast, documentation and all other special-purpose networks, in every IPv6 spelling.",
        },
        Key {
            name: "allow_peers",
            default: "[]",
            example: "[\"10.0.5.0/24\"]",
            expects: "a list of networks",
            text: "Exceptions from the built-in list, such as a media server in a private network. Every user of the\n\
                   relay reaches what stands here. None by default. `deny_peers` wins over it.",
        },
        Key {
            name: "allow_dangerous_peers",
            default: "false",
            example: "false",
            expects: "true or false",
            text: "Needed as well when an exception touches loopback, link-local or metadata addresses: what answers\n\
                   there trusts whoever reaches it. False, so that one slip in a prefix is not enough.",
        },
        Key {
            name: "tcp_allocations",
            default: "false",
            example: "false",
            expects: "true or false",
            text: "Relayed TCP connections (RFC 6062). False: no browser uses them, and they are what attackers of\n\
                   internal networks look for.",
        },
        Key {
            name: "mobility",
            default: "false",
            example: "false",
            expects: "true or false",
            text: "Whether clients may keep an allocation, with its relayed address, when their own address changes\n\
                   (RFC 8016). False: no browser asks for it, and an allocation over TCP then outlives its connection.",
        },
        Key {
            name: "workers",
            default: "0",
            example: "0",
            expects: "a whole number",
            text: "Threads that relay, 0 to 256. 0: one per core, because a core that relays has no time for another\n\
                   thread that does.",
        },
        Key {
            name: "engine",
            default: "\"auto\"",
            example: "\"mmsg\"",
            expects: "one of \"auto\", \"mmsg\", \"io_uring\"",
            text: "How the kernel is asked to receive and to send. \"mmsg\": one call for many packets of one client or\n\
                   peer. \"io_uring\" (Linux 6.1): one call for those of many as well, cheaper with hundreds of flows.\n\
                   \"auto\": io_uring where the kernel allows it, otherwise mmsg; the log says which.",
        },
        Key {
            name: "coalesce",
            default: "\"150us\"",
            example: "\"150us\"",
            expects: "a duration in quotes",
            text: "How long a packet may wait for others, up to 1ms, where they come densely (thousands a second): one\n\
                   wake-up for several spares a fifth to a half of the processor's time. \"0s\": none ever waits.",
        },
    ],
};

/// `[relay]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// UDP listeners of STUN and TURN; may be empty.
    pub listen: Vec<SocketAddr>,
    /// TCP listeners of STUN and TURN over TLS.
    pub tls_listen: Vec<SocketAddr>,
    /// Local addresses on which relayed transport addresses are bound, none of them a wildcard.
    pub relay_addresses: Vec<IpAddr>,
    /// What peers see in place of a relay address.
    pub external_addresses: Vec<ExternalAddress>,
    /// Ports of relayed transport addresses, both ends included, 1024 at least.
    pub ports: RangeInclusive<u16>,
    /// Second addresses for RFC 5780, at most one of each family; [`Relay::discovery`] says what follows.
    pub alternate_addresses: Vec<IpAddr>,
    /// Second port for RFC 5780; 0: the one after the listener's.
    pub alternate_port: u16,
    /// Where clients are sent for allocations, at most one of each family.
    pub alternate_server: Vec<SocketAddr>,
    /// Name of that server where it is not ours.
    pub alternate_domain: Option<String>,
    /// Networks never relayed to, beside the built-in ones. They win over `allow_peers`.
    pub deny_peers: Vec<IpNet>,
    /// Exceptions from the built-in list, already checked against `allow_dangerous_peers`.
    pub allow_peers: Vec<IpNet>,
    /// Whether exceptions may touch loopback, link-local and metadata addresses.
    pub allow_dangerous_peers: bool,
    /// Relayed TCP connections (RFC 6062).
    pub tcp_allocations: bool,
    /// Whether clients may move (RFC 8016).
    pub mobility: bool,
    /// Threads; 0: one per core.
    pub workers: usize,
    /// How the kernel is asked.
    pub engine: Engine,
    /// How long a packet may wait for others; zero: never.
    pub coalesce: Duration,
}

impl Default for Relay {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 3478))],
            tls_listen: Vec::new(),
            relay_addresses: vec![IpAddr::from([127, 0, 0, 1])],
            external_addresses: Vec::new(),
            ports: 49152..=65535,
            alternate_addresses: Vec::new(),
            alternate_port: 0,
            alternate_server: Vec::new(),
            alternate_domain: None,
            deny_peers: Vec::new(),
            allow_peers: Vec::new(),
            allow_dangerous_peers: false,
            tcp_allocations: false,
            mobility: false,
            workers: 0,
            engine: Engine::Auto,
            coalesce: Duration::from_micros(150),
        }
    }
}

impl Relay {
    /// What peers and clients see in place of a local address: itself, unless it stands behind 1:1 NAT.
    pub fn seen_as(&self, local: IpAddr) -> IpAddr {
        self.external_addresses.iter().find(|external| external.private == local).map_or(local, |e| e.public)
    }

    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let default = Self::default();
        let listen = reading.list("relay.listen", address::listener).unwrap_or(default.listen);
        let tls_listen = reading.list("relay.tls_listen", address::listener).unwrap_or_default();
        let relay_addresses = read_relay_addresses(reading, &[&listen[..], &tls_listen].concat());
        let workers = reading.number("relay.workers", 0..=256).and_then(|workers| usize::try_from(workers).ok());
        let coalesce = duration::within(Duration::ZERO..=Duration::from_millis(1));
        let allow_dangerous_peers = reading.flag("relay.allow_dangerous_peers").unwrap_or_default();
        let alternate_addresses = reading.list("relay.alternate_addresses", address::concrete).unwrap_or_default();
        let alternate_port =
            reading.number("relay.alternate_port", 0..=65535).and_then(|port| u16::try_from(port).ok());
        let relay = Self {
            tls_listen,
            external_addresses: external::read(reading, &relay_addresses, &alternate_addresses),
            ports: reading.text("relay.ports", ports::range).unwrap_or(default.ports),
            alternate_addresses,
            alternate_port: alternate_port.unwrap_or_default(),
            alternate_server: reading.list("relay.alternate_server", alternate_server::server).unwrap_or_default(),
            alternate_domain: reading.text("relay.alternate_domain", alternate_server::domain).flatten(),
            deny_peers: reading.list("relay.deny_peers", prefix::network).unwrap_or_default(),
            allow_peers: read_allow_peers(reading, allow_dangerous_peers),
            allow_dangerous_peers,
            tcp_allocations: reading.flag("relay.tcp_allocations").unwrap_or_default(),
            mobility: reading.flag("relay.mobility").unwrap_or_default(),
            workers: workers.unwrap_or_default(),
            engine: reading.text("relay.engine", engine::read).unwrap_or_default(),
            coalesce: reading.text("relay.coalesce", coalesce).unwrap_or(default.coalesce),
            listen,
            relay_addresses,
        };
        discovery::check(reading, &relay);
        alternate_server::check(reading, &relay);
        relay
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { listen, tls_listen, relay_addresses, external_addresses, ports, .. } = self;
        let Self { alternate_addresses, alternate_port, alternate_server, alternate_domain, .. } = self;
        let Self { deny_peers, allow_peers, allow_dangerous_peers, tcp_allocations, mobility, .. } = self;
        let Self { workers, engine, coalesce, .. } = self;
        vec![
            ("relay.listen", list(listen)),
            ("relay.tls_listen", list(tls_listen)),
            ("relay.relay_addresses", list(relay_addresses)),
            ("relay.external_addresses", list(external_addresses)),
            ("relay.ports", text(&format!("{}-{}", ports.start(), ports.end()))),
            ("relay.alternate_addresses", list(alternate_addresses)),
            ("relay.alternate_port", alternate_port.to_string()),
            ("relay.alternate_server", list(alternate_server)),
            ("relay.alternate_domain", text(alternate_domain.as_deref().unwrap_or_default())),
            ("relay.deny_peers", list(deny_peers)),
            ("relay.allow_peers", list(allow_peers)),
            ("relay.allow_dangerous_peers", allow_dangerous_peers.to_string()),
            ("relay.tcp_allocations", tcp_allocations.to_string()),
            ("relay.mobility", mobility.to_string()),
            ("relay.workers", workers.to_string()),
            ("relay.engine", text(engine.as_str())),
            ("relay.coalesce", duration::shown(*coalesce)),
        ]
    }
}

/// The addresses of the file, else those of the listeners: who names a public listener means to relay from it.
fn read_relay_addresses(reading: &mut Reading<'_>, listen: &[SocketAddr]) -> Vec<IpAddr> {
    let key = "relay.relay_addresses";
    let mut addresses = match reading.list(key, address::concrete) {
        Some(addresses) => addresses,
        None if reading.has(key) => return Vec::new(),
        None => listen.iter().map(SocketAddr::ip).filter(|address| !address.is_unspecified()).collect(),
    };
    let mut known = Vec::new();
    addresses.retain(|address| {
        !known.contains(address) && {
            known.push(*address);
            true
        }
    });
    if addresses.is_empty() && !listen.is_empty() && reading.is_sound(&["relay.listen"]) {
        let found = if reading.has(key) { "none" } else { "none, and `listen` names only wildcards" };
        let place = if reading.has(key) { key } else { "relay.listen" };
        let expected = "at least one address in relay_addresses";
        reading.complain(
            place,
            Complaint::wrong(expected, found, "write relay_addresses = [\"203.0.113.10\"] with this machine's address"),
        );
    }
    addresses
}

fn read_allow_peers(reading: &mut Reading<'_>, allow_dangerous_peers: bool) -> Vec<IpNet> {
    let allowed = |text: &str| -> Parsed<IpNet> {
        let network = prefix::network(text)?;
        if prefix::is_multicast(&network) {
            let found = format!("the multicast network \"{network}\"");
            return Err(Complaint::wrong("a unicast network", found, "remove it: multicast is never relayed to"));
        }
        match prefix::dangerous(&network) {
            Some((danger, why)) if !allow_dangerous_peers => Err(Complaint::wrong(
                format!("a network that does not touch {danger} ({why})"),
                format!("\"{network}\""),
                "narrow it, or write allow_dangerous_peers = true as well",
            )),
            _ => Ok(network),
        }
    };
    let networks = reading.list("relay.allow_peers", allowed).unwrap_or_default();
    for (index, network) in networks.iter().enumerate() {
        let about = format!("every user of the relay reaches {network}");
        reading.warn(&format!("relay.allow_peers[{index}]"), Complaint::doubt(about, "keep it as narrow as can be"));
    }
    networks
}
