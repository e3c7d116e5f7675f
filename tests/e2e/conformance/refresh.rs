//! Refresh (RFC 8656 §8.2).

use super::Case;
use super::wire::*;
use super::world::{Session, World};

fn dual(w: &World) -> (Session, Vec<std::net::SocketAddr>) {
    let mut session = w.session();
    let answer = session.ask(ALLOCATE, |r| r.udp().with(ADDITIONAL_ADDRESS_FAMILY, &IPV6)).success();
    let relayed = answer.addresses(XOR_RELAYED_ADDRESS);
    (session, relayed)
}

pub(crate) const CASES: &[Case] = &[
    ("without an allocation every later method is 437", |w| {
        let (mut session, peer) = (w.session(), "127.0.0.3:9".parse().unwrap());
        session.ask(REFRESH, |r| r).refused(437);
        session.ask(REFRESH, |r| r.lifetime(0)).refused(437);
        session.ask(CREATE_PERMISSION, |r| r.peer(peer)).refused(437);
        session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(peer)).refused(437);
    }),
    ("the 5-tuple is what counts: another port of the same user has no allocation", |w| {
        let (first, _) = w.allocated();
        let mut other = w.session_of((first.username.clone(), first.password.clone()));
        other.ask(REFRESH, |r| r).refused(437);
    }),
    ("an absent lifetime means the default", |w| {
        let (mut session, _) = w.allocated();
        let answer = session.ask(REFRESH, |r| r).success();
        assert_eq!(answer.number(LIFETIME), Some(600));
        assert_eq!(answer.kinds(), [LIFETIME, MESSAGE_INTEGRITY]);
    }),
    ("a lifetime is at least the default and at most the maximum", |w| {
        let (mut session, _) = w.allocated();
        for (asked, granted) in [(1, 600), (1800, 1800), (u32::MAX, 3600), (600, 600)] {
            let answer = session.ask(REFRESH, |r| r.lifetime(asked)).success();
            assert_eq!(answer.number(LIFETIME), Some(granted), "{asked} asked");
        }
    }),
    ("a LIFETIME of another length is 400 and ends nothing", |w| {
        let (mut session, _) = w.allocated();
        for len in [0, 2, 5] {
            session.ask(REFRESH, |r| r.with(LIFETIME, &vec![0; len])).refused(400);
        }
        session.ask(REFRESH, |r| r).success();
    }),
    ("lifetime zero ends at once, and the 5-tuple is free again", |w| {
        let (mut session, _) = w.allocated();
        let answer = session.ask(REFRESH, |r| r.lifetime(0)).success();
        assert_eq!(answer.number(LIFETIME), Some(0));
        session.ask(REFRESH, |r| r).refused(437);
        session.allocate();
    }),
    ("a retransmitted end is answered like the first", |w| {
        let (mut session, _) = w.allocated();
        let request = session.signed(Request::new(REFRESH).lifetime(0));
        let first = session.exchange(&request).success();
        assert_eq!(session.exchange(&request).bytes, first.bytes);
        session.ask(REFRESH, |r| r.lifetime(0)).refused(437);
    }),
    ("a retransmitted end does not touch the allocation that came after", |w| {
        let (mut session, _) = w.allocated();
        let request = session.signed(Request::new(REFRESH).lifetime(0));
        session.exchange(&request).success();
        session.allocate();
        session.exchange(&request).success();
        session.ask(REFRESH, |r| r).success();
    }),
    ("what has ended relays nothing in either direction", |w| {
        let (mut session, relayed) = w.allocated();
        let peer = w.peer();
        session.bind(0x4000, peer.address());
        session.ask(REFRESH, |r| r.lifetime(0)).success();
        session.client.send_padded(&channel_data(0x4000, b"too late"));
        session.indicate(peer.address(), b"too late");
        peer.send(b"too late", relayed);
        // A new allocation shows that nothing came before its own.
        session.allocate();
        session.permit(peer.address());
        session.indicate(peer.address(), b"again");
        assert_eq!(peer.hear().0, b"again");
    }),
    ("a family that the allocation does not have is 443", |w| {
        let (mut session, _) = w.allocated();
        session.ask(REFRESH, |r| r.with(REQUESTED_ADDRESS_FAMILY, &IPV6)).refused(443);
        session.ask(REFRESH, |r| r.lifetime(0).with(REQUESTED_ADDRESS_FAMILY, &IPV6)).refused(443);
        session.ask(REFRESH, |r| r.with(REQUESTED_ADDRESS_FAMILY, &IPV4)).success();
    }),
    ("one family of a dual allocation may end alone", |w| {
        let (mut session, relayed) = dual(w);
        session.ask(REFRESH, |r| r.lifetime(0).with(REQUESTED_ADDRESS_FAMILY, &IPV6)).success();
        session.ask(REFRESH, |r| r.with(REQUESTED_ADDRESS_FAMILY, &IPV6)).refused(443);
        session.ask(CREATE_PERMISSION, |r| r.peer(relayed[1])).refused(443);
        session.permit(relayed[0]);
        session.ask(REFRESH, |r| r.lifetime(0)).success();
        session.ask(REFRESH, |r| r).refused(437);
    }),
    ("a dual allocation is refreshed by either family", |w| {
        let (mut session, _) = dual(w);
        for family in [IPV4, IPV6] {
            let answer = session.ask(REFRESH, |r| r.lifetime(900).with(REQUESTED_ADDRESS_FAMILY, &family)).success();
            assert_eq!(answer.number(LIFETIME), Some(900));
        }
    }),
    ("a retransmitted Refresh is answered alike", |w| {
        let (mut session, _) = w.allocated();
        let request = session.signed(Request::new(REFRESH).lifetime(700));
        let first = session.exchange(&request).success();
        assert_eq!(session.exchange(&request).bytes, first.bytes);
    }),
];
