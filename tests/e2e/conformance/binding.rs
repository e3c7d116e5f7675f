//! Binding (RFC 8489 §3, §6.3.1, §7) and what every answer has in common.

use super::Case;
use super::wire::*;
use super::world::{dropped, exchange, is_alive};

pub(crate) const CASES: &[Case] = &[
    ("a Binding tells the source address, masked, and nothing else", |w| {
        let mut client = w.client();
        let answer = exchange(&mut client, &Request::new(BINDING)).success();
        assert_eq!(answer.address(XOR_MAPPED_ADDRESS), Some(client.local()));
        assert_eq!(answer.kinds(), [XOR_MAPPED_ADDRESS]);
        assert_eq!(answer.bytes.len(), 32, "no more than a reflector deserves");
    }),
    ("an answer has a FINGERPRINT when the request has one", |w| {
        let answer = exchange(&mut w.client(), &Request::new(BINDING).fingerprint()).success();
        assert!(answer.has_fingerprint());
        let (mut session, _) = w.allocated();
        let request = session.signed(Request::new(REFRESH)).fingerprint();
        let answer = session.exchange(&request).success();
        assert!(answer.has_fingerprint());
        assert_eq!(answer.signed_by(&session.key()), Some(MESSAGE_INTEGRITY));
    }),
    ("an answer has no FINGERPRINT when the request has none", |w| {
        assert!(!exchange(&mut w.client(), &Request::new(BINDING)).has_fingerprint());
        assert!(!w.session().ask(ALLOCATE, Request::udp).has_fingerprint());
    }),
    ("a challenge has a FINGERPRINT when the request has one", |w| {
        let answer = exchange(&mut w.client(), &Request::new(ALLOCATE).udp().fingerprint());
        assert!(answer.refused(401).challenges().has_fingerprint());
    }),
    ("attributes that may be ignored are ignored in a Binding", |w| {
        let request = Request::new(BINDING).with(0xc001, b"odd").with(SOFTWARE, b"a tester").with(0xffff, &[]);
        exchange(&mut w.client(), &request).success();
    }),
    ("unknown attributes that must be understood are 420 with a list of them alone", |w| {
        let request = Request::new(BINDING).with(0x7f01, b"x").with(0xc001, b"y").with(0x0030, &[]);
        let answer = exchange(&mut w.client(), &request).refused(420);
        assert_eq!(answer.get(UNKNOWN_ATTRIBUTES), Some(&[0x7f, 0x01, 0x00, 0x30][..]));
    }),
    ("one unknown attribute makes a list of one", |w| {
        let answer = exchange(&mut w.client(), &Request::new(BINDING).with(0x7f01, &[])).refused(420);
        assert_eq!(answer.get(UNKNOWN_ATTRIBUTES), Some(&[0x7f, 0x01][..]));
    }),
    ("attributes of discovery are unknown without a second address", |w| {
        for kind in [0x0003, 0x0026, 0x0027] {
            let answer = exchange(&mut w.client(), &Request::new(BINDING).with(kind, &[0; 4])).refused(420);
            assert_eq!(answer.get(UNKNOWN_ATTRIBUTES), Some(&kind.to_be_bytes()[..]));
        }
    }),
    ("attributes of other messages mean nothing in a Binding", |w| {
        let request = Request::new(BINDING).udp().lifetime(5).channel(7).with(DATA, b"abc").with(REALM, b"r");
        exchange(&mut w.client(), &request).success();
    }),
    ("a Binding needs no proof and a wrong one does not matter", |w| {
        let request = Request::new(BINDING).with(USERNAME, b"nobody").integrity(b"wrong");
        exchange(&mut w.client(), &request).success();
    }),
    ("an unknown attribute behind the integrity of a Binding does not exist", |w| {
        let request = Request::new(BINDING).with(USERNAME, b"nobody").integrity(b"wrong").with(0x7f01, b"?");
        exchange(&mut w.client(), &request).success();
    }),
    ("the same Binding twice is answered twice, alike", |w| {
        let (mut client, request) = (w.client(), Request::new(BINDING));
        let first = exchange(&mut client, &request);
        assert_eq!(exchange(&mut client, &request).bytes, first.bytes);
    }),
    ("padding of any value is ignored", |w| {
        let mut bytes = Request::new(BINDING).with(SOFTWARE, b"a").bytes();
        bytes[25..28].copy_from_slice(&[0xff; 3]);
        let mut client = w.client();
        client.send(&bytes);
        Answer::parse(&client.hear()).success();
    }),
    ("indications, answers and unknown methods are dropped", |w| {
        let mut client = w.client();
        is_alive(&mut client);
        // Binding indication, success and error; Allocate indication; Data indication; methods nobody has.
        for kind in [0x0011, 0x0101, 0x0111, 0x0013, 0x0103, 0x0113, DATA_INDICATION, 0x0002, 0x0005, 0x0fff, 0x3eef] {
            dropped(&mut client, &Request::new(kind).with(SOFTWARE, b"?").bytes());
        }
    }),
    ("Send and Data as requests and other methods as indications are dropped", |w| {
        let (mut session, relayed) = w.allocated();
        for kind in [0x0006, 0x0007, 0x0014, 0x0018, 0x0019] {
            let request = session.signed(Request::new(kind).peer(relayed).channel(0x4000).with(DATA, b"x"));
            session.dropped(&request.bytes());
        }
    }),
    ("an indication with unknown attributes is dropped too", |w| {
        dropped(&mut w.client(), &Request::new(0x0011).with(0x7f01, b"?").bytes());
    }),
];
