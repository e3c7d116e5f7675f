//! Who is never relayed to, in whatever spelling (RFC 8656 §21.4 and the deny list).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Case;
use super::wire::*;
use super::world::{Session, World};

/// IPv4 networks that are denied by default, one or more addresses of each; loopback is allowed to these tests.
const DENIED_V4: &[[u8; 4]] = &[
    [0, 0, 0, 0],
    [0, 1, 2, 3],
    [10, 0, 0, 1],
    [10, 255, 255, 255],
    [100, 64, 0, 1],
    [100, 100, 100, 200],
    [168, 63, 129, 16],
    [169, 254, 169, 254],
    [169, 254, 170, 2],
    [172, 16, 0, 1],
    [172, 31, 255, 255],
    [192, 0, 0, 192],
    [192, 0, 2, 1],
    [192, 31, 196, 1],
    [192, 52, 193, 1],
    [192, 88, 99, 1],
    [192, 168, 1, 1],
    [192, 175, 48, 1],
    [198, 18, 0, 1],
    [198, 19, 255, 255],
    [198, 51, 100, 1],
    [203, 0, 113, 1],
    [224, 0, 0, 1],
    [239, 255, 255, 255],
    [240, 0, 0, 1],
    [255, 255, 255, 255],
];

const DENIED_V6: &[&str] = &[
    "::",
    "::2",
    "100::1",
    "64:ff9b::808:808",
    "64:ff9b:1::808:808",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:808:808::1",
    "2620:4f:8000::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "4000::1",
    "::ffff:8.8.8.8",
    "::ffff:0:8.8.8.8",
];

/// Every way in which an IPv4 address is written as an IPv6 address.
fn disguises(v4: [u8; 4]) -> Vec<Ipv6Addr> {
    let [a, b, c, d] = v4;
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    vec![
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0, 0x4136, 0xe378, 0x8000, 0x63bf, !high, !low),
        Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0, 0x5efe, high, low),
        Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0x200, 0x5efe, high, low),
    ]
}

fn v6(w: &World) -> Session {
    let mut session = w.session();
    session.ask(ALLOCATE, |r| r.udp().with(REQUESTED_ADDRESS_FAMILY, &IPV6)).success();
    session
}

/// Neither by permission nor by channel.
fn is_denied(session: &mut Session, ip: IpAddr) {
    let peer = SocketAddr::new(ip, 53);
    session.ask(CREATE_PERMISSION, |r| r.peer(peer)).refused(403);
    session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(peer)).refused(403);
}

pub(crate) const CASES: &[Case] = &[
    ("no special IPv4 address is relayed to", |w| {
        let (mut session, _) = w.allocated();
        for address in DENIED_V4 {
            is_denied(&mut session, Ipv4Addr::from(*address).into());
        }
    }),
    ("no special IPv6 address is relayed to", |w| {
        let mut session = v6(w);
        for address in DENIED_V6 {
            is_denied(&mut session, address.parse().expect("an address"));
        }
    }),
    ("no denied IPv4 address is relayed to in any IPv6 spelling", |w| {
        let mut session = v6(w);
        for address in DENIED_V4.iter().chain([&[127, 0, 0, 1]]) {
            for disguise in disguises(*address).into_iter().filter(|ip| !ip.is_loopback()) {
                is_denied(&mut session, disguise.into());
            }
        }
    }),
    ("an IPv6 spelling on an IPv4 allocation is the other family", |w| {
        let (mut session, _) = w.allocated();
        for disguise in disguises([8, 8, 8, 8]).into_iter().chain(disguises([127, 0, 0, 3])) {
            let peer = SocketAddr::new(disguise.into(), 53);
            session.ask(CREATE_PERMISSION, |r| r.peer(peer)).refused(443);
            session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(peer)).refused(443);
        }
    }),
    ("public peers are permitted", |w| {
        let (mut session, _) = w.allocated();
        for address in [[8, 8, 8, 8], [1, 1, 1, 1], [9, 255, 255, 255], [100, 128, 0, 1], [223, 255, 255, 255]] {
            session.permit((address, 53).into());
        }
        let mut session = v6(w);
        for address in ["[2606:4700::1]:53", "[2a00:1450::1]:53"] {
            session.permit(address.parse().expect("an address"));
        }
    }),
    ("our own listeners are reached by nobody", |w| {
        let (mut session, _) = w.allocated();
        for listener in [w.server.relay, w.server.relay_tls, w.server.web, w.server.admin, w.server.edge] {
            session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(listener)).refused(403);
            // The address may be permitted, for the relayed ports of other clients; the port decides.
            session.permit(listener);
            session.indicate(listener, &Request::new(BINDING).bytes());
            session.dropped(&Request::new(0x0011).bytes());
        }
    }),
    ("our own IPv6 listeners are reached by nobody", |w| {
        let mut session = v6(w);
        let listener = w.server.relay6;
        session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(listener)).refused(403);
        session.permit(listener);
        session.indicate(listener, &Request::new(BINDING).bytes());
        session.dropped(&Request::new(0x0011).bytes());
    }),
];
