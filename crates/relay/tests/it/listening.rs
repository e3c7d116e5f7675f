//! Where clients may come in.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use posthouse_relay::{Config, Relay, StartError};
use posthouse_turn::Shared;

use crate::client::{Client, Incoming};
use crate::world::{config, cut_into, payload, peer, receive, settings, start};

#[test]
fn a_wildcard_listener_answers_from_the_address_that_was_asked() {
    let config = Config { listen: vec!["0.0.0.0:0".parse().unwrap()], ..config(23200..=23299) };
    let relay = start(&config);
    let (socket, address) = peer("127.0.0.9");
    for asked in ["127.0.0.1", "127.0.0.2", "127.0.0.77"] {
        let server = SocketAddr::new(asked.parse().unwrap(), relay.listening()[0].port());
        // The client checks of every packet that it comes from `server`.
        let mut client = Client::new(server, "alice");
        assert_eq!(client.binding(), client.own_address());
        client.allocate(|_| {}).unwrap();
        client.bind_channel(0x4000, address).unwrap();
        client.send_channel(0x4000, b"out");
        assert_eq!(receive(&socket).0, b"out");
        let (burst_peer, burst_address) = peer("127.0.0.9");
        client.bind_channel(0x4001, burst_address).unwrap();
        let burst: Vec<_> = (0..30).map(|n| payload(n, 400)).collect();
        cut_into(&burst_peer, 400);
        burst_peer.send_to(&burst.concat(), client.relayed()).unwrap();
        for sent in burst {
            assert_eq!(client.incoming(), Incoming::Channel(0x4001, sent));
        }
        assert!(relay.allocations().iter().any(|a| a.client.server == server));
    }
}

#[test]
fn wildcards_of_both_families_share_a_port() {
    let first = start(&Config { listen: vec!["[::]:0".parse().unwrap()], ..config(23300..=23315) });
    let port = first.listening()[0].port();
    let second = start(&Config { listen: vec![SocketAddr::new([0, 0, 0, 0].into(), port)], ..config(23316..=23331) });
    for (relay, ip) in [(&first, "::1"), (&second, "127.0.0.2")] {
        let client = Client::new(SocketAddr::new(ip.parse().unwrap(), relay.listening()[0].port()), "alice");
        assert_eq!(client.binding(), client.own_address());
    }
}

#[test]
fn several_listeners_serve_side_by_side() {
    let listen = ["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"].map(|a| a.parse().unwrap()).to_vec();
    let relay = start(&Config { listen, workers: 2, ..config(23332..=23399) });
    let (socket, address) = peer("127.0.0.9");
    for &server in &relay.listening()[..2] {
        let mut client = Client::allocated(server, "alice");
        client.bind_channel(0x4000, address).unwrap();
        client.send_channel(0x4000, b"out");
        assert_eq!(receive(&socket), (b"out".to_vec(), client.relayed()));
        socket.send_to(b"back", client.relayed()).unwrap();
        assert_eq!(client.incoming(), Incoming::Channel(0x4000, b"back".to_vec()));
    }
    let client = Client::new(relay.listening()[2], "alice");
    assert_eq!(client.binding(), client.own_address());
}

#[test]
fn a_taken_address_is_named_with_a_way_out() {
    let relay = start(&config(23400..=23415));
    let taken = relay.listening()[0];
    let config = Config { listen: vec!["127.0.0.1:0".parse().unwrap(), taken], ..config(23416..=23431) };
    let refused = start_error(&config);
    assert!(matches!(refused, StartError::Listen { address, .. } if address == taken));
    let text = refused.to_string();
    assert!(text.contains(&taken.to_string()) && text.contains("ss -lunp"), "{text}");
}

#[test]
fn impossible_configurations_are_refused_with_a_reason() {
    let base = || config(23432..=23447);
    let nowhere: IpAddr = "192.0.2.1".parse().unwrap();
    let wildcard: IpAddr = "::".parse().unwrap();
    let inside = "127.0.0.1:23433".parse().unwrap();
    let cases = [
        (Config { relay_addresses: vec![nowhere.into()], ..base() }, "192.0.2.1"),
        (Config { relay_addresses: vec![wildcard.into()], ..base() }, "stands for every address"),
        (Config { listen: vec![inside], ..base() }, "inside the range of relayed ports 23432-23447"),
        (Config { ports: 0..=9, ..base() }, "0-9"),
        (Config { listen: vec!["192.0.2.1:3478".parse().unwrap()], ..base() }, "`ip address`"),
    ];
    for (config, expected) in cases {
        let text = start_error(&config).to_string();
        assert!(text.contains(expected), "{text}");
    }
}

fn start_error(config: &Config) -> StartError {
    Relay::start(config, Arc::new(settings(config)), Shared::new()).expect_err("it must not start")
}
