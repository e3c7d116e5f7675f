//! ICMP errors about what the relay sent (RFC 8656 §11.5), told to the client.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use stun::attributes::{
    ATTR_DATA, ATTR_DONT_FRAGMENT, ATTR_REQUESTED_ADDRESS_FAMILY, ATTR_REQUESTED_TRANSPORT, ATTR_XOR_PEER_ADDRESS,
    AttrType,
};
use stun::message::{
    CLASS_INDICATION, METHOD_ALLOCATE, METHOD_CREATE_PERMISSION, METHOD_DATA, METHOD_SEND, Message, MessageType,
};

use crate::harness::http::get;
use crate::harness::namespace::Namespace;
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

/// Peer, type, code and error data of a Data indication about an error.
fn reported(message: &Message) -> Option<(SocketAddr, u8, u16, u32)> {
    let value = message.get(ICMP).ok()?;
    assert!(message.typ.method == METHOD_DATA && message.typ.class == CLASS_INDICATION, "{message}");
    assert!(!message.contains(ATTR_DATA), "RFC 8656 §11.5: no DATA in {message}");
    // RFC 8656 §18.13: 16 bits reserved, 7 of type, 9 of code, 32 of error data.
    let [0, 0, a, b, data @ ..] = &value[..] else { panic!("{value:?}") };
    let data = u32::from_be_bytes(data.try_into().expect("8 bytes in all"));
    let peer = xor_address(message, ATTR_XOR_PEER_ADDRESS).expect("a peer");
    Some((peer, a >> 1, u16::from(a & 1) << 8 | u16::from(*b), data))
}

#[tokio::test]
async fn a_client_is_told_that_its_peers_port_is_closed() {
    let server = server();
    // RFC 792: port unreachable is 3, 3; RFC 4443: 1, 4.
    for (at, peer, kind, code) in [(server.relay, "127.0.0.2", 3, 3), (server.relay6, "::1", 1, 4)] {
        let closed = SocketAddr::new(peer.parse().unwrap(), server.spare_port);
        let mut client = allocated(at);
        assert_eq!(error_code(&client.request(METHOD_CREATE_PERMISSION, &[&Peer(closed)])), None);
        send(&client, closed, b"is anybody there?");
        assert_eq!(reported(&client.receive().0), Some((closed, kind, code, 0)));
    }
    // Workers publish their counters every now and then.
    let end = Instant::now() + Duration::from_secs(20);
    while !get(server.admin, "/metrics").await.body.contains("posthouse_relay_icmp_reported_total 2\n") {
        assert!(Instant::now() < end, "never counted");
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

/// ```text
///   client, server ── 1500 ── router ── 1280 ── peer
///        11.1.1.10   11.1.1.1   12.1.1.1    12.1.1.2
/// ```
fn narrow_way() -> Option<[Namespace; 3]> {
    let (here, router, far) = (Namespace::new()?, Namespace::new()?, Namespace::new()?);
    here.cable("wan", &["11.1.1.10/24", "2a00::10/64"], &router, "near", &["11.1.1.1/24", "2a00::1/64"]);
    router.cable("far", &["12.1.1.1/24", "2a01::1/64"], &far, "wan", &["12.1.1.2/24", "2a01::2/64"]);
    router.ip("link set far mtu 1280");
    far.ip("link set wan mtu 1280");
    for (end, v4, v6) in [(&here, "11.1.1.1", "2a00::1"), (&far, "12.1.1.1", "2a01::1")] {
        end.ip(&format!("route add default via {v4}"));
        end.ip(&format!("-6 route add default via {v6}"));
    }
    router.forward();
    Some([here, router, far])
}

#[test]
fn a_client_is_told_the_mtu_that_a_packet_was_too_big_for() {
    let Some([here, _router, far]) = narrow_way() else { return };
    // RFC 1191: fragmentation needed is 3, 4; RFC 4443: packet too big is 2, 0.
    for (own, peer, kind, code) in [("11.1.1.10", "12.1.1.2", 3, 4), ("2a00::10", "2a01::2", 2, 0)] {
        let peer = far.run(|| UdpSocket::bind((peer, 0)).unwrap());
        peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let there = peer.local_addr().unwrap();
        here.run(|| {
            let server = Server::start(&Settings::default().at(&[own.parse().unwrap()]));
            let mut client = allocated(SocketAddr::new(own.parse().unwrap(), server.relay.port()));
            assert_eq!(error_code(&client.request(METHOD_CREATE_PERMISSION, &[&Peer(there)])), None);
            let (data, whole) = (Raw(ATTR_DATA, vec![7; 1300]), Raw(ATTR_DONT_FRAGMENT, Vec::new()));
            client.send(MessageType::new(METHOD_SEND, CLASS_INDICATION), &[&Peer(there), &whole, &data]);
            assert_eq!(reported(&client.receive().0), Some((there, kind, code, 1280)));
            // Without the flag the same bytes arrive, in fragments.
            send(&client, there, &[7; 1300]);
            let mut buffer = [0; 2000];
            assert_eq!(peer.recv(&mut buffer).unwrap(), 1300);
        });
    }
}
