//! [`Engine`]: what a worker asks of the kernel, so that another interface can take the place of the first.
//!
//! One turn of a worker is: receive a batch from whatever sockets have something, decide, send a batch over whatever
//! sockets have something. [`mmsg`] makes one call for each socket, [`uring`] one for many quiet ones.

mod appetite;
mod choice;
pub(crate) mod mmsg;
pub(crate) mod uring;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::time::Duration;

pub(crate) use appetite::Appetite;
pub(crate) use choice::settle;

use crate::arena::Arena;
use crate::counters::Counters;
use crate::outbox::Outbox;
use crate::sockets::{Sockets, Token};
use crate::stream::StreamId;

/// A kernel interface.
pub(crate) trait Engine {
    /// Reads what arrives at `socket` from now on, under the name `token`. Closing the socket ends it.
    fn watch(&mut self, token: Token, socket: BorrowedFd<'_>) -> io::Result<()>;

    /// No longer reads a socket that stays open. Everything read before was handed out by [`Self::receive`], or is left in
    /// the socket for whoever takes it over: nothing may be lost.
    fn unwatch(&mut self, socket: BorrowedFd<'_>);

    /// Reads a connection at the next [`Self::receive`] even if the kernel reports nothing: something was read before.
    fn revisit(&mut self, stream: StreamId);

    /// Fills `received` from as many sockets as have something, at most as far as the arena has slots; sleeps up to
    /// `timeout` when none has. No socket keeps the others from their turn. Relayed sockets that have an error to tell are
    /// noted in [`Sockets::failed`].
    fn receive(
        &mut self,
        sockets: &mut Sockets,
        arena: &mut Arena,
        received: &mut Vec<Received>,
        counters: &mut Counters,
        timeout: Duration,
    ) -> io::Result<Woken>;

    /// Sends all that waits in `outbox` and empties it. What the kernel refuses is counted and lost; but what may be the
    /// error of an earlier packet (`kernel/error_queue.rs`) is tried again.
    fn send(&mut self, sockets: &mut Sockets, arena: &Arena, outbox: &mut Outbox, counters: &mut Counters);
}

/// One read of a socket: a datagram, or several of one flow and one size, or frames of a stream, perhaps incomplete.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    /// The socket.
    pub(crate) at: Token,
    /// The sender, canonical; of a stream, the client.
    pub(crate) from: SocketAddr,
    /// The local address it was sent to, when the socket is bound to none.
    pub(crate) local: Option<IpAddr>,
    /// Where in the arena.
    pub(crate) slot: usize,
    /// All its bytes.
    pub(crate) len: usize,
    /// The size of each datagram but the last, when it is several.
    pub(crate) segment: u16,
}

impl Received {
    /// Nothing was read: whoever owns the name reads.
    pub(crate) fn told(at: Token) -> Self {
        let nobody = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);
        Self { at, from: nobody, local: None, slot: 0, len: 0, segment: 0 }
    }
}

/// Whether another thread woke the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// It did: look for commands.
    Yes,
    /// Packets or time did.
    No,
}
