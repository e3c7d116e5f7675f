//! TCP allocations (RFC 6062) message by message, on the codec of other people: what passes, and what must stay closed.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use rand::RngExt;
use stun::attributes::{
    ATTR_CONNECTION_ID, ATTR_REQUESTED_ADDRESS_FAMILY, ATTR_REQUESTED_TRANSPORT, ATTR_XOR_PEER_ADDRESS,
    ATTR_XOR_RELAYED_ADDRESS,
};
use stun::message::{
    CLASS_REQUEST, METHOD_ALLOCATE, METHOD_CONNECT, METHOD_CONNECTION_ATTEMPT, METHOD_CONNECTION_BIND,
    METHOD_CREATE_PERMISSION, Message, MessageType, Method, Setter,
};

use crate::harness::stun_client::{Author, Peer, Raw, error_code, read, xor_address};
use crate::harness::{Server, Settings};

const MEGABYTE: usize = 1 << 20;

/// Somebody on a connection.
struct Client {
    stream: TcpStream,
    author: Author,
}

impl Client {
    fn to(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { stream, author: Author::new() }
    }

    /// With a TCP allocation.
    fn allocated(server: SocketAddr) -> (Self, SocketAddr) {
        let mut client = Self::to(server);
        let tcp = Raw(ATTR_REQUESTED_TRANSPORT, vec![6, 0, 0, 0]);
        let family = Raw(ATTR_REQUESTED_ADDRESS_FAMILY, vec![if server.is_ipv4() { 1 } else { 2 }, 0, 0, 0]);
        let answer = client.request(METHOD_ALLOCATE, &[&tcp, &family]);
        assert_eq!(error_code(&answer), None);
        (client, xor_address(&answer, ATTR_XOR_RELAYED_ADDRESS).expect("a relayed address"))
    }

    fn request(&mut self, method: Method, attributes: &[&dyn Setter]) -> Message {
        loop {
            let request = self.author.write(MessageType::new(method, CLASS_REQUEST), attributes);
            self.stream.write_all(&request.raw).unwrap();
            let answer = self.message();
            assert_eq!(answer.transaction_id, request.transaction_id);
            if !self.author.is_challenged(&answer) {
                return answer;
            }
        }
    }

    fn message(&mut self) -> Message {
        let mut bytes = vec![0; 20];
        self.stream.read_exact(&mut bytes).expect("a header");
        bytes.resize(20 + usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), 0);
        self.stream.read_exact(&mut bytes[20..]).expect("a body");
        read(&bytes)
    }

    fn connect(&mut self, peer: SocketAddr) -> Result<Vec<u8>, u16> {
        let answer = self.request(METHOD_CONNECT, &[&Peer(peer)]);
        error_code(&answer).map_or_else(|| Ok(connection(&answer)), Err)
    }

    /// A client data connection of the same user: an allocation knows its user by the whole name, expiry and all.
    fn bound(&self, connection: Vec<u8>) -> TcpStream {
        let mut data = Self { author: self.author.again(), ..Self::to(self.stream.peer_addr().unwrap()) };
        let answer = data.request(METHOD_CONNECTION_BIND, &[&Raw(ATTR_CONNECTION_ID, connection)]);
        assert_eq!(error_code(&answer), None);
        data.stream
    }
}

fn connection(message: &Message) -> Vec<u8> {
    message.get(ATTR_CONNECTION_ID).expect("CONNECTION-ID")
}

fn settings() -> Settings {
    Settings::default().relay("tcp_allocations = true")
}

/// A megabyte each way at the same time; every byte arrives, in order, and then the end.
fn carries_a_megabyte_each_way(a: &TcpStream, b: &TcpStream) {
    let random = || {
        let mut bytes = vec![0; MEGABYTE];
        rand::rng().fill(&mut bytes[..]);
        bytes
    };
    let (up, down) = (random(), random());
    let say = |mut stream: &TcpStream, bytes: &[u8]| {
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    };
    let hear = |mut stream: &TcpStream| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map(|_| bytes).unwrap()
    };
    thread::scope(|scope| {
        scope.spawn(|| say(a, &up));
        scope.spawn(|| say(b, &down));
        let heard = scope.spawn(|| hear(a));
        assert!(hear(b) == up, "to the peer");
        assert!(heard.join().unwrap() == down, "to the client");
    });
}

#[test]
fn a_megabyte_passes_each_way_whoever_connects() {
    let server = Server::start(&settings().loopback_peers());
    let (mut control, relayed) = Client::allocated(server.relay);

    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let connection_out = control.connect(listener.local_addr().unwrap()).expect("a connection");
    let (peer, from) = listener.accept().unwrap();
    assert_eq!(from, relayed);
    carries_a_megabyte_each_way(&control.bound(connection_out), &peer);

    let any_port = Peer("127.0.0.1:1".parse().unwrap());
    assert_eq!(error_code(&control.request(METHOD_CREATE_PERMISSION, &[&any_port])), None);
    let peer = TcpStream::connect(relayed).unwrap();
    let attempt = control.message();
    assert_eq!(attempt.typ.method, METHOD_CONNECTION_ATTEMPT);
    assert_eq!(xor_address(&attempt, ATTR_XOR_PEER_ADDRESS), Some(peer.local_addr().unwrap()));
    carries_a_megabyte_each_way(&control.bound(connection(&attempt)), &peer);
}

#[test]
fn no_listener_of_the_server_is_connected_to_even_when_loopback_is_excepted() {
    let certificate = crate::harness::certificate::Certificate::new();
    let server = Server::start(&settings().tls(&certificate).loopback_peers());
    let (mut control, relayed) = Client::allocated(server.relay);
    for listener in [server.web, server.admin, server.relay, server.relay_tls, server.edge] {
        for ip in ["127.0.0.1", "127.0.0.2", "127.200.3.4"] {
            let listener = SocketAddr::new(ip.parse().unwrap(), listener.port());
            assert_eq!(control.connect(listener), Err(403), "{listener}");
        }
    }
    assert_eq!(control.connect(relayed), Err(403), "itself");
}

#[test]
fn no_service_of_this_machine_or_its_networks_is_connected_to() {
    let server = Server::start(&settings().ipv6());
    let service = TcpListener::bind("127.0.0.2:0").unwrap();
    service.set_nonblocking(true).unwrap();
    let port = service.local_addr().unwrap().port();
    // In the range of relayed ports, where no allocation is.
    let beside = server.relay_ports.clone().rev().find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).unwrap();
    beside.set_nonblocking(true).unwrap();

    let (mut v4, _) = Client::allocated(server.relay);
    let (mut v6, _) = Client::allocated(server.relay6);
    for ip in ["0.0.0.0", "10.0.0.1", "127.0.0.2", "169.254.169.254", "192.168.0.1", "100.64.0.1", "224.0.0.1"] {
        assert_eq!(v4.connect(SocketAddr::new(ip.parse().unwrap(), port)), Err(403), "{ip}");
    }
    for ip in ["::", "::ffff:127.0.0.2", "::127.0.0.2", "64:ff9b::7f00:2", "2002:7f00:2::1", "fe80::1", "fc00::1"] {
        let refused = v6.connect(SocketAddr::new(ip.parse::<IpAddr>().unwrap(), port));
        assert!(matches!(refused, Err(403 | 443)), "{ip}: {refused:?}");
    }
    assert_eq!(v4.connect(beside.local_addr().unwrap()), Err(447), "a port that could be a relayed one, and is not");
    for listener in [service, beside] {
        assert!(listener.accept().is_err(), "nobody came");
    }
}
