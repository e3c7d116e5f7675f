//! What goes through an allocation: Send and Data (RFC 8656 §11), ChannelData (§12.4 to §12.7).

use std::net::SocketAddr;

use super::Case;
use super::wire::*;
use super::world::{Peer, Session, World};

fn permitted(w: &World) -> (Session, SocketAddr, Peer) {
    let ((mut session, relayed), peer) = (w.allocated(), w.peer());
    session.permit(peer.address());
    (session, relayed, peer)
}

fn bound(w: &World) -> (Session, SocketAddr, Peer) {
    let ((mut session, relayed), peer) = (w.allocated(), w.peer());
    session.bind(0x4000, peer.address());
    (session, relayed, peer)
}

/// Sends bytes that must reach nobody, then something that must: the peer hears that alone.
fn reaches_nobody(session: &mut Session, peer: &Peer, bytes: &[u8]) {
    session.client.send_padded(bytes);
    session.indicate(peer.address(), b"after");
    assert_eq!(peer.hear().0, b"after", "{bytes:02x?}");
}

/// The channel and payload of ChannelData.
fn opened(bytes: &[u8]) -> (u16, Vec<u8>) {
    let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let end = 4 + usize::from(number(2));
    assert!(bytes.len() == end, "length {} of {}", end, bytes.len());
    (number(0), bytes[4..end].to_vec())
}

const LENGTHS: [usize; 9] = [0, 1, 2, 3, 4, 5, 160, 1200, 1473];

pub(crate) const CASES: &[Case] = &[
    ("a Send indication reaches the peer from the relayed address, whatever its length", |w| {
        let (mut session, relayed, peer) = permitted(w);
        for len in LENGTHS {
            session.indicate(peer.address(), &vec![7; len]);
            assert_eq!(peer.hear(), (vec![7; len], relayed));
        }
    }),
    ("a peer without channel arrives as a Data indication without signature", |w| {
        let (mut session, relayed, peer) = permitted(w);
        for len in LENGTHS {
            peer.send(&vec![9; len], relayed);
            let heard = Answer::parse(&session.client.hear());
            assert_eq!(heard.kind, DATA_INDICATION);
            assert_eq!(heard.kinds(), [XOR_PEER_ADDRESS, DATA]);
            assert_eq!(heard.address(XOR_PEER_ADDRESS), Some(peer.address()));
            assert_eq!(heard.get(DATA), Some(&vec![9; len][..]));
        }
    }),
    ("ChannelData reaches the bound peer from the relayed address, whatever its length", |w| {
        let (mut session, relayed, peer) = bound(w);
        for len in LENGTHS {
            session.client.send_padded(&channel_data(0x4000, &vec![5; len]));
            assert_eq!(peer.hear(), (vec![5; len], relayed));
        }
    }),
    ("a peer with a channel arrives as ChannelData", |w| {
        let (mut session, relayed, peer) = bound(w);
        for len in LENGTHS {
            peer.send(&vec![6; len], relayed);
            assert_eq!(opened(&session.client.hear()), (0x4000, vec![6; len]));
        }
    }),
    ("a Send indication may be used beside a channel", |w| {
        let (mut session, relayed, peer) = bound(w);
        session.indicate(peer.address(), b"by the other way");
        assert_eq!(peer.hear(), (b"by the other way".to_vec(), relayed));
    }),
    ("DONT-FRAGMENT in a Send indication is understood", |w| {
        let (mut session, _, peer) = permitted(w);
        let request = Request::new(SEND).peer(peer.address()).with(DONT_FRAGMENT, &[]).with(DATA, b"whole");
        session.client.send(&request.bytes());
        assert_eq!(peer.hear().0, b"whole");
    }),
    ("a Send indication with a FINGERPRINT or things to ignore is sent", |w| {
        let (mut session, _, peer) = permitted(w);
        let request = Request::new(SEND).with(SOFTWARE, b"x").peer(peer.address()).with(0xc001, b"?").with(DATA, b"ok");
        session.client.send(&request.fingerprint().bytes());
        assert_eq!(peer.hear().0, b"ok");
    }),
    ("a Send indication without peer, without DATA, or with an unknown attribute reaches nobody", |w| {
        let (mut session, _, peer) = permitted(w);
        let to = peer.address();
        for request in [
            Request::new(SEND),
            Request::new(SEND).peer(to),
            Request::new(SEND).with(DATA, b"x"),
            Request::new(SEND).peer(to).with(DATA, b"x").with(0x7f01, b"?"),
            Request::new(SEND).with(XOR_PEER_ADDRESS, &[0, 1, 0, 0]).with(DATA, b"x"),
            Request::new(SEND).with(XOR_PEER_ADDRESS, &[0, 2, 0, 0, 1, 2, 3, 4]).with(DATA, b"x"),
            Request::new(0x0006).peer(to).with(DATA, b"x"),
            Request::new(0x0116).peer(to).with(DATA, b"x"),
        ] {
            reaches_nobody(&mut session, &peer, &request.bytes());
        }
    }),
    ("a Send indication to port zero is dropped and the allocation lives", |w| {
        let (mut session, _, peer) = permitted(w);
        let nowhere = SocketAddr::new(peer.address().ip(), 0);
        reaches_nobody(&mut session, &peer, &Request::new(SEND).peer(nowhere).with(DATA, b"x").bytes());
        session.ask(REFRESH, |r| r).success();
    }),
    ("a Send indication of the other family is dropped", |w| {
        let (mut session, _, peer) = permitted(w);
        let v6 = "[2606:4700::1]:80".parse().unwrap();
        reaches_nobody(&mut session, &peer, &Request::new(SEND).peer(v6).with(DATA, b"x").bytes());
    }),
    ("Send and ChannelData without an allocation are dropped", |w| {
        let mut session = w.session();
        let to = w.peer().address();
        session.dropped(&Request::new(SEND).peer(to).with(DATA, b"x").bytes());
        session.dropped(&channel_data(0x4000, b"four"));
    }),
    ("ChannelData on a channel that nobody bound is dropped", |w| {
        let (mut session, _, peer) = bound(w);
        for number in [0x4001, 0x4fff] {
            reaches_nobody(&mut session, &peer, &channel_data(number, b"lost"));
        }
    }),
    ("ChannelData on a reserved number is dropped, and a stream stays in step", |w| {
        let (mut session, _, peer) = bound(w);
        for number in [0x5000, 0x6abc, 0x7fff] {
            reaches_nobody(&mut session, &peer, &channel_data(number, b"lost"));
        }
    }),
    ("a peer that answers nobody harms nobody", |w| {
        let (mut session, _, peer) = permitted(w);
        let closed = w.peer().address();
        for _ in 0..20 {
            session.indicate(closed, b"is anybody there?");
        }
        session.indicate(peer.address(), b"here");
        assert_eq!(peer.hear().0, b"here");
        // Data indications about the ICMP errors may come first.
        let request = session.signed(Request::new(REFRESH));
        session.client.send(&request.bytes());
        while Answer::parse(&session.client.hear()).kind == DATA_INDICATION {}
    }),
    ("two clients reach each other by their relayed addresses", |w| {
        let ((mut one, at_one), (mut other, at_other)) = (w.allocated(), w.allocated());
        one.bind(0x4000, at_other);
        other.permit(at_one);
        one.client.send_padded(&channel_data(0x4000, b"ping"));
        let heard = Answer::parse(&other.client.hear());
        assert_eq!((heard.address(XOR_PEER_ADDRESS), heard.get(DATA)), (Some(at_one), Some(&b"ping"[..])));
        other.indicate(at_one, b"pong");
        assert_eq!(opened(&one.client.hear()), (0x4000, b"pong".to_vec()));
    }),
    ("two clients reach each other over IPv6", |w| {
        let v6 = |session: &mut Session| {
            let answer = session.ask(ALLOCATE, |r| r.udp().with(REQUESTED_ADDRESS_FAMILY, &IPV6)).success();
            answer.address(XOR_RELAYED_ADDRESS).expect("XOR-RELAYED-ADDRESS")
        };
        let (mut one, mut other) = (w.session(), w.session());
        let (at_one, at_other) = (v6(&mut one), v6(&mut other));
        one.permit(at_other);
        other.permit(at_one);
        one.indicate(at_other, b"six");
        let heard = Answer::parse(&other.client.hear());
        assert_eq!((heard.address(XOR_PEER_ADDRESS), heard.get(DATA)), (Some(at_one), Some(&b"six"[..])));
    }),
    ("an allocation that sends to itself hears itself once", |w| {
        let (mut session, relayed) = w.allocated();
        session.permit(relayed);
        session.indicate(relayed, b"echo");
        let heard = Answer::parse(&session.client.hear());
        assert_eq!((heard.address(XOR_PEER_ADDRESS), heard.get(DATA)), (Some(relayed), Some(&b"echo"[..])));
        session.dropped(&Request::new(0x0011).bytes());
    }),
];
