//! Bytes that lie about themselves.

use super::Case;
use super::wire::*;
use super::world::{dropped, exchange, is_alive};

/// Attributes that run past the end, in a message whose own length is right.
fn overrun(kind: u16, claimed: u16, present: usize) -> Vec<u8> {
    let mut bytes = Request::new(BINDING).with(kind, &vec![0; present]).bytes();
    bytes[22..24].copy_from_slice(&claimed.to_be_bytes());
    bytes
}

/// Over every transport: whole frames, wrong inside.
pub(crate) const CASES: &[Case] = &[
    ("an attribute that runs past the end is dropped with its message", |w| {
        let mut client = w.client();
        for (claimed, present) in [(5, 4), (8, 4), (0xffff, 4), (0xfffc, 4), (1, 0), (4, 0), (0x8000, 8)] {
            dropped(&mut client, &overrun(SOFTWARE, claimed, present));
        }
    }),
    ("an attribute that runs past the end is dropped in a signed request too", |w| {
        let (mut session, _) = w.allocated();
        let mut bytes = session.signed(Request::new(REFRESH)).bytes();
        let at = bytes.len() - 22;
        bytes[at..at + 2].copy_from_slice(&24_u16.to_be_bytes());
        session.dropped(&bytes);
    }),
    ("a wrong FINGERPRINT is dropped", |w| {
        let mut client = w.client();
        let mut bytes = Request::new(BINDING).fingerprint().bytes();
        *bytes.last_mut().expect("a last byte") ^= 1;
        dropped(&mut client, &bytes);
        dropped(&mut client, &Request::new(BINDING).with(FINGERPRINT, &[1, 2]).bytes());
    }),
    ("a FINGERPRINT that is not the last is dropped", |w| {
        dropped(&mut w.client(), &Request::new(BINDING).fingerprint().with(SOFTWARE, b"late").bytes());
    }),
    ("a wrong FINGERPRINT ends nothing that is proved otherwise", |w| {
        let (mut session, _) = w.allocated();
        let mut bytes = session.signed(Request::new(REFRESH).lifetime(0)).fingerprint().bytes();
        *bytes.last_mut().expect("a last byte") ^= 1;
        session.dropped(&bytes);
        session.ask(REFRESH, |r| r).success();
    }),
    ("a thousand empty attributes are read and ignored", |w| {
        let request = (0..1000).fold(Request::new(BINDING), |request, _| request.with(0xc000, &[]));
        exchange(&mut w.client(), &request).success();
    }),
    ("a hundred unknown attributes make an answer that is no larger than the request", |w| {
        let request = (0..100).fold(Request::new(BINDING), |request, n| request.with(0x7000 + n, &[]));
        let answer = exchange(&mut w.client(), &request).refused(420);
        assert!(answer.bytes.len() <= request.bytes().len());
        assert!(answer.get(UNKNOWN_ATTRIBUTES).expect("a list").starts_with(&[0x70, 0, 0x70, 1]));
    }),
    ("ChannelData without an allocation is dropped, whatever it says", |w| {
        let mut client = w.client();
        for number in [0x4000, 0x4abc, 0x4fff] {
            dropped(&mut client, &channel_data(number, &[0; 4]));
            dropped(&mut client, &channel_data(number, &[]));
        }
    }),
    ("the first byte of an Allocate may not be tampered with", |w| {
        let mut client = w.client();
        // Methods that look like TURN's but have a bit more.
        for kind in [0x2003, 0x0803, 0x1004, 0x0043, 0x0083] {
            dropped(&mut client, &Request::new(kind).udp().bytes());
        }
    }),
];

/// Datagrams alone: what would put a stream out of step.
pub(crate) const DATAGRAMS: &[Case] = &[
    ("a datagram of nothing, or of less than a header, is dropped", |w| {
        let mut client = w.client();
        let whole = Request::new(BINDING).bytes();
        for len in 0..20 {
            dropped(&mut client, &whole[..len]);
        }
    }),
    ("a length that is not the datagram's is dropped", |w| {
        let mut client = w.client();
        for (length, present) in [(4, 0), (0, 4), (8, 4), (4, 8), (0xfffc, 4), (1, 4), (3, 4), (5, 8)] {
            let mut bytes = Request::new(BINDING).bytes();
            bytes.resize(20 + present, 0);
            bytes[2..4].copy_from_slice(&(length as u16).to_be_bytes());
            dropped(&mut client, &bytes);
        }
    }),
    ("leading bits that are not zero are dropped", |w| {
        let mut client = w.client();
        for bits in [0x40, 0x80, 0xc0] {
            let mut bytes = Request::new(BINDING).bytes();
            bytes[0] |= bits;
            dropped(&mut client, &bytes);
        }
    }),
    ("first bytes that are neither STUN nor channels are dropped", |w| {
        let mut client = w.client();
        for first in (4..64).chain(80..=255) {
            let mut bytes = Request::new(BINDING).bytes();
            bytes[0] = first;
            client.send(&bytes);
        }
        is_alive(&mut client);
    }),
    ("a wrong cookie is dropped for every method but Binding", |w| {
        let mut session = w.session();
        for kind in [ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND, SEND] {
            let mut bytes = session.signed(Request::new(kind).udp()).bytes();
            bytes[4] ^= 0xff;
            session.dropped(&bytes);
        }
    }),
    ("a classic Binding without cookie is answered with MAPPED-ADDRESS and its 128 bits", |w| {
        let mut client = w.client();
        let mut bytes = Request::new(BINDING).bytes();
        bytes[4..8].copy_from_slice(&[1, 2, 3, 4]);
        client.send(&bytes);
        let answer = Answer::parse(&client.hear());
        assert_eq!(answer.bytes[4..20], bytes[4..20]);
        assert_eq!(answer.kinds(), [MAPPED_ADDRESS]);
        let port = client.local().port().to_be_bytes();
        assert_eq!(answer.get(MAPPED_ADDRESS), Some(&[0, 1, port[0], port[1], 127, 0, 0, 1][..]));
    }),
    ("a classic Binding that wants its answer from elsewhere gets none", |w| {
        let mut client = w.client();
        for flags in [2, 4, 6] {
            let mut bytes = Request::new(BINDING).with(0x0003, &[0, 0, 0, flags]).bytes();
            bytes[4..8].copy_from_slice(&[1, 2, 3, 4]);
            dropped(&mut client, &bytes);
        }
    }),
    ("ChannelData that claims more than it brings is dropped", |w| {
        let ((mut session, _), peer) = (w.allocated(), w.peer());
        session.bind(0x4000, peer.address());
        for (claimed, present) in [(1_u16, 0), (5, 4), (0xffff, 8), (4, 3)] {
            let mut bytes = channel_data(0x4000, &vec![1; present]);
            bytes[2..4].copy_from_slice(&claimed.to_be_bytes());
            session.client.send(&bytes);
        }
        for len in 1..4 {
            session.client.send(&channel_data(0x4000, b"")[..len]);
        }
        session.client.send(&channel_data(0x4000, b"honest"));
        assert_eq!(peer.hear().0, b"honest");
    }),
    ("padding behind ChannelData is not relayed", |w| {
        let ((mut session, _), peer) = (w.allocated(), w.peer());
        session.bind(0x4000, peer.address());
        session.client.send(&[&channel_data(0x4000, b"12345")[..], &[0xee; 3]].concat());
        assert_eq!(peer.hear().0, b"12345");
    }),
    ("a DTLS handshake is not answered", |w| {
        let hello = [&[0x16, 0xfe, 0xfd][..], &[0; 80]].concat();
        dropped(&mut w.client(), &hello);
    }),
    ("the largest datagram is dropped or judged, and nothing else happens", |w| {
        let mut client = w.client();
        dropped(&mut client, &vec![0xff; 65_507]);
        dropped(&mut client, &channel_data(0x4000, &[0; 65_503]));
    }),
];
