//! ChannelBind (RFC 8656 §12.2).

use std::net::SocketAddr;

use super::Case;
use super::wire::*;

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 3], port))
}

pub(crate) const CASES: &[Case] = &[
    ("a channel is bound with nothing but a signature, at both ends of the range", |w| {
        let (mut session, _) = w.allocated();
        for (number, port) in [(0x4000, 4000), (0x4fff, 4001)] {
            let answer = session.ask(CHANNEL_BIND, |r| r.channel(number).peer(at(port))).success();
            assert_eq!(answer.kinds(), [MESSAGE_INTEGRITY]);
        }
    }),
    ("numbers outside 0x4000 to 0x4FFF are 400", |w| {
        let (mut session, _) = w.allocated();
        for number in [0, 1, 0x3fff, 0x5000, 0x7ffe, 0x7fff, 0x8000, 0xffff] {
            session.ask(CHANNEL_BIND, |r| r.channel(number).peer(at(4000))).refused(400);
        }
    }),
    ("number and peer must both be there and well formed", |w| {
        let (mut session, _) = w.allocated();
        session.ask(CHANNEL_BIND, |r| r).refused(400);
        session.ask(CHANNEL_BIND, |r| r.channel(0x4000)).refused(400);
        session.ask(CHANNEL_BIND, |r| r.peer(at(4000))).refused(400);
        for len in [0, 2, 3, 8] {
            session.ask(CHANNEL_BIND, |r| r.with(CHANNEL_NUMBER, &vec![0x40; len]).peer(at(4000))).refused(400);
        }
    }),
    ("the reserved half of the number is ignored", |w| {
        let (mut session, _) = w.allocated();
        session.ask(CHANNEL_BIND, |r| r.with(CHANNEL_NUMBER, &[0x40, 0, 0xff, 0xff]).peer(at(4000))).success();
    }),
    ("port zero is 400", |w| {
        w.allocated().0.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(at(0))).refused(400);
    }),
    ("the same number and peer may be bound again", |w| {
        let (mut session, _) = w.allocated();
        session.bind(0x4000, at(4000));
        session.bind(0x4000, at(4000));
    }),
    ("a number has one peer and a peer one number", |w| {
        let (mut session, _) = w.allocated();
        session.bind(0x4000, at(4000));
        session.bind(0x4001, at(4001));
        session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(at(4002))).refused(400);
        session.ask(CHANNEL_BIND, |r| r.channel(0x4002).peer(at(4000))).refused(400);
        session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(at(4001))).refused(400);
        session.bind(0x4000, at(4000));
    }),
    ("a refused rebinding leaves the binding as it was", |w| {
        let (mut session, relayed) = w.allocated();
        let (one, other) = (w.peer(), w.peer());
        session.bind(0x4000, one.address());
        session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(other.address())).refused(400);
        session.client.send_padded(&channel_data(0x4000, b"to whom?"));
        assert_eq!(one.hear(), (b"to whom?".to_vec(), relayed));
    }),
    ("the same number means another peer in another allocation", |w| {
        let ((mut one, from_one), (mut other, from_other)) = (w.allocated(), w.allocated());
        let (first, second) = (w.peer(), w.peer());
        one.bind(0x4000, first.address());
        other.bind(0x4000, second.address());
        one.client.send_padded(&channel_data(0x4000, b"1"));
        other.client.send_padded(&channel_data(0x4000, b"2"));
        assert_eq!(first.hear(), (b"1".to_vec(), from_one));
        assert_eq!(second.hear(), (b"2".to_vec(), from_other));
    }),
    ("a channel brings the permission for its peer's address", |w| {
        let (mut session, relayed) = w.allocated();
        let (bound, neighbour) = (w.peer(), w.peer());
        session.bind(0x4000, bound.address());
        neighbour.send(b"same address", relayed);
        let heard = Answer::parse(&session.client.hear());
        assert_eq!(heard.address(XOR_PEER_ADDRESS), Some(neighbour.address()));
        session.indicate(neighbour.address(), b"and back");
        assert_eq!(neighbour.hear().0, b"and back");
    }),
    ("a denied peer is 403 and gets neither channel nor permission", |w| {
        let (mut session, _) = w.allocated();
        session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(([10, 0, 0, 1], 80).into())).refused(403);
        session.bind(0x4000, at(4000));
    }),
    ("a retransmitted ChannelBind is answered alike", |w| {
        let (mut session, _) = w.allocated();
        let request = session.signed(Request::new(CHANNEL_BIND).channel(0x4000).peer(at(4000)));
        let first = session.exchange(&request).success();
        assert_eq!(session.exchange(&request).bytes, first.bytes);
    }),
    ("channels beyond the limit are 508", |w| {
        let (mut session, _) = w.allocated();
        for number in 0..256 {
            session.bind(0x4000 + number, at(4000 + number));
        }
        session.ask(CHANNEL_BIND, |r| r.channel(0x4fff).peer(at(9000))).refused(508);
    }),
];
