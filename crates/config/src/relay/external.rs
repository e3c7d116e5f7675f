//! What peers see of a machine behind 1:1 NAT.

use std::fmt;
use std::net::IpAddr;

use crate::problem::Complaint;
use crate::reading::Reading;
use crate::value::{Parsed, address, quoted};

/// A public address and the relay address that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalAddress {
    /// What XOR-RELAYED-ADDRESS says.
    pub public: IpAddr,
    /// What is bound: one of [`Relay::relay_addresses`](crate::Relay::relay_addresses) or
    /// [`Relay::alternate_addresses`](crate::Relay::alternate_addresses), of the same family.
    pub private: IpAddr,
}

impl fmt::Display for ExternalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.public, self.private)
    }
}

/// Reads the list and finds for each public address the relay address that it stands for.
///
/// An alternate address has one only as "public/private".
pub(crate) fn read(
    reading: &mut Reading<'_>,
    relay_addresses: &[IpAddr],
    alternate_addresses: &[IpAddr],
) -> Vec<ExternalAddress> {
    let key = "relay.external_addresses";
    let pairs = reading.list(key, pair).unwrap_or_default();
    let mut list: Vec<ExternalAddress> = Vec::new();
    if !reading.is_sound(&["relay.listen", "relay.relay_addresses"]) {
        return list;
    }
    for (index, (public, private)) in pairs.into_iter().enumerate() {
        let path = format!("{key}[{index}]");
        let alternate = private.filter(|private| alternate_addresses.contains(private));
        let resolved = match alternate {
            Some(private) => Ok(ExternalAddress { public, private }),
            None => resolve(public, private, relay_addresses),
        };
        match resolved {
            Ok(external) if list.iter().any(|known| known.private == external.private) => {
                let found = format!("a second one for {}", external.private);
                reading.complain(
                    &path,
                    Complaint::wrong("one public address for each relay address", found, "remove one of the two"),
                );
            }
            Ok(external) => list.push(external),
            Err(complaint) => reading.complain(&path, complaint),
        }
        if !is_global(public) {
            let about = format!("{public} is not a public address: peers on the Internet cannot send to it");
            reading.warn(&path, Complaint::doubt(about, "write what the Internet sees"));
        }
    }
    let who = "peers on the Internet cannot send to the relay address";
    doubt_private(reading, "relay.relay_addresses", who, relay_addresses, &list);
    let who = "clients on the Internet cannot send to the alternate address";
    doubt_private(reading, "relay.alternate_addresses", who, alternate_addresses, &list);
    list
}

fn pair(text: &str) -> Parsed<(IpAddr, Option<IpAddr>)> {
    if text == "auto" {
        let feature = "finding the public address by itself".to_owned();
        return Err(Complaint::Unavailable { feature, write: "write the public address".to_owned() });
    }
    match text.split_once('/') {
        Some((public, private)) => {
            let pair = (address::concrete(public.trim())?, address::concrete(private.trim())?);
            if pair.0.is_ipv4() != pair.1.is_ipv4() {
                let write = "write two IPv4 addresses or two IPv6 addresses";
                return Err(Complaint::wrong("\"public/private\" of one family", quoted(text), write));
            }
            Ok((pair.0, Some(pair.1)))
        }
        None => Ok((address::concrete(text)?, None)),
    }
}

fn resolve(public: IpAddr, private: Option<IpAddr>, relay_addresses: &[IpAddr]) -> Parsed<ExternalAddress> {
    let family: Vec<IpAddr> =
        relay_addresses.iter().filter(|address| address.is_ipv4() == public.is_ipv4()).copied().collect();
    let listed = family.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
    match (private, family.as_slice()) {
        (Some(private), _) if family.contains(&private) => Ok(ExternalAddress { public, private }),
        (None, [private]) => Ok(ExternalAddress { public, private: *private }),
        (_, []) => Err(Complaint::wrong(
            "a relay address of the same family",
            format!("none beside {public}"),
            "add this machine's own address to relay_addresses",
        )),
        (Some(private), _) => Err(Complaint::wrong(
            format!("one of relay_addresses ({listed}) after the slash"),
            private.to_string(),
            format!("write \"{public}/{}\"", family[0]),
        )),
        (None, [first, ..]) => Err(Complaint::wrong(
            "\"public/private\", because relay_addresses has several of the family",
            format!("\"{public}\""),
            format!("write \"{public}/{first}\""),
        )),
    }
}

/// A private address without a public one is what a cloud machine looks like when nobody told it.
fn doubt_private(reading: &mut Reading<'_>, key: &str, who: &str, addresses: &[IpAddr], list: &[ExternalAddress]) {
    for address in addresses {
        let translated = list.iter().any(|external| external.private == *address);
        if !translated && !is_global(*address) && !address.is_loopback() {
            let complaint = Complaint::doubt(format!("{who} {address}"), "behind 1:1 NAT write external_addresses");
            reading.warn(key, complaint);
        }
    }
}

/// Neither loopback nor link-local nor private nor shared with a carrier's customers.
fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared)
        }
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unique_local()),
    }
}
