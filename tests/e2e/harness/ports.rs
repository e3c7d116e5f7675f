//! Ports of a test's own. Binding port 0 and letting go would hand the same port to two tests at once, and the ports
//! lie below the system's ephemeral range so that no client socket sits on one by chance.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 12_000;
const PORTS: u16 = 20_000;

/// One slice of ports a server: a few listeners and a relay range.
const SLICE: u16 = 100;
const LISTENERS: u16 = 8;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A slice that nobody uses, for as long as this is kept.
pub(crate) struct Ports {
    first: u16,
    taken: u16,
    /// At the slice's last port: servers share ports, this listener shares with nobody, so that runs of this binary
    /// beside each other never get the same slice.
    _guard: TcpListener,
}

impl Ports {
    pub(crate) fn own() -> Self {
        // Two runs of this binary at once start in different places.
        let start = (std::process::id() % u32::from(PORTS / SLICE)) as u16;
        for _ in 0..PORTS / SLICE {
            let slice = (start + NEXT.fetch_add(1, Ordering::Relaxed)) % (PORTS / SLICE);
            let first = FIRST + slice * SLICE;
            let Ok(guard) = TcpListener::bind((Ipv4Addr::UNSPECIFIED, first + SLICE - 1)) else { continue };
            if (first..first + LISTENERS).all(is_free) {
                return Self { first, taken: 0, _guard: guard };
            }
        }
        panic!("no {LISTENERS} free ports in a row from {FIRST} on");
    }

    /// The next port for a listener.
    pub(crate) fn next(&mut self) -> u16 {
        assert!(self.taken < LISTENERS, "a server of the tests has at most {LISTENERS} listeners");
        self.taken += 1;
        self.first + self.taken - 1
    }

    /// Where relayed transport addresses are bound.
    pub(crate) fn relay_range(&self) -> RangeInclusive<u16> {
        self.first + LISTENERS..=self.first + SLICE - 2
    }
}

fn is_free(port: u16) -> bool {
    let everywhere = (Ipv4Addr::UNSPECIFIED, port);
    TcpListener::bind(everywhere).is_ok() && UdpSocket::bind(everywhere).is_ok()
}
