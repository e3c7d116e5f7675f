//! The engine that every Linux has: epoll, `recvmmsg` with UDP_GRO, `sendmmsg` with UDP_SEGMENT.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use super::{Engine, Received, Woken};
use crate::arena::Arena;
use crate::counters::Counters;
use crate::kernel::epoll::{Epoll, Event};
use crate::kernel::receive::Receiver;
use crate::kernel::send::{Message, Sender};
use crate::kernel::sockopt;
use crate::kernel::wake::Wake;
use crate::outbox::{Outbox, Plan};
use crate::sockets::{Sockets, Token};
use crate::stream::StreamId;

/// Sockets reported by one look; epoll gives the others their turn at the next.
const READY_MAX: usize = 256;
/// Reads of one listening socket in a row while others wait.
const LISTENER_SHARE: usize = 32;

/// Bytes read from streams in one turn: a few thousand packets, after which the others have theirs.
pub(super) const STREAMS_SHARE: usize = 512 << 10;

/// A UDP payload that every IPv6 way carries: the least MTU 1280 without its headers.
const SEGMENT_ALWAYS: u16 = 1280 - 40 - 8;

/// A socket that epoll reported.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    pub(super) token: Token,
    readable: bool,
    failed: bool,
    writable: bool,
}

impl Ready {
    pub(super) fn has_only_input(&self) -> bool {
        self.readable && !self.failed && !self.writable
    }
}

/// epoll and the two batch calls; for streams, read and writev.
pub(crate) struct Mmsg {
    epoll: Epoll,
    wake: Arc<Wake>,
    /// Sockets that have something to tell and were not asked yet.
    pub(super) ready: VecDeque<Ready>,
    /// Counts the looks.
    looks: u32,
    pub(super) receiver: Receiver,
    pub(super) sender: Sender,
    pub(super) plan: Plan,
}

impl Mmsg {
    /// For batches of `slots` reads; `wake` ends a sleep.
    pub(crate) fn new(slots: usize, wake: Arc<Wake>) -> io::Result<Self> {
        let epoll = Epoll::new(READY_MAX)?;
        epoll.add(wake.as_fd(), Token::Wake.to_bits())?;
        Ok(Self {
            epoll,
            wake,
            ready: VecDeque::with_capacity(READY_MAX),
            looks: 0,
            receiver: Receiver::new(slots),
            sender: Sender::new(),
            plan: Plan::default(),
        })
    }
}

impl Engine for Mmsg {
    fn watch(&mut self, token: Token, socket: BorrowedFd<'_>) -> io::Result<()> {
        self.epoll.add(socket, token.to_bits())
    }

    fn unwatch(&mut self, socket: BorrowedFd<'_>) {
        self.epoll.remove(socket);
    }

    fn revisit(&mut self, stream: StreamId) {
        self.ready.push_back(Ready { token: Token::Stream(stream), readable: true, failed: false, writable: false });
    }

    fn receive(
        &mut self,
        sockets: &mut Sockets,
        arena: &mut Arena,
        received: &mut Vec<Received>,
        counters: &mut Counters,
        timeout: Duration,
    ) -> io::Result<Woken> {
        let woken = self.look(counters, timeout)?;
        let mut from_streams = 0;
        while arena.free() > 0
            && from_streams < STREAMS_SHARE
            && let Some(ready) = self.ready.pop_front()
        {
            from_streams += self.visit(ready, sockets, arena, received, counters);
        }
        Ok(woken)
    }

    fn send(&mut self, sockets: &mut Sockets, arena: &Arena, outbox: &mut Outbox, counters: &mut Counters) {
        for i in 0..outbox.senders.len() {
            self.send_queue(outbox.senders[i], sockets, arena, outbox, counters);
        }
        outbox.clear();
    }
}

impl Mmsg {
    /// Asks which sockets have something, unless some are left from the last time.
    pub(super) fn look(&mut self, counters: &mut Counters, timeout: Duration) -> io::Result<Woken> {
        if !self.ready.is_empty() {
            return Ok(Woken::No);
        }
        counters.calls.wait += 1;
        self.looks = self.looks.wrapping_add(1);
        let mut woken = Woken::No;
        for Event { data, readable, failed, writable } in self.epoll.wait(timeout)? {
            match Token::from_bits(data) {
                Token::Wake => woken = Woken::Yes,
                token => self.ready.push_back(Ready { token, readable, failed, writable }),
            }
        }
        if woken == Woken::Yes {
            self.wake.clear();
        }
        Ok(woken)
    }

    /// Reads and writes one socket as far as its turn goes. Returns the bytes when it was a stream.
    pub(super) fn visit(
        &mut self,
        ready: Ready,
        sockets: &mut Sockets,
        arena: &mut Arena,
        received: &mut Vec<Received>,
        counters: &mut Counters,
    ) -> usize {
        match ready.token {
            Token::Stream(id) => self.read_stream(id, ready, sockets, arena, received, counters),
            Token::DataConnections => {
                received.push(Received::told(ready.token));
                0
            }
            token => {
                if ready.failed && matches!(token, Token::Relayed(..)) {
                    sockets.failed.push(token);
                }
                self.read(token, sockets, arena, received, counters);
                0
            }
        }
    }

    /// Sends what waits at one socket.
    pub(super) fn send_queue(
        &mut self,
        token: Token,
        sockets: &mut Sockets,
        arena: &Arena,
        outbox: &Outbox,
        counters: &mut Counters,
    ) {
        if let Token::Stream(id) = token {
            sockets.streams.send(id, outbox, arena.memory(), counters);
            return self.want_room(id, sockets);
        }
        let Some(traits) = sockets.traits_mut(token) else { return };
        let (queue, segment_max) = (std::mem::take(&mut traits.queue), traits.segment_max);
        self.plan.clear();
        outbox.plan(queue, segment_max, &mut self.plan);
        self.send_plan(token, sockets, arena, counters);
    }

    /// How many reads a relayed socket gets in a row at this visit: one, until it has shown that it has more.
    pub(super) fn appetite(&self, token: Token, sockets: &mut Sockets) -> usize {
        sockets.traits_mut(token).map_or(1, |traits| traits.appetite.at(self.looks))
    }

    /// One call for one socket. What it leaves behind is reported again: the set is level-triggered.
    fn read(
        &mut self,
        token: Token,
        sockets: &mut Sockets,
        arena: &mut Arena,
        received: &mut Vec<Received>,
        counters: &mut Counters,
    ) {
        let share = match token {
            Token::Listener(_) if self.ready.is_empty() => arena.free(),
            Token::Listener(_) => LISTENER_SHARE,
            _ => self.appetite(token, sockets),
        };
        let Some(socket) = sockets.fd(token) else { return };
        counters.calls.receive += 1;
        let n = match self.receiver.receive(socket, arena.rooms().take(share)) {
            Ok(n) => n,
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => return,
            // Also an ICMP error: it concerns one peer, not the socket, which has forgotten it with this call.
            Err(_) => return counters.receive_errors += 1,
        };
        if let (Token::Relayed(..), Some(traits)) = (token, sockets.traits_mut(token)) {
            traits.appetite.had(n);
        }
        let first = arena.take(n);
        let mut overflow = None;
        for (i, read) in (0..n).filter_map(|i| Some((i, self.receiver.get(i)?))) {
            let (segment, local) = (read.told.segment, read.told.local);
            overflow = read.told.overflow.or(overflow);
            received.push(Received { at: token, from: read.from, local, slot: first + i, len: read.len, segment });
        }
        if let Some(total) = overflow {
            note_overflow(token, total, sockets, counters);
        }
    }

    /// A stream that takes more, or has more, or both. One read; what it leaves behind is reported again.
    fn read_stream(
        &mut self,
        id: StreamId,
        ready: Ready,
        sockets: &mut Sockets,
        arena: &mut Arena,
        received: &mut Vec<Received>,
        counters: &mut Counters,
    ) -> usize {
        if ready.writable {
            sockets.streams.write(id, counters);
        }
        let mut len = 0;
        if ready.readable
            && let Some(from) = sockets.streams.get(id).map(|c| c.five_tuple.client)
            && let Some(room) = arena.stream_room()
        {
            len = sockets.streams.read(id, room, counters);
            if len > 0 {
                let slot = arena.take(1);
                received.push(Received { at: Token::Stream(id), from, local: None, slot, len, segment: 0 });
            }
        }
        self.want_room(id, sockets);
        len
    }

    /// EPOLLOUT only while something waits.
    fn want_room(&self, id: StreamId, sockets: &mut Sockets) {
        let Some(connection) = sockets.streams.get_mut(id) else { return };
        let wanted = connection.waits();
        if wanted != connection.wants_room {
            connection.wants_room = wanted;
            // The descriptor is a member of the set; nothing else can go wrong with it.
            let _ = self.epoll.want_room(connection.socket.as_fd(), Token::Stream(id).to_bits(), wanted);
        }
    }

    pub(super) fn send_plan(&mut self, token: Token, sockets: &mut Sockets, arena: &Arena, counters: &mut Counters) {
        let Some(ip) = sockets.local_ip(token) else { return };
        let mut at = 0;
        while at < self.plan.messages.len() {
            let Some(socket) = sockets.fd(token) else { return };
            if self.plan.marks[at].dont_fragment {
                self.send_whole(at, ip, socket, arena, token, counters);
                at += 1;
                continue;
            }
            let until =
                self.plan.marks[at..].iter().position(|m| m.dont_fragment).map_or(self.plan.marks.len(), |n| at + n);
            counters.calls.send += 1;
            let messages = &self.plan.messages[at..until];
            match self.sender.send(socket, arena.memory(), &self.plan.pieces, messages) {
                Ok(n) => {
                    self.count_sent(at, n, token, counters);
                    at += n.max(1);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return self.lose_rest(at, &e, counters),
                Err(e) => {
                    self.refused(at, &e, token, sockets, arena, counters);
                    at += 1;
                }
            }
        }
    }

    /// One message of the plan.
    pub(super) fn send_message(
        &mut self,
        at: usize,
        token: Token,
        sockets: &mut Sockets,
        arena: &Arena,
        counters: &mut Counters,
    ) {
        let Some(socket) = sockets.fd(token) else { return };
        counters.calls.send += 1;
        match self.sender.send(socket, arena.memory(), &self.plan.pieces, &self.plan.messages[at..=at]) {
            Ok(_) => self.count_sent(at, 1, token, counters),
            Err(e) => self.refused(at, &e, token, sockets, arena, counters),
        }
    }

    /// The socket's buffer is full: what is left would fare no better.
    fn lose_rest(&self, at: usize, e: &io::Error, counters: &mut Counters) {
        let lost = self.plan.marks[at..].iter().map(|m| m.datagrams).sum();
        counters.send_errors.count(e, lost);
    }

    /// A run that the kernel does not cut is sent datagram by datagram, and the socket remembers.
    pub(super) fn refused(
        &mut self,
        at: usize,
        e: &io::Error,
        token: Token,
        sockets: &mut Sockets,
        arena: &Arena,
        counters: &mut Counters,
    ) {
        let segment = self.plan.messages[at].segment;
        let (again, segment_max) = match e.raw_os_error() {
            _ if segment == 0 => (false, None),
            // No checksum offload, or no UDP_SEGMENT at all (before Linux 4.18).
            Some(libc::EIO | libc::EOPNOTSUPP) => (true, Some(0)),
            // Longer than the MTU, so these are to be fragmented one by one. A size that every way carries was refused
            // for another reason, which clients of a listener could provoke: that is not remembered.
            Some(libc::EINVAL | libc::EMSGSIZE) => (true, (segment > SEGMENT_ALWAYS).then(|| segment - 1)),
            _ => (false, None),
        };
        if !again {
            return counters.send_errors.count(e, self.plan.marks[at].datagrams);
        }
        if let (Some(max), Some(traits)) = (segment_max, sockets.traits_mut(token)) {
            tracing::debug!(target: "relay", error = %e, segment, "packets of this size leave one by one from now on");
            traits.segment_max = traits.segment_max.min(max);
        }
        let Some(socket) = sockets.fd(token) else { return };
        for single in self.plan.apart(at) {
            self.send_one(&single, socket, arena, token, counters);
        }
    }

    /// With the DF bit, which is the socket's: set for this one datagram. No WebRTC client asks for it.
    fn send_whole(
        &mut self,
        at: usize,
        ip: std::net::IpAddr,
        socket: BorrowedFd<'_>,
        arena: &Arena,
        token: Token,
        counters: &mut Counters,
    ) {
        let message = self.plan.messages[at].clone();
        if let Err(e) = sockopt::dont_fragment(&socket, ip, true) {
            return counters.send_errors.count(&e, 1);
        }
        self.send_one(&message, socket, arena, token, counters);
        if let Err(error) = sockopt::dont_fragment(&socket, ip, false) {
            tracing::debug!(target: "relay", %error, "the DF bit of a relayed socket stays set");
        }
    }

    fn send_one(
        &mut self,
        message: &Message,
        socket: BorrowedFd<'_>,
        arena: &Arena,
        token: Token,
        counters: &mut Counters,
    ) {
        counters.calls.send += 1;
        let one = std::slice::from_ref(message);
        match self.sender.send(socket, arena.memory(), &self.plan.pieces, one) {
            Ok(_) => sent_flow(token, counters).count(1, self.plan.bytes(message)),
            Err(e) => counters.send_errors.count(&e, 1),
        }
    }

    pub(super) fn count_sent(&self, at: usize, n: usize, token: Token, counters: &mut Counters) {
        for (message, mark) in self.plan.messages[at..at + n].iter().zip(&self.plan.marks[at..]) {
            sent_flow(token, counters).count(mark.datagrams, self.plan.bytes(message));
            if message.segment > 0 {
                counters.joined += mark.datagrams as u64;
            }
        }
    }
}

fn sent_flow(token: Token, counters: &mut Counters) -> &mut crate::counters::Flow {
    match token {
        Token::Relayed(..) => &mut counters.to_peers,
        _ => &mut counters.to_clients,
    }
}

/// The kernel's count is a total that wraps around.
pub(super) fn note_overflow(token: Token, total: u32, sockets: &mut Sockets, counters: &mut Counters) {
    let Some(traits) = sockets.traits_mut(token) else { return };
    let more = u64::from(total.wrapping_sub(traits.overflow));
    traits.overflow = total;
    match token {
        Token::Relayed(..) => counters.relayed_overflow += more,
        _ => counters.listener_overflow += more,
    }
}
