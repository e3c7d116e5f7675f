//! CreatePermission (RFC 8656 §10.2) and what permissions let through (§9, §11).

use std::net::SocketAddr;

use super::Case;
use super::wire::*;

/// On the loopback network, where this server's policy lets clients go.
fn at(last: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, last], 4000))
}

pub(crate) const CASES: &[Case] = &[
    ("a permission is granted with nothing but a signature", |w| {
        let (mut session, _) = w.allocated();
        assert_eq!(session.ask(CREATE_PERMISSION, |r| r.peer(at(3))).success().kinds(), [MESSAGE_INTEGRITY]);
    }),
    ("many peers at once, the same twice, and any port, zero too", |w| {
        let (mut session, _) = w.allocated();
        let zero = SocketAddr::new(at(9).ip(), 0);
        session.ask(CREATE_PERMISSION, |r| r.peer(at(3)).peer(at(4)).peer(at(3)).peer(zero)).success();
    }),
    ("no peer is 400", |w| {
        w.allocated().0.ask(CREATE_PERMISSION, |r| r).refused(400);
    }),
    ("an address whose family and length do not agree is 400", |w| {
        let (mut session, _) = w.allocated();
        let values: [&[u8]; 7] = [
            &[],
            &[0, 1],
            &[0, 1, 0, 80, 1, 2, 3],
            &[0, 1, 0, 80, 1, 2, 3, 4, 5],
            &[0, 2, 0, 80, 1, 2, 3, 4],
            &[0, 3, 0, 80, 1, 2, 3, 4],
            &[[0, 1].as_slice(), &[7; 18]].concat(),
        ];
        for value in values {
            session.ask(CREATE_PERMISSION, |r| r.with(XOR_PEER_ADDRESS, value)).refused(400);
            session.ask(CHANNEL_BIND, |r| r.channel(0x4000).with(XOR_PEER_ADDRESS, value)).refused(400);
        }
    }),
    ("one malformed address among good ones is 400, and none is installed", |w| {
        let (mut session, _) = w.allocated();
        let peer = w.peer();
        let address = peer.address();
        session.ask(CREATE_PERMISSION, |r| r.peer(address).with(XOR_PEER_ADDRESS, &[0, 9, 0, 0])).refused(400);
        session.indicate(address, b"unwelcome");
        session.permit(address);
        session.indicate(address, b"welcome");
        assert_eq!(peer.hear().0, b"welcome", "what came before was dropped");
    }),
    ("one denied peer among good ones is 403, and none is installed", |w| {
        let (mut session, _) = w.allocated();
        let peer = w.peer();
        let address = peer.address();
        session.ask(CREATE_PERMISSION, |r| r.peer(address).peer(([10, 0, 0, 1], 1).into())).refused(403);
        session.indicate(address, b"unwelcome");
        session.permit(address);
        session.indicate(address, b"welcome");
        assert_eq!(peer.hear().0, b"welcome");
    }),
    ("a peer of a family without relayed address is 443", |w| {
        let (mut session, _) = w.allocated();
        let v6 = "[2606:4700::1]:80".parse().unwrap();
        session.ask(CREATE_PERMISSION, |r| r.peer(v6)).refused(443);
        session.ask(CREATE_PERMISSION, |r| r.peer(at(3)).peer(v6)).refused(443);
        session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(v6)).refused(443);
        let mut session = w.session();
        session.ask(ALLOCATE, |r| r.udp().with(REQUESTED_ADDRESS_FAMILY, &IPV6)).success();
        session.ask(CREATE_PERMISSION, |r| r.peer(at(3))).refused(443);
        session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(at(3))).refused(443);
    }),
    ("a peer without permission is neither sent to nor heard", |w| {
        let (mut session, relayed) = w.allocated();
        let (permitted, stranger) = (w.peer(), std::net::UdpSocket::bind("127.0.0.4:0").unwrap());
        session.permit(permitted.address());
        stranger.send_to(b"let me in", relayed).unwrap();
        session.indicate(stranger.local_addr().unwrap(), b"let me out");
        session.indicate(permitted.address(), b"hello");
        assert_eq!(permitted.hear().0, b"hello");
        permitted.send(b"hello", relayed);
        assert_eq!(Answer::parse(&session.client.hear()).get(DATA), Some(&b"hello"[..]));
        stranger.set_nonblocking(true).unwrap();
        assert!(stranger.recv(&mut [0; 16]).is_err(), "nothing came to whom nobody permitted");
    }),
    ("a permission is for an address, whatever the port", |w| {
        let (mut session, relayed) = w.allocated();
        let (one, other) = (w.peer(), w.peer());
        session.permit(one.address());
        session.indicate(other.address(), b"by address");
        assert_eq!(other.hear(), (b"by address".to_vec(), relayed));
        other.send(b"and back", relayed);
        let heard = Answer::parse(&session.client.hear());
        assert_eq!(heard.address(XOR_PEER_ADDRESS), Some(other.address()));
    }),
    ("permissions of one allocation are not another's", |w| {
        let ((mut one, _), (mut other, _)) = (w.allocated(), w.allocated());
        let peer = w.peer();
        one.permit(peer.address());
        other.indicate(peer.address(), b"not mine");
        other.dropped(&Request::new(0x0011).bytes());
        one.indicate(peer.address(), b"mine");
        assert_eq!(peer.hear().0, b"mine");
    }),
    ("a permission may be asked for again and again", |w| {
        let (mut session, _) = w.allocated();
        for _ in 0..5 {
            session.permit(at(3));
        }
    }),
    ("a permission without integrity installs nothing", |w| {
        let (mut session, _) = w.allocated();
        let peer = w.peer();
        let request = session.named(Request::new(CREATE_PERMISSION).peer(peer.address()));
        session.exchange(&request).refused(401);
        session.indicate(peer.address(), b"unproved");
        session.permit(peer.address());
        session.indicate(peer.address(), b"proved");
        assert_eq!(peer.hear().0, b"proved");
    }),
];
