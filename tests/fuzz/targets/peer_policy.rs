//! The address policy: what is denied is denied in every IPv4-in-IPv6 spelling, whatever the operator denies or excepts
//! beside it, and an exception never opens a disguise.
//!
//! The input is an address, NAT64 prefix length, and networks of the operator.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use posthouse_turn::{Denied, Peer, PeerPolicy};

/// A prefix of a network's own NAT64, outside every special range.
const NAT64: Ipv6Addr = Ipv6Addr::new(0x2a0b, 0x64, 0, 0, 0, 0, 0, 0);
/// How the ISATAP addresses here begin: a global prefix of somebody's.
const ISATAP: u16 = 0x2a0c;
/// RFC 6052 §2.2.
const NAT64_LENGTHS: [u8; 6] = [32, 40, 48, 56, 64, 96];

/// Private, loopback, link-local, metadata, multicast, reserved, documentation: written down a second time, as prefixes.
const DENIED: [([u8; 4], u32); 19] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([168, 63, 129, 16], 32),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([192, 175, 48, 0], 24),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

fuzz_target!(|input: &[u8]| {
    let Some((&[a, b, c, d, length, network, bits, flags], rest)) = input.split_first_chunk::<8>() else { return };
    let nat64 = NAT64_LENGTHS[usize::from(length) % NAT64_LENGTHS.len()];
    let random = Ipv4Addr::new(a, b, c, d);
    // An address in one of the denied networks, and one anywhere.
    let (base, prefix) = DENIED[usize::from(network) % DENIED.len()];
    let inside = Ipv4Addr::from(u32::from(Ipv4Addr::from(base)) | u32::from(random).checked_shr(prefix).unwrap_or(0));
    let mut policy =
        PeerPolicy { nat64_prefixes: vec![format!("{NAT64}/{nat64}").parse().unwrap()], ..PeerPolicy::default() };
    assert!(is_special(inside));
    for v4 in [inside, random] {
        let plain = policy.judge(v4.into(), &[]);
        assert_eq!(plain.is_err(), is_special(v4), "{v4}");
        for spelling in spellings(v4, nat64) {
            let judged = policy.judge(spelling.into(), &[]);
            assert!(judged.is_err() || !is_special(v4), "{v4} is let in as {spelling}");
        }
    }

    // An operator's denial holds in every spelling; an exception holds in the one right spelling only.
    let net = format!("{random}/{}", bits % 33).parse::<ipnet::IpNet>().unwrap().trunc();
    policy.deny.push(net);
    for spelling in spellings(random, nat64) {
        assert!(policy.judge(spelling.into(), &[]).is_err(), "{random} of {net} is let in as {spelling}");
    }
    policy.allow.push(net);
    assert_eq!(policy.judge(random.into(), &[]), Err(Denied::Operator), "{net}");
    policy.deny.clear();
    policy.allow_dangerous = flags & 1 != 0;
    assert!(policy.allow_dangerous || policy.judge(Ipv4Addr::LOCALHOST.into(), &[]).is_err());
    // A global IPv6 address that only says where a tunnel ends is as good as the address it says.
    let global = |spelling: &Ipv6Addr| is_of_nat64(*spelling) || spelling.segments()[0] == ISATAP;
    for spelling in spellings(inside, nat64).into_iter().filter(|spelling| !global(spelling)) {
        assert!(policy.judge(spelling.into(), &[]).is_err(), "{net} opens {spelling}");
    }

    // Its own address is one of its own in the one right spelling, and nothing else.
    let own = [IpAddr::V4(random)];
    for spelling in spellings(random, nat64) {
        assert!(PeerPolicy::default().judge(spelling.into(), &own).is_err() || is_of_nat64(spelling), "{spelling}");
    }
    assert!(matches!(PeerPolicy::default().judge(random.into(), &own), Ok(Peer::Own)));

    // Any IPv6 address at all: never a panic, and nothing outside 2000::/3.
    if let Some((bytes, _)) = rest.split_first_chunk::<16>() {
        let any = Ipv6Addr::from(*bytes);
        let judged = PeerPolicy::default().judge(any.into(), &[]);
        assert!(judged.is_err() || bytes[0] & 0xe0 == 0x20, "{any}");
    }
});

fn is_special(v4: Ipv4Addr) -> bool {
    let within = |(base, prefix): &([u8; 4], u32)| {
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        u32::from(v4) & mask == u32::from(Ipv4Addr::from(*base))
    };
    DENIED.iter().any(within)
}

fn is_of_nat64(v6: Ipv6Addr) -> bool {
    v6.segments()[..2] == NAT64.segments()[..2]
}

/// The ways in which an IPv4 address hides in an IPv6 address (RFC 4291 §2.5.5, RFC 3056, RFC 4380, RFC 5214, RFC 6052,
/// RFC 7915, RFC 8215).
fn spellings(v4: Ipv4Addr, nat64: u8) -> Vec<Ipv6Addr> {
    let [a, b, c, d] = v4.octets();
    let [high, low] = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
    vec![
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0, 0x4136, 0xe378, 0x8000, 0x63bf, !high, !low),
        Ipv6Addr::new(ISATAP, 1, 0, 0, 0, 0x5efe, high, low),
        Ipv6Addr::new(ISATAP, 1, 0, 0, 0x200, 0x5efe, high, low),
        within_nat64(v4, nat64),
    ]
}

/// RFC 6052 §2.2: the address follows the prefix, around the byte of bits 64 to 71, which is zero.
fn within_nat64(v4: Ipv4Addr, length: u8) -> Ipv6Addr {
    let mut bytes = NAT64.octets();
    let mut at = usize::from(length / 8);
    for byte in v4.octets() {
        if at == 8 {
            at += 1;
        }
        bytes[at] = byte;
        at += 1;
    }
    Ipv6Addr::from(bytes)
}
