//! [`PeerPolicy`]: networks we never relay to.
//!
//! A peer is allowed only if it is globally routable unicast *after* it was reduced to a canonical form: an IPv6
//! address that carries an IPv4 address is also judged as that one. IPv6 is an allow rule, 2000::/3, minus exceptions,
//! so that new special blocks outside it are denied without an update. Ranges are prefixes, compared as big-endian
//! integers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

/// IPv4 networks that are not globally routable unicast: IANA's special-purpose registry, and what clouds hide
/// behind public addresses.
const DENIED_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network; 0.0.0.0 reaches loopback on Linux
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // carrier NAT, and 100.100.100.200
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // a cloud's host agent
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // IETF protocols
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24),  // AS112
    (Ipv4Addr::new(192, 52, 193, 0), 24),  // AMT
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relay anycast
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(192, 175, 48, 0), 24),  // AS112 direct delegation
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

/// The only IPv6 network that is not denied as a whole.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What inside 2000::/3 is denied. Everything outside (::, ::1, mapped, translated, 64:ff9b::, 100::, 5f00::, fc00::,
/// fe80::, fec0::, ff00:: ...) is denied by not being inside.
const DENIED_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // IETF protocols: Teredo (RFC 8656 §21.4), ORCHID, ...
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4 (RFC 8656 §21.4)
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// What `allow_peers` alone does not open: the machine itself and the services that hand out a cloud's keys.
const DANGEROUS_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 100, 100, 200), 32),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 42, 42), 32),
    (Ipv4Addr::new(169, 254, 169, 254), 32),
    (Ipv4Addr::new(169, 254, 170, 2), 32),
    (Ipv4Addr::new(192, 0, 0, 192), 32),
];

/// The same for IPv6: `::`, `::1`, and a cloud's metadata service.
const DANGEROUS_V6: &[(Ipv6Addr, u32)] =
    &[(Ipv6Addr::UNSPECIFIED, 127), (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128)];

/// The operator's part of the policy; the deny list above stands behind it.
#[derive(Debug, Clone, Default)]
pub struct PeerPolicy {
    /// Exceptions from the built-in list, such as a media server in a private network.
    pub allow: Vec<IpNet>,
    /// More networks to deny. They win over `allow` and over the machine's own addresses.
    pub deny: Vec<IpNet>,
    /// `allow` may also open loopback and metadata addresses.
    pub allow_dangerous: bool,
    /// Network-specific NAT64 prefixes (RFC 6052, /32 to /96): the IPv4 address inside is judged too.
    pub nat64_prefixes: Vec<Ipv6Net>,
}

/// What an allowed peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A host out in the world.
    Host,
    /// This machine: the port decides, at ChannelBind and at every Send. Only the relay's own ports are open.
    Own,
    /// This machine, excepted by `allow` (a media server may run beside us): every port but those we listen on.
    OwnExcepted,
}

/// Why a peer is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Not globally routable unicast.
    SpecialPurpose,
    /// Excepted by `allow`, but that needs `allow_dangerous`.
    Dangerous,
    /// The operator's `deny`.
    Operator,
    /// This machine, on a port that is none of the relay's.
    OwnPort,
}

impl PeerPolicy {
    /// Judges a peer's address; `own` are the machine's own addresses.
    ///
    /// # Errors
    /// [`Denied`] tells the reason.
    pub fn judge(&self, ip: IpAddr, own: &[IpAddr]) -> Result<Peer, Denied> {
        if let IpAddr::V6(v6) = ip {
            for inner in self.embedded(v6) {
                // An own address has one right spelling, and this is not it.
                self.judge_host(inner.into()).and(denied_if(own.contains(&inner.into()), Denied::SpecialPurpose))?;
            }
        }
        denied_if(contains(&self.deny, ip), Denied::Operator)?;
        if !own.contains(&ip) {
            return self.judge_host(ip).map(|()| Peer::Host);
        }
        let excepted = contains(&self.allow, ip) && self.judge_host(ip).is_ok();
        Ok(if excepted { Peer::OwnExcepted } else { Peer::Own })
    }

    fn judge_host(&self, ip: IpAddr) -> Result<(), Denied> {
        denied_if(contains(&self.deny, ip), Denied::Operator)?;
        if contains(&self.allow, ip) {
            return denied_if(is_dangerous(ip) && !self.allow_dangerous, Denied::Dangerous);
        }
        denied_if(is_special_purpose(ip), Denied::SpecialPurpose)
    }

    /// Every IPv4 address that some network may read out of an IPv6 address.
    fn embedded(&self, ip: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
        let specific = self.nat64_prefixes.iter().filter(move |net| net.contains(&ip));
        well_known_embedded(ip).into_iter().chain(specific.map(move |net| nat64(ip, net.prefix_len())))
    }
}

/// A client on a 6to4 or Teredo address is refused: with it the relay would be one more hop of a tunnel that may loop
/// (RFC 8656 §21.4).
pub(crate) fn is_tunnelled(client: IpAddr) -> bool {
    match client {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.segments()[0] == 0x2002 || ip.segments()[..2] == [0x2001, 0],
    }
}

fn denied_if(condition: bool, reason: Denied) -> Result<(), Denied> {
    if condition { Err(reason) } else { Ok(()) }
}

fn contains(networks: &[IpNet], ip: IpAddr) -> bool {
    networks.iter().any(|net| net.contains(&ip))
}

fn is_special_purpose(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => in_any_v4(DENIED_V4, ip),
        IpAddr::V6(ip) => !in_any_v6(&[GLOBAL_UNICAST], ip) || in_any_v6(DENIED_V6, ip),
    }
}

fn is_dangerous(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => in_any_v4(DANGEROUS_V4, ip),
        IpAddr::V6(ip) => in_any_v6(DANGEROUS_V6, ip),
    }
}

fn in_any_v4(networks: &[(Ipv4Addr, u32)], ip: Ipv4Addr) -> bool {
    networks.iter().any(|&(network, len)| (ip.to_bits() ^ network.to_bits()) >> (32 - len) == 0)
}

fn in_any_v6(networks: &[(Ipv6Addr, u32)], ip: Ipv6Addr) -> bool {
    networks.iter().any(|&(network, len)| (ip.to_bits() ^ network.to_bits()) >> (128 - len) == 0)
}

/// The spellings that every network knows.
fn well_known_embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match s {
        // Nobody and loopback have their own rules, and are no spelling of 0.0.0.0 and 0.0.0.1.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Compatible, mapped (RFC 4291 §2.5.5) and translated (RFC 2765 §2.1).
        [0, 0, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => {
            v4(high, low)
        }
        // NAT64, well-known and the usual /96 of the local-use prefix (RFC 6052 §2.1, RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 1, _, _, _, high, low] => v4(high, low),
        // 6to4 (RFC 3056 §2).
        [0x2002, high, low, ..] => v4(high, low),
        // Teredo: the client's address, inverted (RFC 4380 §4).
        [0x2001, 0, _, _, _, _, high, low] => v4(!high, !low),
        // ISATAP, with either value of the universal bit (RFC 5214 §6.1).
        [_, _, _, _, 0 | 0x0200, 0x5efe, high, low] => v4(high, low),
        _ => None,
    }
}

/// The IPv4 address behind a NAT64 prefix; bits 64 to 71 are skipped (RFC 6052 §2.2).
fn nat64(ip: Ipv6Addr, prefix_len: u8) -> Ipv4Addr {
    let octets = ip.octets();
    let from = usize::from(prefix_len / 8).min(12);
    let mut inner = [0; 4];
    let places = (from..).filter(|&place| place != 8 || from == 12);
    for (byte, place) in inner.iter_mut().zip(places) {
        *byte = octets[place];
    }
    inner.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nat64_addresses_are_read_as_in_rfc_6052_section_2_4() {
        // The table of examples there: 192.0.2.33 behind prefixes of 32 to 96 bits.
        for (address, len) in [
            ("2001:db8:c000:221::", 32),
            ("2001:db8:1c0:2:21::", 40),
            ("2001:db8:122:c000:2:2100::", 48),
            ("2001:db8:122:3c0:0:221::", 56),
            ("2001:db8:122:344:c0:2:2100::", 64),
            ("2001:db8:122:344::192.0.2.33", 96),
        ] {
            assert_eq!(nat64(address.parse().unwrap(), len), Ipv4Addr::new(192, 0, 2, 33), "{address}/{len}");
        }
    }
}
