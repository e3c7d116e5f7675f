//! Networks as prefixes: `"10.0.0.0/8"`, `"fd00::/8"`, or one address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};

use super::{Parsed, quoted};
use crate::problem::Complaint;

const EXPECTED: &str = "a network like \"10.0.0.0/8\" or \"2001:db8::/32\"";

/// Bits of the prefix `::ffff:0:0/96` that IPv4-mapped addresses share (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// A network whose host bits are zero; a single address is a network of its own.
pub(crate) fn network(text: &str) -> Parsed<IpNet> {
    let wrong = |found: String, write: String| Err(Complaint::wrong(EXPECTED, found, write));
    let Some(network) = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)) else {
        return match span(text) {
            Some(networks) => wrong(format!("the range {}", quoted(text)), format!("write {networks}")),
            None => wrong(quoted(text), "write the network's address, a slash and the length of its prefix".to_owned()),
        };
    };
    if let Some(v4) = mapped(network) {
        return wrong(format!("the IPv4-mapped {}", quoted(text)), format!("write \"{v4}\": it covers every disguise"));
    }
    if network.addr() != network.network() {
        let found = format!("{}, which has bits set after its prefix", quoted(text));
        return wrong(found, format!("write \"{}\" or \"{}\"", network.trunc(), IpNet::from(network.addr())));
    }
    Ok(network)
}

/// The IPv4 network that an IPv4-mapped one means.
fn mapped(network: IpNet) -> Option<Ipv4Net> {
    let IpNet::V6(v6) = network else { return None };
    let v4 = v6.addr().to_ipv4_mapped()?;
    let bits = v6.prefix_len().saturating_sub(MAPPED_BITS);
    Ipv4Net::new(v4, bits).ok().map(|v4| v4.trunc())
}

/// The networks that make up `first-last`, coturn's way to write a range, as they are written here.
fn span(text: &str) -> Option<String> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    let networks: Vec<IpNet> = match (first.parse::<Ipv4Addr>(), last.parse::<Ipv4Addr>()) {
        (Ok(first), Ok(last)) if first <= last => Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect(),
        _ => {
            let (first, last) = (first.parse::<Ipv6Addr>().ok()?, last.parse::<Ipv6Addr>().ok()?);
            if first > last {
                return None;
            }
            Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
        }
    };
    let shown: Vec<String> = networks.iter().take(8).map(|network| format!("\"{network}\"")).collect();
    let more = if networks.len() > 8 { " and so on" } else { "" };
    Some(format!("{}{more}", shown.join(", ")))
}

/// Networks that an exception opens only with `allow_dangerous_peers`: what answers there trusts whoever reaches it.
pub(crate) fn dangerous(network: &IpNet) -> Option<(IpNet, &'static str)> {
    let v4 = |a, b, c, d, bits| IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits));
    let v6 = |text: &str, bits| text.parse().ok().map(|address| IpNet::V6(Ipv6Net::new_assert(address, bits)));
    let list = [
        (Some(v4(127, 0, 0, 0, 8)), "this machine itself"),
        (Some(v4(0, 0, 0, 0, 8)), "this machine itself"),
        (v6("::", 127), "this machine itself"),
        (Some(v4(169, 254, 0, 0, 16)), "the cloud's metadata services"),
        (Some(v4(100, 100, 100, 200, 32)), "a cloud's metadata service"),
        (Some(v4(168, 63, 129, 16, 32)), "a cloud's host agent"),
        (Some(v4(192, 0, 0, 192, 32)), "a cloud's metadata service"),
        (v6("fd00:ec2::254", 128), "a cloud's metadata service"),
        (v6("fe80::", 10), "the machines on this link, metadata services among them"),
    ];
    let touches = |danger: &IpNet| danger.contains(network) || network.contains(danger);
    list.into_iter().find_map(|(danger, why)| danger.filter(touches).map(|danger| (danger, why)))
}

/// Whether some of the network is multicast, which is relayed to by no switch at all.
pub(crate) fn is_multicast(network: &IpNet) -> bool {
    network.addr().is_multicast()
}
