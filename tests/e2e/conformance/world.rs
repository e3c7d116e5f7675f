//! What a case has: a server, a transport, users of its own, clients and peers.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::ClientConfig;

use super::client::{Client, Transcript, Transport};
use super::wire::*;
use crate::harness::certificate::Certificate;
use crate::harness::credential::{self, time_limited};
use crate::harness::settings::SECRET;
use crate::harness::{Server, Settings};

/// A static user, for whom USERHASH is offered.
pub(crate) const ALICE: (&str, &str) = ("alice", "wonderland-password");

/// Where peers live: on the loopback network, but no address of the server's.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

pub(crate) struct World {
    pub(crate) transport: Transport,
    pub(crate) server: Server,
    transcript: Transcript,
    tls: Arc<ClientConfig>,
    users: Cell<u32>,
    _certificate: Certificate,
}

impl World {
    pub(crate) fn start(transport: Transport, settings: Settings) -> Self {
        let certificate = Certificate::new();
        let server = Server::start(&settings.tls(&certificate));
        let tls = certificate.client("stun.turn");
        let (transcript, users) = (Transcript::default(), Cell::new(0));
        let world = Self { transport, server, transcript, tls, users, _certificate: certificate };
        // From now on this address is known not to be forged, and is answered as often as it asks.
        world.session().ask(REFRESH, |r| r).refused(437);
        world
    }

    /// Where the server speaks this transport.
    pub(crate) fn address(&self) -> SocketAddr {
        if self.transport == Transport::Tls { self.server.relay_tls } else { self.server.relay }
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.transport != Transport::Udp
    }

    /// Forgets what was said and returns it.
    pub(crate) fn transcript(&self) -> String {
        self.transcript.take()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.transport, self.address(), &self.tls, &self.transcript)
    }

    /// A time-limited credential of a user that nobody was before.
    pub(crate) fn user(&self) -> (String, String) {
        self.users.set(self.users.get() + 1);
        time_limited(SECRET, &format!("user{}", self.users.get()), credential::now() + 3600)
    }

    /// A new client with a credential of its own and the challenge it got.
    pub(crate) fn session(&self) -> Session {
        self.session_of(self.user())
    }

    pub(crate) fn session_of(&self, (username, password): (String, String)) -> Session {
        Session::challenged(self.client(), username, password)
    }

    /// A session with an allocation, and its relayed address.
    pub(crate) fn allocated(&self) -> (Session, SocketAddr) {
        let mut session = self.session();
        let relayed = session.allocate();
        (session, relayed)
    }

    /// Somebody out there.
    pub(crate) fn peer(&self) -> Peer {
        let socket = UdpSocket::bind((ELSEWHERE, 0)).expect("a peer's socket");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a read timeout");
        Peer(socket)
    }
}

/// A client that knows realm and nonce and whose requests are signed. Its allocation ends with it.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) realm: String,
    pub(crate) nonce: Vec<u8>,
    pub(crate) algorithms: Vec<u8>,
    allocated: bool,
}

impl Session {
    fn challenged(mut client: Client, username: String, password: String) -> Self {
        let answer = exchange(&mut client, &Request::new(ALLOCATE).udp());
        assert_eq!(answer.code(), Some(401), "the first request is challenged");
        let realm = String::from_utf8(answer.get(REALM).expect("REALM").to_vec()).expect("UTF-8");
        let nonce = answer.get(NONCE).expect("NONCE").to_vec();
        let algorithms = answer.get(PASSWORD_ALGORITHMS).expect("PASSWORD-ALGORITHMS").to_vec();
        Self { client, username, password, realm, nonce, algorithms, allocated: false }
    }

    pub(crate) fn key(&self) -> Vec<u8> {
        md5_key(&self.username, &self.realm, &self.password)
    }

    /// USERNAME, REALM and NONCE.
    pub(crate) fn named(&self, request: Request) -> Request {
        request.with(USERNAME, self.username.as_bytes()).with(REALM, self.realm.as_bytes()).with(NONCE, &self.nonce)
    }

    /// The same with MESSAGE-INTEGRITY: what every client today sends.
    pub(crate) fn signed(&self, request: Request) -> Request {
        self.named(request).integrity(&self.key())
    }

    /// Sends a signed request, and holds its answer to being signed with the same key.
    pub(crate) fn ask(&mut self, kind: u16, write: impl FnOnce(Request) -> Request) -> Answer {
        let request = self.signed(write(Request::new(kind)));
        let answer = self.exchange(&request);
        assert_eq!(answer.signed_by(&self.key()), Some(MESSAGE_INTEGRITY), "{:?}", answer.code());
        answer
    }

    /// Sends a request as it is.
    pub(crate) fn exchange(&mut self, request: &Request) -> Answer {
        let answer = exchange(&mut self.client, request);
        self.allocated |= answer.kind == 0x0103;
        answer
    }

    /// An allocation as everybody asks for it.
    pub(crate) fn allocate(&mut self) -> SocketAddr {
        self.ask(ALLOCATE, Request::udp).success().address(XOR_RELAYED_ADDRESS).expect("XOR-RELAYED-ADDRESS")
    }

    pub(crate) fn permit(&mut self, peer: SocketAddr) {
        self.ask(CREATE_PERMISSION, |r| r.peer(peer)).success();
    }

    pub(crate) fn bind(&mut self, number: u16, peer: SocketAddr) {
        self.ask(CHANNEL_BIND, |r| r.channel(number).peer(peer)).success();
    }

    /// A Send indication.
    pub(crate) fn indicate(&mut self, peer: SocketAddr, payload: &[u8]) {
        self.client.send(&Request::new(SEND).peer(peer).with(DATA, payload).bytes());
    }

    /// Bytes that must be dropped: the next thing the server says answers a later request.
    pub(crate) fn dropped(&mut self, bytes: &[u8]) {
        dropped(&mut self.client, bytes);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.allocated && !self.client.is_stream() {
            let request = self.signed(Request::new(REFRESH).lifetime(0));
            self.client.send(&request.bytes());
        }
    }
}

/// Sends a request and takes its answer.
pub(crate) fn exchange(client: &mut Client, request: &Request) -> Answer {
    let sent = request.bytes();
    client.send(&sent);
    let answer = Answer::parse(&client.hear());
    assert_eq!(answer.bytes[4..20], sent[4..20], "cookie and transaction ID are the request's");
    assert_eq!(answer.kind & 0xfeef, u16::from_be_bytes([sent[0], sent[1]]), "the method is the request's");
    assert_eq!(answer.kind & 0x0010 != 0, answer.code().is_some(), "an error has a code, a success has none");
    answer
}

/// Sends bytes that must not be answered: a Binding request after them is what is answered next.
pub(crate) fn dropped(client: &mut Client, bytes: &[u8]) {
    client.send(bytes);
    is_alive(client);
}

/// Holds the server to answering a Binding here, before anything else.
pub(crate) fn is_alive(client: &mut Client) {
    let answer = exchange(client, &Request::new(BINDING));
    assert_eq!(answer.address(XOR_MAPPED_ADDRESS), Some(client.local()));
}

impl Answer {
    /// Holds the answer to be an error of this code.
    pub(crate) fn refused(self, code: u16) -> Self {
        assert_eq!(self.code(), Some(code), "{:02x?}", self.kinds());
        self
    }

    /// Holds the answer to be a success.
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code(), None, "expected a success");
        self
    }

    /// Holds the answer to say who to be and how to prove it, and nothing that needs a key.
    pub(crate) fn challenges(self) -> Self {
        for kind in [REALM, NONCE, PASSWORD_ALGORITHMS] {
            assert!(self.get(kind).is_some(), "{kind:#06x} is in every 401 and 438");
        }
        for kind in [USERNAME, USERHASH, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256] {
            assert!(self.get(kind).is_none(), "{kind:#06x} is in no 401 or 438");
        }
        self
    }

    /// Holds the answer to be a 400 that cannot be signed and challenges nobody.
    pub(crate) fn bare_400(self) -> Self {
        let answer = self.refused(400);
        for kind in [USERNAME, USERHASH, REALM, NONCE, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256] {
            assert!(answer.get(kind).is_none(), "{kind:#06x} is not in it");
        }
        answer
    }
}

/// A UDP socket of the outside world.
pub(crate) struct Peer(UdpSocket);

impl Peer {
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    /// The next datagram: payload and where it came from.
    pub(crate) fn hear(&self) -> (Vec<u8>, SocketAddr) {
        let mut buffer = vec![0; 65_536];
        let (len, from) = self.0.recv_from(&mut buffer).unwrap_or_else(|error| panic!("the peer heard: {error}"));
        buffer.truncate(len);
        (buffer, from)
    }

    pub(crate) fn send(&self, payload: &[u8], to: SocketAddr) {
        self.0.send_to(payload, to).expect("sent");
    }
}
