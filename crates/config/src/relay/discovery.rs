//! NAT behaviour discovery (RFC 5780): a second address and a second port, and the four listeners that follow from them.

use std::net::{IpAddr, SocketAddr};

use super::Relay;
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::value::Parsed;

const ADDRESSES: &str = "relay.alternate_addresses";
const PORT: &str = "relay.alternate_port";

/// The two addresses and two ports of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The first address and port: those of a listener in [`Relay::listen`].
    pub primary: SocketAddr,
    /// The second address and port, both others.
    pub alternate: SocketAddr,
}

impl Discovery {
    /// Each address with each port: all four must listen.
    pub fn combinations(&self) -> [SocketAddr; 4] {
        let (one, other) = (self.primary, self.alternate);
        [one, SocketAddr::new(one.ip(), other.port()), SocketAddr::new(other.ip(), one.port()), other]
    }
}

impl Relay {
    /// One entry for each alternate address; none: discovery is off.
    pub fn discovery(&self) -> Vec<Discovery> {
        self.alternate_addresses.iter().filter_map(|&ip| self.discovery_with(ip).ok()).collect()
    }

    /// Where clients send UDP: [`Relay::listen`], and what discovery needs beside it.
    pub fn udp_listeners(&self) -> Vec<SocketAddr> {
        let mut listeners = self.listen.clone();
        for address in self.discovery().iter().flat_map(Discovery::combinations) {
            if !listeners.iter().any(|listener| covers(*listener, address)) {
                listeners.push(address);
            }
        }
        listeners
    }

    fn discovery_with(&self, alternate: IpAddr) -> Parsed<Discovery> {
        let primary = self.primary_beside(alternate)?;
        let second = match self.alternate_port {
            0 => primary.port().checked_add(1),
            port => Some(port),
        };
        let expected = || format!("a second port beside {} of the listener", primary.port());
        let Some(second) = second else {
            return Err(Complaint::wrong(expected(), "none above 65535", "write alternate_port with another port"));
        };
        if second == primary.port() {
            return Err(Complaint::wrong(expected(), format!("{second} again"), "write another port"));
        }
        if self.ports.contains(&second) {
            let found = format!("{second}, which lies in relay.ports ({}-{})", self.ports.start(), self.ports.end());
            let expected = "a second port that the relay does not give away";
            return Err(Complaint::wrong(expected, found, "write another alternate_port or narrow relay.ports"));
        }
        Ok(Discovery { primary, alternate: SocketAddr::new(alternate, second) })
    }

    /// The first listener of the family at another address; for a wildcard, the first relay address there.
    fn primary_beside(&self, alternate: IpAddr) -> Parsed<SocketAddr> {
        let family = if alternate.is_ipv4() { "IPv4" } else { "IPv6" };
        let of_family = || self.listen.iter().filter(|listener| listener.is_ipv4() == alternate.is_ipv4());
        if of_family().next().is_none() {
            let found = format!("{alternate}, but no {family} listener");
            let expected = format!("an {family} address in relay.listen too");
            return Err(Complaint::wrong(expected, found, "add the first address to `listen`, or remove the second"));
        }
        let concrete = |listener: &SocketAddr| match listener.ip() {
            ip if !ip.is_unspecified() => Some(*listener),
            _ => {
                let mut relays = self.relay_addresses.iter().filter(|ip| ip.is_ipv4() == alternate.is_ipv4());
                Some(SocketAddr::new(*relays.find(|ip| **ip != alternate)?, listener.port()))
            }
        };
        of_family().filter_map(concrete).find(|listener| listener.ip() != alternate).ok_or_else(|| {
            let found = format!("{alternate}, which is the first address itself");
            let expected = format!("a second {family} address of this machine");
            Complaint::wrong(
                expected,
                found,
                "write another address, or remove it: with one address there is no discovery",
            )
        })
    }
}

/// Complains about addresses and a port from which no four listeners can be made.
pub(super) fn check(reading: &mut Reading<'_>, relay: &Relay) {
    if !reading.is_sound(&["relay.listen", "relay.relay_addresses", "relay.ports", ADDRESSES, PORT]) {
        return;
    }
    let addresses = &relay.alternate_addresses;
    for (index, &alternate) in addresses.iter().enumerate() {
        let path = format!("{ADDRESSES}[{index}]");
        if addresses[..index].iter().any(|other| other.is_ipv4() == alternate.is_ipv4()) {
            let expected = "at most one alternate address of each family";
            reading.complain(&path, Complaint::wrong(expected, format!("{alternate} as well"), "remove one of them"));
        } else if let Err(complaint) = relay.discovery_with(alternate) {
            let about_port = reading.has(PORT) && relay.primary_beside(alternate).is_ok();
            reading.complain(if about_port { PORT } else { &path }, complaint);
        }
    }
    if addresses.is_empty() && relay.alternate_port != 0 {
        let about = "without alternate_addresses nothing listens there";
        reading.warn(PORT, Complaint::doubt(about, "write alternate_addresses, or remove this line"));
    }
}

fn covers(listener: SocketAddr, address: SocketAddr) -> bool {
    let (ip, wanted) = (listener.ip(), address.ip());
    listener.port() == address.port() && (ip == wanted || (ip.is_unspecified() && ip.is_ipv4() == wanted.is_ipv4()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn relay(lines: &str) -> Relay {
        let text = format!("[relay]\n{lines}");
        parse(&text, "posthouse.toml").unwrap_or_else(|problems| panic!("{problems}")).config.relay
    }

    fn shown(addresses: &[SocketAddr]) -> Vec<String> {
        addresses.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn without_a_second_address_nothing_more_listens() {
        let relay = relay("listen = [\"10.0.0.5:3478\"]\nrelay_addresses = [\"10.0.0.5\"]");
        assert_eq!((relay.discovery(), relay.udp_listeners()), (Vec::new(), relay.listen.clone()));
    }

    #[test]
    fn each_address_listens_on_each_port_in_both_families() {
        let relay = relay(
            "listen = [\"203.0.113.10:3478\", \"[2001:db8::10]:3478\"]\n\
             alternate_addresses = [\"203.0.113.11\", \"2001:db8::11\"]",
        );
        let expected = [
            "203.0.113.10:3478",
            "[2001:db8::10]:3478",
            "203.0.113.10:3479",
            "203.0.113.11:3478",
            "203.0.113.11:3479",
            "[2001:db8::10]:3479",
            "[2001:db8::11]:3478",
            "[2001:db8::11]:3479",
        ];
        assert_eq!(shown(&relay.udp_listeners()), expected);
        assert_eq!(relay.discovery().len(), 2);
    }

    #[test]
    fn what_the_file_lists_itself_or_a_wildcard_covers_is_not_bound_twice() {
        let listed = relay(
            "listen = [\"10.0.0.5:3478\", \"10.0.0.6:3478\", \"10.0.0.5:5000\"]\nrelay_addresses = [\"10.0.0.5\"]\n\
             alternate_addresses = [\"10.0.0.6\"]\nalternate_port = 5000",
        );
        assert_eq!(shown(&listed.udp_listeners()[3..]), ["10.0.0.6:5000"]);
        let wildcard = relay(
            "listen = [\"0.0.0.0:3478\"]\nrelay_addresses = [\"10.0.0.6\", \"10.0.0.5\"]\n\
             alternate_addresses = [\"10.0.0.6\"]",
        );
        assert_eq!(wildcard.discovery()[0].primary.to_string(), "10.0.0.5:3478");
        assert_eq!(shown(&wildcard.udp_listeners()[1..]), ["10.0.0.5:3479", "10.0.0.6:3479"]);
    }

    #[test]
    fn behind_one_to_one_nat_the_second_address_has_a_public_one_too() {
        let relay = relay(
            "listen = [\"10.0.0.5:3478\"]\nrelay_addresses = [\"10.0.0.5\"]\nalternate_addresses = [\"10.0.0.6\"]\n\
             external_addresses = [\"203.0.113.10\", \"203.0.113.11/10.0.0.6\"]",
        );
        let seen = ["10.0.0.5", "10.0.0.6"].map(|ip| relay.seen_as(ip.parse().unwrap()).to_string());
        assert_eq!(seen, ["203.0.113.10", "203.0.113.11"]);
    }
}
