//! A relay to test, and peers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use posthouse_relay::{Config, EngineChoice, Relay, RelayAddress, WorkerStats, now};
use posthouse_turn::{Credentials, Families, NonceKeys, PeerPolicy, Quotas, Rates, Settings, Shared};

pub(crate) const REALM: &str = "example.org";
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Where relayed sockets are bound; peers of the tests live at other loopback addresses.
pub(crate) const RELAY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));

/// The engine of the tests. `it_io_uring` is made of the same files as `it`: its name tells.
pub(crate) const ENGINE: EngineChoice =
    if env!("CARGO_CRATE_NAME").len() == "it_io_uring".len() { EngineChoice::IoUring } else { EngineChoice::Mmsg };

/// One worker on 127.0.0.1. Each test has a range of ports of its own, as tests run side by side, and below the ports
/// that the kernel gives to whoever asks for any.
pub(crate) fn config(ports: RangeInclusive<u16>) -> Config {
    Config {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        relay_addresses: vec![RELAY.into()],
        ports,
        workers: 1,
        engine: ENGINE,
        ..Config::default()
    }
}

/// Settings that fit `config`, with users `alice` to `dave`, whose passwords are their names, and loopback peers.
pub(crate) fn settings(config: &Config) -> Settings {
    let mut credentials = Credentials::new(REALM);
    for user in ["alice", "bob", "carol", "dave"] {
        credentials.add_user(user, user);
    }
    let has = |v4: bool| config.relay_addresses.iter().any(|a| a.local.is_ipv4() == v4);
    Settings {
        families: Families { v4: has(true), v6: has(false) },
        relay_ports: config.ports.clone(),
        own_addresses: own(&config.relay_addresses),
        peer_policy: PeerPolicy {
            // `::1` is also 0.0.0.1 in the spelling of an IPv4-compatible address.
            allow: ["127.0.0.0/8", "::1/128", "0.0.0.1/32"].map(|n| n.parse().unwrap()).to_vec(),
            allow_dangerous: true,
            ..PeerPolicy::default()
        },
        quotas: Quotas { per_user: 0, per_prefix: 0, total: 0 },
        rates: Rates { binding: 0, errors: 0, errors_per_prefix: 0, errors_total: 0, verified: 0 },
        ..Settings::new(credentials, NonceKeys::new([7; 32], None, now()))
    }
}

/// There is only one IPv6 loopback address: peers of the tests need it.
fn own(addresses: &[RelayAddress]) -> Vec<IpAddr> {
    addresses.iter().map(|a| a.external).filter(IpAddr::is_ipv4).collect()
}

pub(crate) fn start(config: &Config) -> Relay {
    Relay::start(config, Arc::new(settings(config)), Shared::new()).unwrap()
}

/// A peer at an address of its own.
pub(crate) fn peer(address: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

pub(crate) fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 65536];
    let (len, from) = socket.recv_from(&mut buffer).expect("a datagram comes");
    (buffer[..len].to_vec(), from)
}

/// Asserts that nothing came. The caller has seen an answer that could only come later.
pub(crate) fn assert_silent(socket: &UdpSocket) {
    socket.set_nonblocking(true).unwrap();
    let mut buffer = [0; 2048];
    let unexpected = socket.recv_from(&mut buffer);
    socket.set_nonblocking(false).unwrap();
    assert!(unexpected.is_err(), "{unexpected:?}");
}

/// Waits until the published counters say so; they are half a second old at most.
pub(crate) fn wait_for(relay: &Relay, what: &str, condition: impl Fn(&[WorkerStats]) -> bool) {
    let until = Instant::now() + PATIENCE;
    while !condition(&relay.stats()) {
        assert!(Instant::now() < until, "never came: {what}; {:#?}", relay.stats());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The kernel cuts what this socket sends into datagrams of `size` bytes, so that they arrive as one burst.
#[allow(unsafe_code)]
pub(crate) fn cut_into(socket: &UdpSocket, size: i32) {
    // SAFETY: the descriptor is open, pointer and length are those of one number that outlives the call.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_UDP, libc::UDP_SEGMENT, (&raw const size).cast(), 4) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

/// A payload that tells where a byte went astray: number, then bytes drawn from it.
pub(crate) fn payload(number: u32, len: usize) -> Vec<u8> {
    let mut state = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize_with(len.max(4), &mut draw);
    bytes
}
