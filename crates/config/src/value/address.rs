//! IP addresses as literals: where to listen, where to bind relayed transport addresses.

use std::net::{IpAddr, SocketAddr};

use super::{Parsed, quoted};
use crate::problem::Complaint;

/// An address and a port to listen on: a literal that some interface of this machine may have, or the wildcard.
pub(crate) fn listener(text: &str) -> Parsed<SocketAddr> {
    let expected = "an IP address with a port, like \"203.0.113.10:3478\" or \"[2001:db8::10]:3478\"";
    let wrong = |found: String, write: String| Err(Complaint::wrong(expected, found, write));
    let Ok(address) = text.parse::<SocketAddr>() else {
        return wrong(quoted(text), listener_advice(text));
    };
    if address.port() == 0 {
        return wrong(format!("port 0 in {}", quoted(text)), "write the port itself, 1 to 65535".to_owned());
    }
    if text.contains('%') {
        return wrong(format!("a zone id in {}", quoted(text)), "write a global address without \"%\"".to_owned());
    }
    usable(address.ip(), expected, text)?;
    Ok(address)
}

/// One concrete address, fit to be handed to peers as a relayed transport address.
pub(crate) fn concrete(text: &str) -> Parsed<IpAddr> {
    let expected = "an IP address of this machine, like \"203.0.113.10\"";
    let Ok(address) = text.parse::<IpAddr>() else {
        return Err(Complaint::wrong(expected, quoted(text), concrete_advice(text)));
    };
    if address.is_unspecified() {
        let found = format!("the wildcard {}", quoted(text));
        return Err(Complaint::wrong(expected, found, "name each address: clients tell it to their peers"));
    }
    usable(address, expected, text)?;
    Ok(address)
}

fn usable(address: IpAddr, expected: &str, text: &str) -> Parsed<()> {
    let wrong = |kind: &str, write: String| Err(Complaint::wrong(expected, format!("{kind} {}", quoted(text)), write));
    match address {
        _ if address.is_multicast() => wrong("the multicast address", "write a unicast address".to_owned()),
        IpAddr::V4(v4) if v4.is_broadcast() => wrong("the broadcast address", "write a unicast address".to_owned()),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => wrong("the IPv4-mapped address", format!("write the IPv4 address itself, {v4}")),
            None => Ok(()),
        },
        IpAddr::V4(_) => Ok(()),
    }
}

fn listener_advice(text: &str) -> String {
    if text.contains('%') {
        return "write a global address without a zone id".to_owned();
    }
    // Without brackets the last group of an IPv6 address may have been meant as the port.
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => return format!("add the port: \"{v4}:3478\""),
        Ok(IpAddr::V6(_)) => return "put the address in brackets and the port after them".to_owned(),
        Err(_) => {}
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let port_is_wrong = port.parse::<u16>().is_err();
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) if port_is_wrong => {
            format!("write a port from 1 to 65535: \"{}\"", SocketAddr::new(address, 3478))
        }
        Ok(address) => format!("write \"{}\"", SocketAddr::new(address, port.parse().unwrap_or(3478))),
        Err(_) if host.is_empty() && !port_is_wrong => format!("write \"0.0.0.0:{port}\" or \"[::]:{port}\""),
        Err(_) => "write the address itself in digits, not a name".to_owned(),
    }
}

fn concrete_advice(text: &str) -> String {
    if text.contains('%') {
        return "write a global address without a zone id".to_owned();
    }
    match text.parse::<SocketAddr>() {
        Ok(address) => format!("leave the port away: \"{}\"", address.ip()),
        Err(_) => "write the address itself in digits, not a name".to_owned(),
    }
}
