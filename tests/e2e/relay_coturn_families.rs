//! Debian's TURN client with relayed addresses of IPv6, of IPv4 when asked for, and of both at once.
//!
//! Not over TLS: there the client loses some of its last messages on a busy machine, with coturn's own server too.
//! `conformance` relays over IPv6 and TLS.

use crate::harness::Settings;
use crate::harness::coturn::{Coturn, PEER, PEER6};
use crate::harness::settings::SECRET;
use crate::harness::tools::skip;

const BOB: [&str; 4] = ["-u", "bob", "-W", SECRET];

/// A server that relays over both families, to peers on the loopback network. `None` after saying what is skipped.
fn start() -> Option<Coturn> {
    if std::net::UdpSocket::bind((PEER6, 0)).is_err() {
        skip("there is no IPv6 on the loopback interface; sysctl net.ipv6.conf.lo.disable_ipv6=0");
        return None;
    }
    let settings = Settings::default()
        .ipv6()
        .relay(r#"allow_peers = ["127.0.0.0/8", "::1/128"]"#)
        .relay("allow_dangerous_peers = true")
        // The client leaves its allocations behind.
        .limits("allocations_per_user = 50");
    Coturn::start(&settings)
}

fn relays_all(coturn: &Coturn, port: u16, flags: &[&str]) {
    coturn.relays_all(port, &[&BOB, flags].concat());
}

#[test]
fn an_ipv6_relayed_address_loses_nothing_over_udp() {
    let Some(coturn) = start() else { return };
    let port = coturn.server.relay.port();
    for mode in [&["-c"][..], &["-c", "-s"], &["-c", "-y"]] {
        relays_all(&coturn, port, &[&["-x", "-e", PEER6], mode].concat());
    }
}

#[test]
fn an_ipv6_relayed_address_loses_nothing_over_tcp() {
    let Some(coturn) = start() else { return };
    let port = coturn.server.relay.port();
    for mode in [&["-c"][..], &["-c", "-s"], &["-c", "-y"]] {
        relays_all(&coturn, port, &[&["-t", "-x", "-e", PEER6], mode].concat());
    }
}

#[test]
fn a_pair_of_ipv6_ports_for_rtp_and_rtcp_loses_nothing() {
    let Some(coturn) = start() else { return };
    relays_all(&coturn, coturn.server.relay.port(), &["-x", "-e", PEER6]);
}

#[test]
fn an_ipv4_relayed_address_that_is_asked_for_by_name_loses_nothing() {
    let Some(coturn) = start() else { return };
    let port = coturn.server.relay.port();
    relays_all(&coturn, port, &["-X", "-c", "-e", PEER]);
    relays_all(&coturn, port, &["-X", "-c", "-s", "-e", PEER]);
    relays_all(&coturn, port, &["-X", "-e", PEER]);
}

#[test]
fn a_dual_allocation_loses_nothing_to_peers_of_either_family() {
    let Some(coturn) = start() else { return };
    let port = coturn.server.relay.port();
    for peer in [PEER, PEER6] {
        relays_all(&coturn, port, &["-Z", "-e", peer]);
        relays_all(&coturn, port, &["-Z", "-s", "-e", peer]);
    }
}

#[test]
fn a_dual_allocation_loses_nothing_between_clients_and_over_tcp() {
    let Some(coturn) = start() else { return };
    let port = coturn.server.relay.port();
    for flags in [&["-Z", "-y"][..], &["-t", "-Z"], &["-t", "-Z", "-s"]] {
        relays_all(&coturn, port, flags);
    }
}

#[test]
fn dont_fragment_padded_channels_and_repeated_requests_lose_nothing() {
    let Some(coturn) = start() else { return };
    for flag in ["-g", "-D", "-G"] {
        relays_all(&coturn, coturn.server.relay.port(), &["-c", flag]);
    }
}
