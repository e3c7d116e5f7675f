//! Answers that leave from another address than the one that was asked (RFC 5780).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use posthouse_relay::{Config, Relay};
use posthouse_stun::{AttributeType as A, Builder, Class, Message, MessageType, Method};
use posthouse_turn::{Discovery, Settings, Shared};

use crate::client::next_id;
use crate::world::{config, peer, receive, settings};

/// Two addresses, two ports below all that the tests let be chosen.
fn start(listen: &[&str], ports: std::ops::RangeInclusive<u16>) -> (Relay, Discovery) {
    let (first, second) = (ports.start() - 2, ports.start() - 1);
    let fill = |text: &&str| text.replace("FIRST", &first.to_string()).replace("SECOND", &second.to_string());
    let listen = listen.iter().map(|text| fill(text).parse().unwrap()).collect();
    let config = Config { listen, workers: 2, ..config(ports) };
    let discovery = Discovery {
        primary: SocketAddr::from(([127, 0, 0, 1], first)),
        alternate: SocketAddr::from(([127, 0, 0, 2], second)),
        external: None,
    };
    let settings = Settings { discovery: vec![discovery], ..settings(&config) };
    (Relay::start(&config, Arc::new(settings), Shared::new()).unwrap(), discovery)
}

/// Asks at each of the four for an answer from each of the four, from several ports, so that all workers are asked.
fn each_answers_for_each(discovery: &Discovery) {
    let Discovery { primary, alternate, .. } = *discovery;
    let [one, other] = [primary.ip(), alternate.ip()];
    for _ in 0..8 {
        let (socket, _) = peer("127.0.0.9");
        for asked in
            [primary, alternate, SocketAddr::new(one, alternate.port()), SocketAddr::new(other, primary.port())]
        {
            let mut origins = BTreeSet::new();
            for flags in [0, 2, 4, 6] {
                let mut buffer = [0; 64];
                let kind = MessageType::new(Method::BINDING, Class::Request);
                let len = Builder::new(&mut buffer, kind, next_id()).number(A::CHANGE_REQUEST, flags).finish().unwrap();
                socket.send_to(&buffer[..len], asked).unwrap();
                let (answer, from) = receive(&socket);
                let origin = Message::parse(&answer).unwrap().plain_address(A::RESPONSE_ORIGIN).unwrap();
                assert_eq!(origin, Some(from), "asked {asked} with {flags}");
                assert_eq!(from.ip() != asked.ip(), flags & 4 != 0, "asked {asked} with {flags}, answered {from}");
                assert_eq!(from.port() != asked.port(), flags & 2 != 0, "asked {asked} with {flags}, answered {from}");
                origins.insert(from);
            }
            assert_eq!(origins.len(), 4);
        }
    }
}

#[test]
fn an_answer_leaves_through_the_listener_that_has_the_address() {
    let listen = ["127.0.0.1:FIRST", "127.0.0.1:SECOND", "127.0.0.2:FIRST", "127.0.0.2:SECOND"];
    let (_relay, discovery) = start(&listen, 24272..=24279);
    each_answers_for_each(&discovery);
}

#[test]
fn a_wildcard_listener_serves_both_addresses_of_its_port() {
    let (_relay, discovery) = start(&["127.0.0.1:SECOND", "0.0.0.0:FIRST", "127.0.0.2:SECOND"], 24282..=24289);
    each_answers_for_each(&discovery);
}
