//! Allocate (RFC 8656 §7.2).

use std::net::IpAddr;

use super::Case;
use super::wire::*;
use super::world::{Session, World, exchange};

/// EVEN-PORT.
const EVEN: [u8; 1] = [0x00];
const EVEN_AND_NEXT: [u8; 1] = [0x80];

fn refused(w: &World, code: u16, write: impl FnOnce(Request) -> Request) -> Answer {
    w.session().ask(ALLOCATE, write).refused(code)
}

fn reserve(session: &mut Session) -> (std::net::SocketAddr, Vec<u8>) {
    let answer = session.ask(ALLOCATE, |r| r.udp().with(EVEN_PORT, &EVEN_AND_NEXT)).success();
    let token = answer.get(RESERVATION_TOKEN).expect("RESERVATION-TOKEN").to_vec();
    assert_eq!(token.len(), 8);
    (answer.address(XOR_RELAYED_ADDRESS).expect("XOR-RELAYED-ADDRESS"), token)
}

/// Another client of the same user.
fn second(w: &World, of: &Session) -> Session {
    w.session_of((of.username.clone(), of.password.clone()))
}

pub(crate) const CASES: &[Case] = &[
    ("a success has relayed address, lifetime and mapped address", |w| {
        let mut session = w.session();
        let answer = session.ask(ALLOCATE, Request::udp).success();
        let relayed = answer.address(XOR_RELAYED_ADDRESS).expect("XOR-RELAYED-ADDRESS");
        assert!(relayed.is_ipv4(), "IPv4 unless asked otherwise");
        assert!(w.server.relay_ports.contains(&relayed.port()));
        assert_eq!(answer.number(LIFETIME), Some(600));
        assert_eq!(answer.address(XOR_MAPPED_ADDRESS), Some(session.client.local()));
        assert!(answer.get(RESERVATION_TOKEN).is_none() && answer.get(ADDRESS_ERROR_CODE).is_none());
    }),
    ("REQUESTED-TRANSPORT must be there", |w| {
        refused(w, 400, |r| r.lifetime(600));
    }),
    ("REQUESTED-TRANSPORT of another length is 400", |w| {
        for len in [0, 1, 3, 5, 8] {
            refused(w, 400, |r| r.with(REQUESTED_TRANSPORT, &vec![17; len]));
        }
    }),
    ("every transport to peers but UDP is 442", |w| {
        for protocol in [0, 1, 6, 16, 18, 255] {
            refused(w, 442, |r| r.with(REQUESTED_TRANSPORT, &[protocol, 0, 0, 0]));
        }
    }),
    ("reserved bits of REQUESTED-TRANSPORT and EVEN-PORT are ignored", |w| {
        let mut session = w.session();
        session.ask(ALLOCATE, |r| r.with(REQUESTED_TRANSPORT, &[17, 9, 9, 9]).with(EVEN_PORT, &[0x7f])).success();
    }),
    ("a second Allocate of another transaction is 437 and harms nothing", |w| {
        let (mut session, relayed) = w.allocated();
        session.ask(ALLOCATE, Request::udp).refused(437);
        let peer = w.peer();
        session.permit(peer.address());
        session.indicate(peer.address(), b"still here");
        assert_eq!(peer.hear(), (b"still here".to_vec(), relayed));
    }),
    ("a retransmission gets the same bytes, also after other requests", |w| {
        let mut session = w.session();
        let request = session.signed(Request::new(ALLOCATE).udp().lifetime(1000).with(EVEN_PORT, &EVEN_AND_NEXT));
        let first = session.exchange(&request).success();
        assert_eq!(session.exchange(&request).bytes, first.bytes);
        session.permit("127.0.0.3:1".parse().unwrap());
        assert_eq!(session.exchange(&request).bytes, first.bytes);
    }),
    ("two retransmissions at once make one allocation", |w| {
        let mut session = w.session();
        let request = session.signed(Request::new(ALLOCATE).udp());
        session.client.send(&request.bytes());
        session.client.send(&request.bytes());
        let first = session.client.hear();
        // The second may be answered too, or be dropped while the first was under way.
        let second = session.exchange(&request).success();
        assert_eq!(second.bytes, first);
    }),
    ("a lifetime is at least the default and at most the maximum", |w| {
        for (asked, granted) in
            [(0, 600), (1, 600), (599, 600), (601, 601), (3600, 3600), (3601, 3600), (u32::MAX, 3600)]
        {
            let answer = w.session().ask(ALLOCATE, |r| r.udp().lifetime(asked)).success();
            assert_eq!(answer.number(LIFETIME), Some(granted), "{asked} asked");
        }
    }),
    ("a LIFETIME of another length is 400", |w| {
        for len in [0, 1, 3, 8] {
            refused(w, 400, |r| r.udp().with(LIFETIME, &vec![1; len]));
        }
    }),
    ("DONT-FRAGMENT is understood", |w| {
        w.session().ask(ALLOCATE, |r| r.udp().with(DONT_FRAGMENT, &[])).success();
    }),
    ("EVEN-PORT gives an even port", |w| {
        for _ in 0..4 {
            let answer = w.session().ask(ALLOCATE, |r| r.udp().with(EVEN_PORT, &EVEN)).success();
            assert_eq!(answer.address(XOR_RELAYED_ADDRESS).expect("an address").port() % 2, 0);
            assert!(answer.get(RESERVATION_TOKEN).is_none());
        }
    }),
    ("a malformed EVEN-PORT or RESERVATION-TOKEN is 400", |w| {
        for len in [0, 2, 4] {
            refused(w, 400, |r| r.udp().with(EVEN_PORT, &vec![0; len]));
        }
        for len in [0, 4, 7, 9, 16] {
            refused(w, 400, |r| r.udp().with(RESERVATION_TOKEN, &vec![0; len]));
        }
    }),
    ("the reserved port is the next one and goes to its token, once", |w| {
        let mut first = w.session();
        let (even, token) = reserve(&mut first);
        assert_eq!(even.port() % 2, 0);
        let mut claims = second(w, &first);
        let answer = claims.ask(ALLOCATE, |r| r.udp().with(RESERVATION_TOKEN, &token)).success();
        let next = answer.address(XOR_RELAYED_ADDRESS).expect("an address");
        assert_eq!((next.ip(), next.port()), (even.ip(), even.port() + 1));
        second(w, &first).ask(ALLOCATE, |r| r.udp().with(RESERVATION_TOKEN, &token)).refused(508);
    }),
    ("a token that nobody got is 508", |w| {
        refused(w, 508, |r| r.udp().with(RESERVATION_TOKEN, b"no token"));
    }),
    ("a token excludes EVEN-PORT and both families, valid or not", |w| {
        let mut first = w.session();
        let (_, token) = reserve(&mut first);
        for token in [token, b"no token".to_vec()] {
            let with = |kind: u16, value: &[u8]| {
                second(w, &first)
                    .ask(ALLOCATE, |r| r.udp().with(RESERVATION_TOKEN, &token).with(kind, value))
                    .refused(400)
            };
            with(EVEN_PORT, &EVEN);
            with(EVEN_PORT, &EVEN_AND_NEXT);
            with(REQUESTED_ADDRESS_FAMILY, &IPV4);
            with(REQUESTED_ADDRESS_FAMILY, &IPV6);
            with(ADDITIONAL_ADDRESS_FAMILY, &IPV6);
        }
    }),
    ("a family is given as asked", |w| {
        for (family, is_asked) in [(IPV4, IpAddr::is_ipv4 as fn(&IpAddr) -> bool), (IPV6, IpAddr::is_ipv6)] {
            let answer = w.session().ask(ALLOCATE, |r| r.udp().with(REQUESTED_ADDRESS_FAMILY, &family)).success();
            let relayed = answer.addresses(XOR_RELAYED_ADDRESS);
            assert!(relayed.len() == 1 && is_asked(&relayed[0].ip()), "{relayed:?}");
        }
    }),
    ("a family that nobody knows is 440", |w| {
        for family in [0, 3, 255] {
            refused(w, 440, |r| r.udp().with(REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]));
        }
    }),
    ("a family of another length is 400", |w| {
        for kind in [REQUESTED_ADDRESS_FAMILY, ADDITIONAL_ADDRESS_FAMILY] {
            for len in [0, 1, 2, 8] {
                refused(w, 400, |r| r.udp().with(kind, &vec![1; len]));
            }
        }
    }),
    ("an additional family gives both, and both work", |w| {
        let mut session = w.session();
        let answer = session.ask(ALLOCATE, |r| r.udp().with(ADDITIONAL_ADDRESS_FAMILY, &IPV6)).success();
        let relayed = answer.addresses(XOR_RELAYED_ADDRESS);
        assert_eq!(relayed.len(), 2);
        assert!(relayed[0].is_ipv4() && relayed[1].is_ipv6(), "{relayed:?}");
        assert!(answer.get(ADDRESS_ERROR_CODE).is_none());
        session.permit(relayed[0]);
        session.permit(relayed[1]);
    }),
    ("an additional family excludes a requested one, IPv4, and a reservation", |w| {
        refused(w, 400, |r| r.udp().with(ADDITIONAL_ADDRESS_FAMILY, &IPV6).with(REQUESTED_ADDRESS_FAMILY, &IPV4));
        refused(w, 400, |r| r.udp().with(ADDITIONAL_ADDRESS_FAMILY, &IPV6).with(REQUESTED_ADDRESS_FAMILY, &IPV6));
        refused(w, 400, |r| r.udp().with(ADDITIONAL_ADDRESS_FAMILY, &IPV4));
        refused(w, 400, |r| r.udp().with(ADDITIONAL_ADDRESS_FAMILY, &IPV6).with(EVEN_PORT, &EVEN_AND_NEXT));
    }),
    ("attributes that may be ignored are ignored in an Allocate", |w| {
        w.session().ask(ALLOCATE, |r| r.with(SOFTWARE, b"a tester").with(0xc057, b"odd").udp()).success();
    }),
    ("a user's eleventh allocation is 486, and after one ended there is room", |w| {
        let user = w.user();
        let mut sessions: Vec<Session> = (0..11).map(|_| w.session_of(user.clone())).collect();
        let (last, first) = sessions.split_last_mut().expect("eleven");
        for session in first.iter_mut() {
            session.allocate();
        }
        last.ask(ALLOCATE, Request::udp).refused(486);
        first[0].ask(REFRESH, |r| r.lifetime(0)).success();
        last.allocate();
    }),
    ("relayed ports are not handed out in a row", |w| {
        let mut ports: Vec<u16> = (0..6).map(|_| w.session().allocate().port()).collect();
        ports.dedup();
        let in_a_row = ports.windows(2).filter(|pair| pair[1] == pair[0] + 1).count();
        assert!(in_a_row < 4, "{ports:?}");
    }),
    ("an answer to a signed request shows nothing of who else is here", |w| {
        let answer = exchange(&mut w.client(), &Request::new(ALLOCATE).udp());
        assert!(answer.get(SOFTWARE).is_none(), "no version unless somebody wants it");
    }),
];

/// On a server whose relay addresses are IPv4 alone.
pub(crate) const WITHOUT_IPV6: &[Case] = &[
    ("IPv6 is 440 where there is none", |w| {
        refused(w, 440, |r| r.udp().with(REQUESTED_ADDRESS_FAMILY, &IPV6));
    }),
    ("an additional family that cannot be had is told beside the one that can", |w| {
        let answer = w.session().ask(ALLOCATE, |r| r.udp().with(ADDITIONAL_ADDRESS_FAMILY, &IPV6)).success();
        assert!(answer.addresses(XOR_RELAYED_ADDRESS).iter().all(std::net::SocketAddr::is_ipv4));
        assert_eq!(answer.get(ADDRESS_ERROR_CODE), Some(&[2, 0, 4, 40][..]));
    }),
];
