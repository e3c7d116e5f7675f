//! [`Side`]: one of the two connections of a data connection.

use std::io::IoSlice;
use std::net::TcpStream;
use std::os::fd::AsFd;

use crate::arena::READ_MAX;
use crate::counters::Calls;
use crate::kernel::epoll::Epoll;
use crate::stream::{End, RECORD_MAX, Seat, Socket, Wire};

/// The peer, or the client with TLS if it has that.
#[derive(Debug)]
pub(crate) struct Side {
    socket: TcpStream,
    wire: Wire,
    watched: Interest,
    /// It broke: neither reads nor writes are of any use.
    gone: bool,
    /// The other end was told that nothing follows.
    closed: bool,
    _seat: Option<Seat>,
}

/// What the kernel is asked to tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) input: bool,
    pub(crate) output: bool,
}

/// Whether a read was the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    More,
    Last,
}

/// What every connection of a worker is read into; memory from the first one on.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    plain: Vec<u8>,
    cipher: Vec<u8>,
}

impl Side {
    pub(crate) fn peer(socket: TcpStream) -> Self {
        Self { socket, wire: Wire::Tcp, watched: Interest::default(), gone: false, closed: false, _seat: None }
    }

    pub(crate) fn client(socket: TcpStream, wire: Wire, seat: Seat) -> Self {
        Self { socket, wire, watched: Interest::default(), gone: false, closed: false, _seat: Some(seat) }
    }

    /// How an attempt to connect ended, if it has.
    pub(super) fn has_connected(&self) -> Option<bool> {
        match self.socket.take_error() {
            Ok(None) => self.socket.peer_addr().is_ok().then_some(true),
            Ok(Some(_)) | Err(_) => Some(false),
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Ciphertext waits for the kernel.
    pub(super) fn waits(&self) -> bool {
        !self.gone && self.wire.waits()
    }

    /// Reads once.
    pub(super) fn read<'r>(&mut self, rooms: &'r mut Rooms, calls: &mut Calls) -> (&'r [u8], Said) {
        if self.gone {
            return (&[], Said::Last);
        }
        rooms.plain.resize(READ_MAX + RECORD_MAX, 0);
        if matches!(self.wire, Wire::Tls(_)) {
            rooms.cipher.resize(READ_MAX, 0);
        }
        let (wire, mut socket) = self.io(calls);
        let (n, end) = wire.read(&mut socket, &mut rooms.plain, &mut rooms.cipher);
        let said = match end {
            None => Said::More,
            Some(End::Client) => Said::Last,
            Some(_) => {
                self.gone = true;
                Said::Last
            }
        };
        (&rooms.plain[..n], said)
    }

    /// Writes as much as the kernel takes.
    pub(super) fn write(&mut self, bytes: &[u8], calls: &mut Calls) -> usize {
        if self.gone {
            return 0;
        }
        let (wire, mut socket) = self.io(calls);
        let written = wire.write(&mut socket, &mut [IoSlice::new(bytes)]);
        written.map_or_else(
            |_| {
                self.gone = true;
                0
            },
            |written| written.taken,
        )
    }

    /// Writes ciphertext that waits.
    pub(super) fn flush(&mut self, calls: &mut Calls) {
        if self.waits() {
            let (wire, mut socket) = self.io(calls);
            self.gone = wire.write(&mut socket, &mut []).is_err();
        }
    }

    /// Tells the other end that nothing follows. False while ciphertext is in the way.
    pub(super) fn close_write(&mut self, calls: &mut Calls) -> bool {
        if let Wire::Tls(tls) = &mut self.wire
            && !self.closed
        {
            self.closed = true;
            tls.send_close_notify();
        }
        self.flush(calls);
        if self.waits() {
            return false;
        }
        // One that is gone has heard it anyway.
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        true
    }

    /// TLS says that it ends; whether that is still heard does not matter.
    pub(super) fn say_goodbye(&mut self) {
        self.close_write(&mut Calls::default());
    }

    /// Asks the kernel to tell what is of interest. One of no interest is no member of the set: an error would be told
    /// again and again, and nobody would ask for it.
    pub(super) fn watch(&mut self, epoll: &Epoll, data: u64, interest: Interest) {
        let interest = if self.gone { Interest::default() } else { interest };
        if interest != self.watched {
            let before = std::mem::replace(&mut self.watched, interest);
            epoll.change(self.socket.as_fd(), data, [before, interest].map(|i| (i.input, i.output)));
        }
    }

    fn io<'s>(&'s mut self, calls: &'s mut Calls) -> (&'s mut Wire, Socket<'s>) {
        (&mut self.wire, Socket { stream: &self.socket, reads: &mut calls.read, writes: &mut calls.write })
    }
}
