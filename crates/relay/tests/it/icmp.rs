//! Peers that are not there (RFC 8656 §11.5).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use posthouse_relay::Config;

use crate::client::{Client, Incoming};
use crate::world::{config, payload, peer, receive, start, wait_for};

fn v6(config: Config) -> Config {
    Config {
        listen: vec!["[::1]:0".parse().unwrap()],
        relay_addresses: vec![IpAddr::from(Ipv6Addr::LOCALHOST).into()],
        ..config
    }
}

/// A closed port, as ICMP (RFC 792) and ICMPv6 (RFC 4443) say it.
fn cases(ports: [std::ops::RangeInclusive<u16>; 2], closed: u16) -> [(Config, SocketAddr, (u8, u16)); 2] {
    let [of_v4, of_v6] = ports;
    let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), closed);
    [(config(of_v4), at("127.0.0.9"), (3, 3)), (v6(config(of_v6)), at("::1"), (1, 4))]
}

#[test]
fn a_client_is_told_of_a_closed_port_in_both_families() {
    for (config, closed, (kind, code)) in cases([24200..=24215, 24216..=24231], 24060) {
        let relay = start(&config);
        let mut client = Client::allocated(relay.listening()[0], "alice");
        client.permit(closed).unwrap();
        client.send(closed, b"is anybody there?");
        assert_eq!(client.icmp(), (closed, kind, code));
        wait_for(&relay, "one report", |w| w[0].turn.icmp_reported == 1);
    }
}

#[test]
fn a_closed_port_costs_no_packet_to_or_from_an_open_one() {
    for (config, closed, _) in cases([24232..=24247, 24248..=24263], 24061) {
        let relay = start(&config);
        let mut client = Client::allocated(relay.listening()[0], "alice");
        let (open, there) = peer(if closed.is_ipv4() { "127.0.0.10" } else { "::1" });
        client.bind_channel(0x4000, closed).unwrap();
        client.bind_channel(0x4001, there).unwrap();
        for round in 0..200 {
            // In one batch or in several, before the error is read and after.
            client.send_channel(0x4000, b"lost");
            client.send_channel(0x4001, &payload(round, 100));
            client.send_channel(0x4001, &payload(round, 50));
            // With the DF bit each has a call of its own, which the error of the one before fails.
            client.send_whole(closed, b"lost");
            client.send_whole(there, &payload(round, 60));
            for len in [100, 50, 60] {
                assert_eq!(receive(&open), (payload(round, len), client.relayed()));
            }
            open.send_to(&payload(round, 70), client.relayed()).unwrap();
            assert_eq!(client.incoming_past_reports(), Incoming::Channel(0x4001, payload(round, 70)));
        }
        wait_for(&relay, "reports, and the rest counted", |w| {
            w[0].turn.icmp_reported > 0 && w[0].counters.send_errors.total() == 0
        });
    }
}
