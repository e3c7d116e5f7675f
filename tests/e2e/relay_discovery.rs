//! NAT behaviour discovery (RFC 5780) at the four addresses of a running server, message by message. What programs of
//! others make of it is in `relay_natdiscovery.rs`.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use posthouse_probe::{Ask, allocate};
use stun::attributes::{
    ATTR_CHANGE_REQUEST, ATTR_MAPPED_ADDRESS, ATTR_OTHER_ADDRESS, ATTR_PADDING, ATTR_RESPONSE_ORIGIN,
    ATTR_RESPONSE_PORT, ATTR_XORMAPPED_ADDRESS,
};
use stun::message::{BINDING_REQUEST, METHOD_BINDING, Setter};

use crate::harness::ports::Ports;
use crate::harness::stun_client::{Raw, StunClient, address, error_code, receive, xor_address};
use crate::harness::{Server, Settings};

/// CHANGE-REQUEST: "change IP", "change port" (RFC 5780 §7.2).
const CHANGES: [(u8, bool, bool); 4] = [(0, false, false), (4, true, false), (2, false, true), (6, true, true)];

fn settings() -> Settings {
    Settings::default().relay("alternate_addresses = [\"127.0.0.2\"]")
}

/// The other address, the other port, or both.
fn other(server: &Server, at: SocketAddr, change_ip: bool, change_port: bool) -> SocketAddr {
    let flip = |is_first: bool, change: bool| is_first != change;
    let ip = if flip(at.ip() == server.relay.ip(), change_ip) { [127, 0, 0, 1] } else { [127, 0, 0, 2] };
    let port = server.relay.port() + u16::from(!flip(at.port() == server.relay.port(), change_port));
    SocketAddr::new(IpAddr::from(ip), port)
}

fn client(at: SocketAddr) -> StunClient {
    StunClient::at(IpAddr::from([127, 0, 0, 9]), at)
}

fn change(flags: u8) -> Raw {
    Raw(ATTR_CHANGE_REQUEST, vec![0, 0, 0, flags])
}

#[test]
fn each_of_the_four_addresses_answers_from_the_one_that_is_asked_for() {
    let server = Server::start(&settings());
    let mut origins = BTreeSet::new();
    for (_, ip, port) in CHANGES {
        let asked = other(&server, server.relay, ip, port);
        let client = client(asked);
        for (flags, change_ip, change_port) in CHANGES {
            let (answer, from) = client.ask(METHOD_BINDING, &[&change(flags)]);
            let expected = other(&server, asked, change_ip, change_port);
            assert_eq!(from, expected, "asked {asked} with {flags}");
            assert_eq!(address(&answer, ATTR_RESPONSE_ORIGIN), Some(from));
            assert_eq!(address(&answer, ATTR_OTHER_ADDRESS), Some(other(&server, asked, true, true)));
            let own = Some(client.local());
            assert_eq!(
                (address(&answer, ATTR_MAPPED_ADDRESS), xor_address(&answer, ATTR_XORMAPPED_ADDRESS)),
                (own, own)
            );
            origins.insert(from);
        }
    }
    assert_eq!(origins.len(), 4);
}

#[test]
fn the_answer_goes_to_the_response_port_and_not_to_the_sender() {
    let server = Server::start(&settings());
    let client = client(server.relay);
    let elsewhere = UdpSocket::bind((client.local().ip(), 0)).unwrap();
    elsewhere.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    let port = Raw(ATTR_RESPONSE_PORT, [&port.to_be_bytes()[..], &[0, 0]].concat());
    let request = client.send(BINDING_REQUEST, &[&port, &change(6)]);
    let (answer, from) = receive(&elsewhere);
    assert_eq!((answer.transaction_id, from), (request.transaction_id, other(&server, server.relay, true, true)));
    assert_eq!(address(&answer, ATTR_MAPPED_ADDRESS), Some(client.local()));
    // What comes next at the sender's own port is the answer to another request.
    client.ask(METHOD_BINDING, &[]);
}

#[test]
fn padding_comes_back_and_the_answer_is_no_longer_than_the_request() {
    let server = Server::start(&settings());
    let client = client(server.relay);
    for len in [64, 1000, 1500, 4000] {
        let padding = Raw(ATTR_PADDING, vec![0; len]);
        let request = client.send(BINDING_REQUEST, &[&padding]);
        let (answer, _) = client.receive();
        assert!(answer.raw.len() <= request.raw.len(), "{} bytes for {}", answer.raw.len(), request.raw.len());
        let got = answer.get(ATTR_PADDING).map(|padding| padding.len()).unwrap_or_default();
        // The rest of the answer is 44 bytes longer than the rest of the request.
        assert_eq!(got, (len - 48).next_multiple_of(4).min(1500), "of {len} bytes");
    }
}

#[test]
fn padding_to_a_chosen_port_is_a_400() {
    let server = Server::start(&settings());
    let (padding, port) = (Raw(ATTR_PADDING, vec![0; 100]), Raw(ATTR_RESPONSE_PORT, vec![0x20, 0, 0, 0]));
    let (answer, from) = client(server.relay).ask(METHOD_BINDING, &[&padding, &port]);
    assert_eq!((error_code(&answer), from), (Some(400), server.relay));
}

#[test]
fn without_a_second_address_discovery_is_unknown_and_answers_stay_short() {
    let server = Server::start(&Settings::default());
    let client = client(server.relay);
    let [port, padding] = [Raw(ATTR_RESPONSE_PORT, vec![0x20, 0, 0, 0]), Raw(ATTR_PADDING, vec![0; 8])];
    let asked: [&dyn Setter; 3] = [&change(6), &port, &padding];
    for attribute in asked {
        assert_eq!(error_code(&client.ask(METHOD_BINDING, &[attribute]).0), Some(420));
    }
    let (answer, _) = client.ask(METHOD_BINDING, &[]);
    assert_eq!((address(&answer, ATTR_OTHER_ADDRESS), answer.raw.len()), (None, 32));
}

#[test]
fn behind_one_to_one_nat_clients_are_told_the_public_addresses() {
    let lines = "external_addresses = [\"203.0.113.10/127.0.0.1\", \"203.0.113.11/127.0.0.2\"]";
    let server = Server::start(&settings().relay(lines));
    let (answer, from) = client(server.relay).ask(METHOD_BINDING, &[&change(2)]);
    let second = server.relay.port() + 1;
    assert_eq!(from, SocketAddr::new(server.relay.ip(), second), "NAT translates what is sent from here");
    assert_eq!(address(&answer, ATTR_RESPONSE_ORIGIN), Some(SocketAddr::from(([203, 0, 113, 10], second))));
    assert_eq!(address(&answer, ATTR_OTHER_ADDRESS), Some(SocketAddr::from(([203, 0, 113, 11], second))));
}

#[test]
fn the_second_port_is_the_one_of_the_file() {
    let port = Ports::own().next();
    let server = Server::start(&settings().relay(&format!("alternate_port = {port}")));
    let (answer, from) = client(server.relay).ask(METHOD_BINDING, &[&change(6)]);
    assert_eq!(from, SocketAddr::from(([127, 0, 0, 2], port)));
    assert_eq!(address(&answer, ATTR_OTHER_ADDRESS), Some(from));
}

#[tokio::test]
async fn no_peer_is_one_of_the_four_even_where_loopback_is_allowed() {
    let server = Server::start(&settings().loopback_peers());
    let mut allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    for (_, ip, port) in CHANGES {
        let listener = other(&server, server.relay, ip, port);
        let refused = allocation.bind_channel(listener).await.err();
        let refused = refused.unwrap_or_else(|| panic!("a channel was bound to {listener}"));
        assert_eq!(refused.code(), Some(403), "{refused}");
    }
}
