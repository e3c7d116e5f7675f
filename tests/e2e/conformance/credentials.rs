//! The long-term credential mechanism (RFC 8489 §9.2) as it guards every method of TURN.

use super::Case;
use super::wire::*;
use super::world::{ALICE, Session, World, exchange};
use crate::harness::credential::{self, time_limited};
use crate::harness::settings::{REALM as OUR_REALM, SECRET};

const METHODS: [u16; 4] = [ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND];

/// A request that the method would like, were it proved.
fn likable(kind: u16) -> Request {
    let peer = "127.0.0.3:5000".parse().expect("an address");
    match kind {
        ALLOCATE => Request::new(kind).udp(),
        REFRESH => Request::new(kind).lifetime(600),
        CREATE_PERMISSION => Request::new(kind).peer(peer),
        _ => Request::new(kind).channel(0x4000).peer(peer),
    }
}

/// USERNAME, REALM, NONCE, the offered algorithms and the choice, signed by the key of the choice.
fn chosen(session: &Session, request: Request, algorithm: [u8; 4]) -> (Request, Vec<u8>) {
    let key = if algorithm == MD5 { session.key() } else { strong_key(session) };
    let request = session.named(request).with(PASSWORD_ALGORITHMS, &session.algorithms);
    (request.with(PASSWORD_ALGORITHM, &algorithm).integrity_sha256(&key), key)
}

fn strong_key(session: &Session) -> Vec<u8> {
    sha256_key(&session.username, &session.realm, &session.password)
}

fn alice(w: &World) -> Session {
    w.session_of((ALICE.0.to_owned(), ALICE.1.to_owned()))
}

/// Who is refused: what an outsider learns must be the same for all of them.
fn stranger(w: &World, username: &str, password: &str) -> Answer {
    let mut session = w.session_of((username.to_owned(), password.to_owned()));
    let request = session.signed(Request::new(ALLOCATE).udp());
    session.exchange(&request).refused(401).challenges()
}

pub(crate) const CASES: &[Case] = &[
    ("without integrity every method is 401 with realm, nonce and algorithms", |w| {
        for kind in METHODS {
            let answer = exchange(&mut w.client(), &likable(kind)).refused(401).challenges();
            assert_eq!(answer.get(REALM), Some(OUR_REALM.as_bytes()));
        }
    }),
    ("a challenge is short", |w| {
        let answer = exchange(&mut w.client(), &Request::new(ALLOCATE).udp());
        assert!(answer.bytes.len() <= 112, "{} bytes", answer.bytes.len());
    }),
    ("the nonce begins with the cookie, and its bits tell of algorithms and anonymity", |w| {
        let nonce = w.session().nonce.clone();
        assert!(nonce.starts_with(b"obMatJos2wAAA"), "{}", String::from_utf8_lossy(&nonce));
        assert!(nonce.len() < 128);
    }),
    ("SHA-256 is offered before MD5", |w| {
        assert_eq!(w.session().algorithms, [SHA256, MD5].concat());
    }),
    ("two sources never get the same nonce", |w| {
        assert_ne!(w.session().nonce, w.session().nonce);
    }),
    ("a credential without integrity is 401", |w| {
        let mut session = w.session();
        let request = session.named(Request::new(ALLOCATE).udp());
        session.exchange(&request).refused(401).challenges();
    }),
    ("integrity without USERNAME, REALM or NONCE is 400, bare", |w| {
        let mut session = w.session();
        let (name, realm, nonce) = (session.username.clone(), session.realm.clone(), session.nonce.clone());
        for missing in [USERNAME, REALM, NONCE] {
            for kind in METHODS {
                let parts = [(USERNAME, name.as_bytes()), (REALM, realm.as_bytes()), (NONCE, &nonce)];
                let kept = parts.iter().filter(|part| part.0 != missing);
                let request = kept.fold(likable(kind), |request, (kind, value)| request.with(*kind, value));
                session.exchange(&request.integrity(&session.key())).bare_400();
            }
        }
    }),
    ("integrity and nothing else is 400, bare", |w| {
        exchange(&mut w.client(), &likable(ALLOCATE).integrity(b"key")).bare_400();
        exchange(&mut w.client(), &likable(ALLOCATE).integrity_sha256(b"key")).bare_400();
    }),
    ("a wrong password is 401 for every method", |w| {
        let mut session = w.session();
        for kind in METHODS {
            let request = session.named(likable(kind)).integrity(b"wrong");
            session.exchange(&request).refused(401).challenges();
        }
    }),
    ("a wrong password is 401 on a living allocation, which lives on", |w| {
        let (mut session, _) = w.allocated();
        let request = session.named(Request::new(REFRESH).lifetime(0)).integrity(b"wrong");
        session.exchange(&request).refused(401).challenges();
        session.ask(REFRESH, |r| r).success();
    }),
    ("a foreign realm is 401", |w| {
        let mut session = w.session();
        session.realm = "another.example".to_owned();
        let request = session.signed(Request::new(ALLOCATE).udp());
        let answer = session.exchange(&request).refused(401).challenges();
        assert_eq!(answer.get(REALM), Some(OUR_REALM.as_bytes()));
    }),
    ("unknown and known users are refused with answers of the same attributes and lengths", |w| {
        let (known, _) = w.user();
        let refused = [stranger(w, ALICE.0, "no"), stranger(w, "nobody", "no"), stranger(w, &known, "no")];
        let shapes = refused.map(|answer| (answer.kinds(), answer.bytes.len()));
        assert!(shapes.iter().all(|shape| *shape == shapes[0]), "{shapes:?}");
    }),
    ("names that are no names are 401", |w| {
        for name in ["", ":", "%s%n%x", "' OR 1=1 --", "\r\nSET a b\r\n", "a\0b", "18446744073709551616:x", "-1:x"] {
            stranger(w, name, "password");
        }
    }),
    ("a name that is not UTF-8 is 401", |w| {
        let mut session = w.session();
        let request = Request::new(ALLOCATE).udp().with(USERNAME, &[0xff, 0xfe, 0xc0, 0x80]);
        let request = request.with(REALM, session.realm.as_bytes()).with(NONCE, &session.nonce);
        session.exchange(&request.integrity(b"key")).refused(401).challenges();
    }),
    ("a USERNAME of 508 bytes is judged, one of 509 is malformed", |w| {
        stranger(w, &"u".repeat(508), "password");
        let mut session = w.session_of(("u".repeat(509), "password".to_owned()));
        let request = session.signed(Request::new(ALLOCATE).udp());
        session.exchange(&request).bare_400();
    }),
    ("a credential that has expired, or by another secret, is 401", |w| {
        let (name, password) = time_limited(SECRET, "late", credential::now() - 60);
        stranger(w, &name, &password);
        let (name, password) = time_limited("another secret", "fraud", credential::now() + 3600);
        stranger(w, &name, &password);
    }),
    ("a nonce of our shape that is not ours, or no nonce at all, is 438", |w| {
        let mut session = w.session();
        let genuine = session.nonce.clone();
        let flipped = [&genuine[..34], &[genuine[34] ^ 1]].concat();
        let weakened = [&b"obMatJos2AAAA"[..], &genuine[13..]].concat();
        for nonce in [flipped, weakened, b"x".to_vec(), Vec::new(), vec![b'n'; 763]] {
            session.nonce = nonce;
            let request = session.signed(Request::new(ALLOCATE).udp());
            let answer = session.exchange(&request).refused(438).challenges();
            session.nonce = answer.get(NONCE).expect("a new nonce").to_vec();
            session.ask(REFRESH, |r| r).refused(437);
        }
    }),
    ("a nonce of another source is 438, and the new one works", |w| {
        let (mut one, other) = (w.session(), w.session());
        one.nonce.clone_from(&other.nonce);
        let request = one.signed(Request::new(ALLOCATE).udp());
        one.nonce = one.exchange(&request).refused(438).challenges().get(NONCE).expect("NONCE").to_vec();
        one.allocate();
    }),
    ("an answer to a proof by MESSAGE-INTEGRITY is signed so, success or error", |w| {
        let mut session = w.session();
        session.ask(REFRESH, |r| r).refused(437);
        let answer = session.ask(ALLOCATE, Request::udp).success();
        assert!(answer.get(MESSAGE_INTEGRITY_SHA256).is_none());
        for kind in [REALM, NONCE, USERNAME, USERHASH] {
            assert!(answer.get(kind).is_none(), "{kind:#06x}");
        }
    }),
    ("SHA-256 for password and integrity: the answer is signed with it", |w| {
        let mut session = w.session();
        let (request, key) = chosen(&session, Request::new(ALLOCATE).udp(), SHA256);
        let answer = session.exchange(&request).success();
        assert_eq!(answer.signed_by(&key), Some(MESSAGE_INTEGRITY_SHA256));
        assert_eq!(answer.get(MESSAGE_INTEGRITY_SHA256).map(<[u8]>::len), Some(32));
        assert!(answer.get(MESSAGE_INTEGRITY).is_none());
        let (request, key) = chosen(&session, Request::new(ALLOCATE).udp(), SHA256);
        let answer = session.exchange(&request).refused(437);
        assert_eq!(answer.signed_by(&key), Some(MESSAGE_INTEGRITY_SHA256));
    }),
    ("MD5 by choice out of the offer is answered with SHA-256 integrity", |w| {
        let mut session = w.session();
        let (request, key) = chosen(&session, Request::new(ALLOCATE).udp(), MD5);
        let answer = session.exchange(&request).success();
        assert_eq!(answer.signed_by(&key), Some(MESSAGE_INTEGRITY_SHA256));
    }),
    ("an algorithm may be changed between requests", |w| {
        let (mut session, _) = w.allocated();
        let (request, key) = chosen(&session, Request::new(REFRESH), SHA256);
        assert_eq!(session.exchange(&request).success().signed_by(&key), Some(MESSAGE_INTEGRITY_SHA256));
        session.ask(REFRESH, |r| r).success();
    }),
    ("half of the algorithms, a changed offer or an unknown choice is 400", |w| {
        let mut session = w.session();
        let (key, offer) = (strong_key(&session), session.algorithms.clone());
        let unknown = [0, 9, 0, 0];
        let parameters = [0, 2, 0, 4, 1, 2, 3, 4];
        let swapped = [MD5, SHA256].concat();
        type Value<'v> = Option<&'v [u8]>;
        let wrong: [(Value<'_>, Value<'_>); 7] = [
            (Some(&offer), None),
            (None, Some(&SHA256)),
            (Some(&SHA256), Some(&SHA256)),
            (Some(&MD5), Some(&MD5)),
            (Some(&swapped), Some(&SHA256)),
            (Some(&offer), Some(&unknown)),
            (Some(&offer), Some(&parameters)),
        ];
        for (list, choice) in wrong {
            let mut request = session.named(Request::new(ALLOCATE).udp());
            for (kind, value) in [(PASSWORD_ALGORITHMS, list), (PASSWORD_ALGORITHM, choice)] {
                request = value.map_or(request.clone(), |value| request.with(kind, value));
            }
            session.exchange(&request.integrity_sha256(&key)).bare_400();
        }
    }),
    ("both integrities in their order: the stronger one decides", |w| {
        let mut session = w.session();
        let key = session.key();
        let request = session.named(Request::new(REFRESH)).integrity(&key);
        session.exchange(&request.clone().integrity_sha256(&key)).refused(437);
        session.exchange(&request.integrity_sha256(b"wrong")).refused(401);
    }),
    ("a truncated integrity proves nothing", |w| {
        let mut session = w.session();
        let request = session.named(Request::new(REFRESH));
        for (kind, len) in [(MESSAGE_INTEGRITY, 16), (MESSAGE_INTEGRITY, 0), (MESSAGE_INTEGRITY_SHA256, 16)] {
            let value = vec![7; len];
            session.exchange(&request.clone().with(kind, &value)).refused(401).challenges();
        }
    }),
    ("attributes behind the integrity are not obeyed", |w| {
        let mut session = w.session();
        // A forged REQUESTED-TRANSPORT, LIFETIME, EVEN-PORT and an unknown attribute, appended by somebody on the way.
        let request = session.signed(Request::new(ALLOCATE).lifetime(1200).udp());
        let request =
            request.with(EVEN_PORT, &[0x80]).lifetime(3600).with(0x7f01, b"?").with(REQUESTED_TRANSPORT, &[6; 4]);
        let answer = session.exchange(&request).success();
        assert_eq!((answer.number(LIFETIME), answer.get(RESERVATION_TOKEN)), (Some(1200), None));
        let request = session.signed(Request::new(REFRESH)).lifetime(0);
        assert_eq!(session.exchange(&request).success().number(LIFETIME), Some(600));
        let request = session.signed(Request::new(CREATE_PERMISSION)).peer("127.0.0.3:1".parse().unwrap());
        session.exchange(&request).refused(400);
        let request = session.signed(Request::new(CHANNEL_BIND).channel(0x4001)).peer("127.0.0.3:1".parse().unwrap());
        session.exchange(&request).refused(400);
    }),
    ("credentials behind the integrity do not exist", |w| {
        let mut session = w.session();
        let key = session.key();
        let request = Request::new(ALLOCATE).udp().integrity(&key);
        session.exchange(&session.named(request)).bare_400();
    }),
    ("a FINGERPRINT behind the integrity counts", |w| {
        let mut session = w.session();
        let request = session.signed(Request::new(ALLOCATE).udp()).fingerprint();
        assert!(session.exchange(&request).success().has_fingerprint());
    }),
    ("the first of two equal attributes counts", |w| {
        let mut session = w.session();
        let answer = session.ask(ALLOCATE, |r| r.udp().with(REQUESTED_TRANSPORT, &[6; 4]).lifetime(900).lifetime(1800));
        assert_eq!(answer.success().number(LIFETIME), Some(900));
        let request = session.named(Request::new(REFRESH)).with(USERNAME, b"eve").with(NONCE, b"old");
        session.exchange(&request.integrity(&session.key())).success();
    }),
    ("an unknown attribute that must be understood is 420 only after the proof, signed", |w| {
        let mut session = w.session();
        for kind in METHODS {
            session.exchange(&likable(kind).with(0x7f01, b"?")).refused(401);
            let request = session.signed(likable(kind).with(0x7f01, b"?").with(0x0021, &[]));
            let answer = session.exchange(&request).refused(420);
            assert_eq!(answer.get(UNKNOWN_ATTRIBUTES), Some(&[0x7f, 0x01, 0x00, 0x21][..]));
            assert_eq!(answer.signed_by(&session.key()), Some(MESSAGE_INTEGRITY));
        }
    }),
    ("a static user may hide behind a USERHASH, with either algorithm", |w| {
        let mut session = alice(w);
        let hash = userhash(ALICE.0, &session.realm);
        let hidden = |session: &Session, request: Request| {
            request.with(USERHASH, &hash).with(REALM, session.realm.as_bytes()).with(NONCE, &session.nonce)
        };
        let request = hidden(&session, Request::new(REFRESH)).integrity(&session.key());
        let answer = session.exchange(&request).refused(437);
        assert_eq!(answer.signed_by(&session.key()), Some(MESSAGE_INTEGRITY));
        let key = strong_key(&session);
        let request = hidden(&session, Request::new(REFRESH)).with(PASSWORD_ALGORITHMS, &session.algorithms);
        let answer = session.exchange(&request.with(PASSWORD_ALGORITHM, &SHA256).integrity_sha256(&key)).refused(437);
        assert_eq!(answer.signed_by(&key), Some(MESSAGE_INTEGRITY_SHA256));
    }),
    ("a USERHASH of nobody is 401 and one of a wrong length 400", |w| {
        let mut session = alice(w);
        for (len, code) in [(32, 401), (31, 400), (0, 400), (36, 400)] {
            let request = Request::new(REFRESH).with(USERHASH, &vec![9; len]);
            let request = request.with(REALM, session.realm.as_bytes()).with(NONCE, &session.nonce);
            session.exchange(&request.integrity(b"key")).refused(code);
        }
    }),
    ("another user may do nothing with an allocation: 441, signed by his own key", |w| {
        let (mut session, relayed) = w.allocated();
        let (own_name, own_password) = (session.username.clone(), session.password.clone());
        (session.username, session.password) = w.user();
        session.ask(REFRESH, |r| r.lifetime(0)).refused(441);
        session.ask(CREATE_PERMISSION, |r| r.peer(relayed)).refused(441);
        session.ask(CHANNEL_BIND, |r| r.channel(0x4000).peer(relayed)).refused(441);
        session.ask(ALLOCATE, Request::udp).refused(437);
        (session.username, session.password) = (own_name, own_password);
        session.ask(REFRESH, |r| r).success();
    }),
    ("a later credential of the same user is another user name: 441", |w| {
        let mut session = w.session();
        session.allocate();
        let (own_name, own_password) = (session.username.clone(), session.password.clone());
        let (_, id) = own_name.split_once(':').expect("expiry:user");
        (session.username, session.password) = time_limited(SECRET, id, credential::now() + 7200);
        session.ask(REFRESH, |r| r).refused(441);
        (session.username, session.password) = (own_name, own_password);
        session.ask(REFRESH, |r| r).success();
    }),
];
