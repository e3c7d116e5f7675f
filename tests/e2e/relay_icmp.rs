//! ICMP errors about what the relay sent (RFC 8656 §11.5), told to the client.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use stun::attributes::{
    ATTR_DATA, ATTR_REQUESTED_ADDRESS_FAMILY, ATTR_REQUESTED_TRANSPORT, ATTR_XOR_PEER_ADDRESS, AttrType,
};
use stun::message::{
    CLASS_INDICATION, METHOD_ALLOCATE, METHOD_CREATE_PERMISSION, METHOD_DATA, METHOD_SEND, Message, MessageType,
};

use crate::harness::stun_client::{Peer, Raw, StunClient, error_code, xor_address};
use crate::harness::{Server, Settings};

const ICMP: AttrType = AttrType(0x8004);

/// `::1` is in the network of IPv4-compatible addresses as well.
fn server() -> Server {
    let peers = r#"allow_peers = ["127.0.0.0/8", "::1", "0.0.0.1"]"#;
    Server::start(&Settings::default().ipv6().relay(peers).relay("allow_dangerous_peers = true"))
}

fn allocated(server: SocketAddr) -> StunClient {
    let mut client = StunClient::at(server.ip(), server);
    let family = if server.is_ipv4() { 1 } else { 2 };
    let udp = Raw(ATTR_REQUESTED_TRANSPORT, vec![17, 0, 0, 0]);
    let family = Raw(ATTR_REQUESTED_ADDRESS_FAMILY, vec![family, 0, 0, 0]);
    assert_eq!(error_code(&client.request(METHOD_ALLOCATE, &[&udp, &family])), None);
    client
}

fn send(client: &StunClient, to: SocketAddr, data: &[u8]) {
    let kind = MessageType::new(METHOD_SEND, CLASS_INDICATION);
    client.send(kind, &[&Peer(to), &Raw(ATTR_DATA, data.to_vec())]);
}

/// Peer, type and code of a Data indication about an error.
fn reported(message: &Message) -> Option<(SocketAddr, u8, u16)> {
    let value = message.get(ICMP).ok()?;
    assert!(message.typ.method == METHOD_DATA && message.typ.class == CLASS_INDICATION, "{message}");
    assert!(!message.contains(ATTR_DATA), "RFC 8656 §11.5: no DATA in {message}");
    // RFC 8656 §18.13: 16 bits reserved, 7 of type, 9 of code, 32 of error data.
    let [0, 0, a, b, 0, 0, 0, 0] = value[..] else { panic!("{value:?}") };
    Some((xor_address(message, ATTR_XOR_PEER_ADDRESS).expect("a peer"), a >> 1, u16::from(a & 1) << 8 | u16::from(b)))
}

#[test]
fn a_client_is_told_that_its_peers_port_is_closed() {
    let server = server();
    // RFC 792: port unreachable is 3, 3; RFC 4443: 1, 4.
    for (at, peer, kind, code) in [(server.relay, "127.0.0.2", 3, 3), (server.relay6, "::1", 1, 4)] {
        let closed = SocketAddr::new(peer.parse().unwrap(), server.spare_port);
        let mut client = allocated(at);
        assert_eq!(error_code(&client.request(METHOD_CREATE_PERMISSION, &[&Peer(closed)])), None);
        send(&client, closed, b"is anybody there?");
        assert_eq!(reported(&client.receive().0), Some((closed, kind, code)));
    }
}

#[test]
fn what_goes_to_and_comes_from_other_peers_after_an_error_is_whole() {
    let server = server();
    for (at, elsewhere) in [(server.relay, "127.0.0.2"), (server.relay6, "::1")] {
        let closed = SocketAddr::new(elsewhere.parse().unwrap(), server.spare_port);
        let open = UdpSocket::bind((closed.ip(), 0)).unwrap();
        open.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let there = open.local_addr().unwrap();
        let mut client = allocated(at);
        assert_eq!(error_code(&client.request(METHOD_CREATE_PERMISSION, &[&Peer(closed), &Peer(there)])), None);
        let mut reports = 0;
        for round in 0..200_u32 {
            send(&client, closed, b"lost");
            send(&client, there, &round.to_be_bytes());
            let mut buffer = [0; 64];
            let (len, relayed) = open.recv_from(&mut buffer).unwrap();
            assert_eq!(buffer[..len], round.to_be_bytes());
            open.send_to(&round.to_le_bytes(), relayed).unwrap();
            let data = loop {
                let message = client.receive().0;
                match reported(&message) {
                    Some(_) => reports += 1,
                    None => break message.get(ATTR_DATA).unwrap(),
                }
            };
            assert_eq!(data, round.to_le_bytes());
        }
        assert!(reports > 0);
    }
}
