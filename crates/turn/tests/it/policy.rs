//! Networks that are never relayed to, in every spelling (RFC 8656 §21.4, §21.1.4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use posthouse_turn::{Denied, Peer, PeerPolicy};
use proptest::prelude::*;

use crate::world::{Client, RELAY_V4, World, address};

/// The table of the security document, written down a second time and differently: as text, judged by `ipnet`.
const DENIED: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "168.63.129.16/32",
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "2002::/16",
    "2620:4f:8000::/48",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    // Everything outside 2000::/3.
    "::/3",
    "4000::/2",
    "8000::/1",
];

fn denied() -> Vec<IpNet> {
    DENIED.iter().map(|text| text.parse().unwrap()).collect()
}

fn reference(ip: IpAddr) -> bool {
    let listed = |ip: IpAddr| denied().iter().any(|net| net.contains(&ip));
    let isatap = match ip {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => {
            let o = v6.octets();
            let is = matches!(o[8..12], [0 | 2, 0, 0x5e, 0xfe]);
            is.then(|| IpAddr::V4(Ipv4Addr::new(o[12], o[13], o[14], o[15])))
        }
    };
    listed(ip) || isatap.is_some_and(listed)
}

fn is_denied(policy: &PeerPolicy, ip: IpAddr) -> bool {
    policy.judge(ip, &[]).is_err()
}

/// Every way that some network reads an IPv4 address out of an IPv6 address.
fn spellings(v4: Ipv4Addr) -> Vec<Ipv6Addr> {
    let [a, b, c, d] = v4.octets().map(u16::from);
    let (high, low) = (a << 8 | b, c << 8 | d);
    let of = |s: [u16; 8]| Ipv6Addr::from(s);
    vec![
        of([0, 0, 0, 0, 0, 0, high, low]),
        of([0, 0, 0, 0, 0, 0xffff, high, low]),
        of([0, 0, 0, 0, 0xffff, 0, high, low]),
        of([0x64, 0xff9b, 0, 0, 0, 0, high, low]),
        of([0x64, 0xff9b, 1, 0, 0, 0, high, low]),
        of([0x64, 0xff9b, 1, 7, 7, 7, high, low]),
        of([0x2002, high, low, 0, 0, 0, 0, 1]),
        of([0x2001, 0, 0x4136, 0xe378, 0x8000, 0x63bf, !high, !low]),
        of([0x2a00, 1, 2, 3, 0, 0x5efe, high, low]),
        of([0x2a00, 1, 2, 3, 0x0200, 0x5efe, high, low]),
        of([0xfe80, 0, 0, 0, 0, 0x5efe, high, low]),
        // The network-specific NAT64 prefixes of `policy_with_nat64`.
        of([0x2a01, 0x64, 0, 0, 0, 0, high, low]),
        of([0x2a02, 0x64, high, low, 0, 0, 0, 0]),
    ]
}

fn policy_with_nat64() -> PeerPolicy {
    let nat64_prefixes = vec!["2a01:64::/96".parse().unwrap(), "2a02:64::/32".parse().unwrap()];
    PeerPolicy { nat64_prefixes, ..PeerPolicy::default() }
}

fn next(ip: IpAddr, by: i128) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(ip) => u32::try_from(i128::from(ip.to_bits()) + by).ok().map(|b| Ipv4Addr::from_bits(b).into()),
        IpAddr::V6(ip) => ip.to_bits().checked_add_signed(by).map(|b| Ipv6Addr::from_bits(b).into()),
    }
}

/// First - 1, first, last and last + 1 of every denied network.
fn boundaries() -> Vec<IpAddr> {
    let edges =
        |net: IpNet| [next(net.network(), -1), Some(net.network()), Some(net.broadcast()), next(net.broadcast(), 1)];
    denied().into_iter().flat_map(edges).flatten().collect()
}

#[test]
fn every_boundary_of_every_denied_network_is_judged_as_the_reference_judges_it() {
    let policy = PeerPolicy::default();
    for ip in boundaries() {
        assert_eq!(is_denied(&policy, ip), reference(ip), "{ip}");
    }
}

#[test]
fn every_denied_ipv4_boundary_is_denied_in_every_ipv6_spelling() {
    let policy = policy_with_nat64();
    for ip in boundaries() {
        let IpAddr::V4(v4) = ip else { continue };
        for spelling in spellings(v4).into_iter().filter(|_| reference(ip)) {
            assert!(is_denied(&policy, spelling.into()), "{v4} as {spelling}");
        }
    }
}

#[test]
fn public_peers_are_allowed() {
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "9.9.9.9",
        "11.0.0.1",
        "100.128.0.1",
        "172.32.0.1",
        "2a00:1450::1",
        "2606:4700::1",
        "2001:200::1",
    ] {
        assert_eq!(PeerPolicy::default().judge(text.parse().unwrap(), &[]), Ok(Peer::Host), "{text}");
    }
    // Public addresses in ISATAP and network-specific NAT64 stay public.
    for text in ["2a00:1::5efe:8.8.8.8", "2a01:64::8.8.8.8", "2a02:64:808:808::"] {
        assert_eq!(policy_with_nat64().judge(text.parse().unwrap(), &[]), Ok(Peer::Host), "{text}");
    }
}

#[test]
fn even_public_addresses_are_denied_in_disguise() {
    for text in ["::ffff:8.8.8.8", "::8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"] {
        assert!(is_denied(&PeerPolicy::default(), text.parse().unwrap()), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    #[test]
    fn any_ipv4_is_judged_as_the_reference_judges_it(bits: u32) {
        let v4 = Ipv4Addr::from_bits(bits);
        prop_assert_eq!(is_denied(&PeerPolicy::default(), v4.into()), reference(v4.into()));
    }

    #[test]
    fn any_ipv6_is_judged_as_the_reference_judges_it(bits: u128, unicast: bool) {
        // Half of them inside 2000::/3, or there would be few.
        let bits = if unicast { bits >> 3 | 1 << 125 } else { bits };
        let v6 = Ipv6Addr::from_bits(bits);
        prop_assert_eq!(is_denied(&PeerPolicy::default(), v6.into()), reference(v6.into()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_denied_ipv4_is_denied_in_every_spelling(network in 0..19usize, host: u32) {
        let IpNet::V4(net) = denied()[network] else { panic!("the first nineteen are IPv4") };
        let v4 = Ipv4Addr::from_bits(net.network().to_bits() | host & !net.netmask().to_bits());
        for spelling in spellings(v4) {
            prop_assert!(is_denied(&policy_with_nat64(), spelling.into()), "{} as {}", v4, spelling);
        }
    }
}

#[test]
fn an_exception_opens_a_private_network_but_not_its_disguises() {
    let allow = vec!["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()];
    let policy = PeerPolicy { allow, ..PeerPolicy::default() };
    let judge = |text: &str| policy.judge(text.parse().unwrap(), &[]);
    assert_eq!(judge("10.1.2.3"), Ok(Peer::Host));
    assert_eq!(judge("fd12::1"), Ok(Peer::Host));
    assert_eq!(judge("10.2.0.1"), Err(Denied::SpecialPurpose));
    assert_eq!(judge("::ffff:10.1.2.3"), Err(Denied::SpecialPurpose));
    assert_eq!(judge("2002:a01:203::1"), Err(Denied::SpecialPurpose));
}

#[test]
fn loopback_and_metadata_need_a_second_switch() {
    let allow: Vec<IpNet> = ["0.0.0.0/0", "::/0"].map(|net| net.parse().unwrap()).into();
    let careful = PeerPolicy { allow: allow.clone(), ..PeerPolicy::default() };
    let reckless = PeerPolicy { allow, allow_dangerous: true, ..PeerPolicy::default() };
    for text in [
        "127.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "::1",
        "::",
        "fd00:ec2::254",
    ] {
        let ip = text.parse().unwrap();
        assert!(matches!(careful.judge(ip, &[]), Err(Denied::Dangerous)), "{text}");
        assert_eq!(reckless.judge(ip, &[]), Ok(Peer::Host), "{text}");
    }
    assert_eq!(careful.judge("10.0.0.1".parse().unwrap(), &[]), Ok(Peer::Host));
    assert_eq!(careful.judge("169.254.1.1".parse().unwrap(), &[]), Ok(Peer::Host));
    assert!(is_denied(&careful, "::ffff:127.0.0.1".parse().unwrap()));
}

#[test]
fn an_operator_s_denial_wins_over_everything() {
    let own: IpAddr = "198.51.100.1".parse().unwrap();
    let policy = PeerPolicy {
        allow: vec!["9.9.0.0/16".parse().unwrap()],
        deny: vec!["9.9.9.0/24".parse().unwrap(), "198.51.100.0/24".parse().unwrap(), "2a00::/16".parse().unwrap()],
        ..policy_with_nat64()
    };
    let judge = |text: &str| policy.judge(text.parse().unwrap(), &[own]);
    assert_eq!(judge("9.9.8.1"), Ok(Peer::Host));
    assert_eq!(judge("9.9.9.1"), Err(Denied::Operator));
    assert_eq!(judge("198.51.100.1"), Err(Denied::Operator));
    assert_eq!(judge("2a00::1"), Err(Denied::Operator));
    assert_eq!(judge("2a01:64::9.9.9.1"), Err(Denied::Operator), "behind NAT64 too");
}

#[test]
fn an_excepted_own_address_opens_every_port_but_those_we_listen_on() {
    let mut world = World::with(|s| {
        s.peer_policy.allow = vec!["198.51.100.1/32".parse().unwrap()];
        s.own_ports = vec![3478, 8080];
    });
    let mut client = Client::new(1);
    client.allocate(&mut world);
    let own = |port| SocketAddr::new(RELAY_V4.parse().unwrap(), port);
    assert_eq!(client.bind(&mut world, 0x4000, own(20_000)), 0, "a media server beside us");
    assert_eq!(client.bind(&mut world, 0x4001, own(3478)), 403);
    assert_eq!(client.bind(&mut world, 0x4001, own(8080)), 403);
    assert_eq!(client.bind(&mut world, 0x4001, own(49_999)), 0, "another client's relayed address");
}

#[test]
fn an_own_address_has_one_spelling() {
    let own = ["10.0.0.5", "8.8.4.4", "2a00::5"].map(|text| text.parse().unwrap());
    let judge = |text: &str| policy_with_nat64().judge(text.parse().unwrap(), &own);
    assert_eq!(judge("10.0.0.5"), Ok(Peer::Own));
    assert_eq!(judge("8.8.4.4"), Ok(Peer::Own));
    assert_eq!(judge("2a00::5"), Ok(Peer::Own));
    assert!(judge("::ffff:8.8.4.4").is_err());
    assert!(judge("2a01:64::8.8.4.4").is_err(), "through NAT64 it would reach any port");
    assert!(judge("2a01:64::10.0.0.5").is_err());
}

#[test]
fn create_permission_channel_bind_and_send_go_by_the_same_policy() {
    let mut world = World::new();
    let (mut four, mut six) = (Client::new(1), Client::new(2));
    four.allocate(&mut world);
    six.allocate_with(&mut world, |b| {
        b.attribute(posthouse_stun::AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    // The relay's own addresses lie in documentation networks; they are another law.
    let own = [address("198.51.100.1:9").ip(), address("[2001:db8::1]:9").ip()];
    for ip in boundaries().into_iter().filter(|&ip| reference(ip) && !own.contains(&ip)) {
        let (client, peer) = (if ip.is_ipv4() { &mut four } else { &mut six }, SocketAddr::new(ip, 50_000));
        assert_eq!(client.permit(&mut world, &[peer]), 403, "{ip}");
        assert_eq!(client.bind(&mut world, 0x4000, peer), 403, "{ip}");
        assert!(client.send(&mut world, peer, b"x").is_none(), "{ip}");
    }
    let denied = world.server.stats().denied_peers;
    assert_eq!(denied.special_purpose, world.server.stats().refusals.forbidden);
    assert!(denied.special_purpose > 100);
}
