//! Questions that only this machine can answer: are the addresses its own, may one process open that many files.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::config::Config;
use crate::problem::{Complaint, Problem};
use crate::source::Source;

/// Addresses of `config` that no interface of this machine has.
///
/// The test is the kernel's own: a UDP socket is bound to the address with any port and closed at once.
pub(crate) fn foreign_addresses(source: &Source, config: &Config) -> Vec<Problem> {
    let listeners = |key: &'static str, list: &[SocketAddr]| -> Vec<(String, IpAddr)> {
        list.iter().enumerate().map(|(index, address)| (format!("{key}[{index}]"), address.ip())).collect()
    };
    let mut named = listeners("web.listen", &config.web.listen);
    named.extend(listeners("relay.listen", &config.relay.listen));
    named.extend(listeners("relay.tls_listen", &config.relay.tls_listen));
    if source.has("relay.relay_addresses") {
        let relays = config.relay.relay_addresses.iter().enumerate();
        named.extend(relays.map(|(index, address)| (format!("relay.relay_addresses[{index}]"), *address)));
    }
    let alternates = config.relay.alternate_addresses.iter().enumerate();
    named.extend(alternates.map(|(index, address)| (format!("relay.alternate_addresses[{index}]"), *address)));
    named.extend(listeners("edge.listen", &config.edge.listen));
    named.extend(listeners("admin.listen", &config.admin.listen));
    let foreign = named.into_iter().filter_map(|(path, address)| Some(source.problem(&path, foreign(address)?)));
    foreign.collect()
}

fn foreign(address: IpAddr) -> Option<Complaint> {
    let error = UdpSocket::bind(SocketAddr::new(address, 0)).err()?;
    let found = match error.kind() {
        ErrorKind::AddrNotAvailable => format!("{address}, which no interface has"),
        _ => format!("{address}, which cannot be bound ({error})"),
    };
    let write = "write one that `ip address` lists; behind 1:1 NAT that is the private one, \
                 and the public one goes to relay.external_addresses";
    Some(Complaint::wrong("an address of this machine", found, write))
}

/// A warning when the hard limit on open files is below what the allocations may need.
pub(crate) fn scarce_files(source: &Source, config: &Config) -> Option<Problem> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let hard: usize =
        limits.lines().find(|line| line.starts_with("Max open files"))?.split_whitespace().nth(4)?.parse().ok()?;
    let ports = config.relay.ports.len() * config.relay.relay_addresses.len();
    let allocations = match config.limits.allocations_total {
        0 => ports,
        total => total.min(ports),
    };
    // One socket an allocation, and some for listeners, WebSockets and the log.
    let needed = allocations + 1024;
    (hard < needed && !config.relay.listen.is_empty()).then(|| {
        let about = format!("{allocations} allocations need {needed} open files, but the limit is {hard}");
        let write = match hard.saturating_sub(1024) {
            0 => format!("raise LimitNOFILE to {needed}"),
            fitting => format!("raise LimitNOFILE to {needed}, or write limits.allocations_total = {fitting}"),
        };
        source.problem("limits.allocations_total", Complaint::doubt(about, write))
    })
}
