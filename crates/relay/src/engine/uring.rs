//! The engine that carries a batch over many quiet sockets in one call: as [`Mmsg`], but with an io_uring for what would
//! be one call a socket.
//!
//! ```text
//! a listener, a busy relayed socket ─► recvmmsg, sendmmsg: many datagrams of one socket a call   (as without a ring)
//! relayed sockets with one datagram ─► one io_uring_enter: many sockets a call
//! ```

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use super::mmsg::{Mmsg, STREAMS_SHARE, note_overflow};
use super::{Engine, Received, Woken};
use crate::arena::Arena;
use crate::counters::Counters;
use crate::kernel::error_queue::may_be_of_an_earlier;
use crate::kernel::ring::Ring;
use crate::kernel::wake::Wake;
use crate::outbox::{Outbox, Plan};
use crate::sockets::{Sockets, Token};
use crate::stream::StreamId;

/// Sockets that are worth a call of the ring.
const MANY: usize = 2;

/// [`Mmsg`] and a ring.
pub(crate) struct Uring {
    mmsg: Mmsg,
    /// `None` after it has failed, which it should never.
    ring: Option<Ring>,
    /// Relayed sockets to be read once each.
    quiet: Vec<Token>,
    /// What relayed sockets send, one message each.
    plan: Plan,
    /// The socket of each message of the plan.
    senders: Vec<Token>,
}

impl Uring {
    /// For batches of `slots` reads, by the calling thread alone; `wake` ends a sleep.
    pub(crate) fn new(slots: usize, wake: Arc<Wake>) -> io::Result<Self> {
        let (quiet, senders, plan) = (Vec::with_capacity(slots), Vec::new(), Plan::default());
        let mut engine = Self { mmsg: Mmsg::new(slots, wake)?, ring: None, quiet, plan, senders };
        match Ring::new() {
            Ok(ring) => engine.ring = Some(ring),
            // It was possible when the relay started; a worker can do without.
            Err(error) => engine.give_up(&error),
        }
        Ok(engine)
    }
}

impl Engine for Uring {
    fn watch(&mut self, token: Token, socket: BorrowedFd<'_>) -> io::Result<()> {
        self.mmsg.watch(token, socket)
    }

    fn unwatch(&mut self, socket: BorrowedFd<'_>) {
        self.mmsg.unwatch(socket);
    }

    fn revisit(&mut self, stream: StreamId) {
        self.mmsg.revisit(stream);
    }

    fn receive(
        &mut self,
        sockets: &mut Sockets,
        arena: &mut Arena,
        received: &mut Vec<Received>,
        counters: &mut Counters,
        timeout: Duration,
    ) -> io::Result<Woken> {
        if self.ring.is_none() {
            return self.mmsg.receive(sockets, arena, received, counters, timeout);
        }
        let woken = self.mmsg.look(counters, timeout)?;
        let mut from_streams = 0;
        while arena.free() > self.quiet.len()
            && from_streams < STREAMS_SHARE
            && let Some(ready) = self.mmsg.ready.pop_front()
        {
            if ready.has_only_input() && self.is_quiet(ready.token, sockets) {
                self.quiet.push(ready.token);
                continue;
            }
            // The slots behind those that the quiet ones will take.
            self.read_quiet(sockets, arena, received, counters);
            if arena.free() == 0 {
                self.mmsg.ready.push_front(ready);
                break;
            }
            from_streams += self.mmsg.visit(ready, sockets, arena, received, counters);
        }
        self.read_quiet(sockets, arena, received, counters);
        Ok(woken)
    }

    fn send(&mut self, sockets: &mut Sockets, arena: &Arena, outbox: &mut Outbox, counters: &mut Counters) {
        self.plan.clear();
        self.senders.clear();
        for i in 0..outbox.senders.len() {
            let token = outbox.senders[i];
            if !self.gather(token, sockets, outbox) {
                self.mmsg.send_queue(token, sockets, arena, outbox, counters);
            }
        }
        self.send_gathered(sockets, arena, counters);
        outbox.clear();
    }
}

impl Uring {
    /// Whether one read is enough for a socket.
    fn is_quiet(&mut self, token: Token, sockets: &mut Sockets) -> bool {
        matches!(token, Token::Relayed(..)) && self.mmsg.appetite(token, sockets) == 1
    }

    /// Reads every quiet socket once. What one leaves behind is reported again.
    fn read_quiet(
        &mut self,
        sockets: &mut Sockets,
        arena: &mut Arena,
        received: &mut Vec<Received>,
        counters: &mut Counters,
    ) {
        // Closed ones would be out of step with their results.
        self.quiet.retain(|&token| sockets.fd(token).is_some());
        if self.quiet.is_empty() {
            return;
        }
        counters.calls.receive += 1;
        let reads = self.quiet.iter().filter_map(|&token| sockets.fd(token)).zip(arena.rooms());
        let tried = self.ring.as_mut().map(|ring| ring.receive(&mut self.mmsg.receiver, reads));
        let n = match tried {
            Some(Ok(n)) => n,
            // What was not read is reported again.
            Some(Err(e)) => return self.give_up(&e),
            None => return,
        };
        let first = arena.take(n);
        for i in 0..n {
            self.note_read(i, first + i, sockets, received, counters);
        }
        self.quiet.clear();
    }

    fn note_read(
        &mut self,
        i: usize,
        slot: usize,
        sockets: &mut Sockets,
        received: &mut Vec<Received>,
        counters: &mut Counters,
    ) {
        let (token, Some(ring)) = (self.quiet[i], &self.ring) else { return };
        if let Some(traits) = sockets.traits_mut(token) {
            traits.appetite.had(usize::from(ring.result(i).is_ok()));
        }
        match ring.result(i) {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
            // Also an ICMP error, as in `Mmsg`.
            Err(_) => return counters.receive_errors += 1,
        }
        let Some(read) = self.mmsg.receiver.get(i) else { return };
        let (segment, local) = (read.told.segment, read.told.local);
        received.push(Received { at: token, from: read.from, local, slot, len: read.len, segment });
        if let Some(total) = read.told.overflow {
            note_overflow(token, total, sockets, counters);
        }
    }

    /// Adds what waits at a relayed socket to the plan, if it is one datagram as any other. What is more goes by `Mmsg`: a
    /// run of datagrams costs the ring an allocation in the kernel.
    fn gather(&mut self, token: Token, sockets: &mut Sockets, outbox: &Outbox) -> bool {
        if self.ring.is_none() || !matches!(token, Token::Relayed(..)) {
            return false;
        }
        let Some(traits) = sockets.traits_mut(token) else { return false };
        let mut queued = outbox.queued(traits.queue);
        if queued.next().is_none_or(|datagram| datagram.dont_fragment) || queued.next().is_some() {
            return false;
        }
        let queue = std::mem::take(&mut traits.queue);
        outbox.plan(queue, traits.segment_max, &mut self.plan);
        self.senders.resize(self.plan.messages.len(), token);
        true
    }

    fn send_gathered(&mut self, sockets: &mut Sockets, arena: &Arena, counters: &mut Counters) {
        if self.senders.is_empty() {
            return;
        }
        std::mem::swap(&mut self.plan, &mut self.mmsg.plan);
        if self.senders.len() < MANY {
            return self.mmsg.send_plan(self.senders[0], sockets, arena, counters);
        }
        counters.calls.send += 1;
        let plan = &self.mmsg.plan;
        // Nothing closes a socket while something waits to be sent by it.
        let fds = self.senders.iter().filter_map(|&token| sockets.fd(token));
        let sent = self
            .ring
            .as_mut()
            .map(|ring| ring.send(&mut self.mmsg.sender, arena.memory(), &plan.pieces, &plan.messages, fds));
        match sent {
            Some(Ok(())) => self.note_sent(sockets, arena, counters),
            Some(Err(e)) => {
                counters.send_errors.count(&e, plan.marks.iter().map(|m| m.datagrams).sum());
                self.give_up(&e);
            }
            None => {}
        }
    }

    fn note_sent(&mut self, sockets: &mut Sockets, arena: &Arena, counters: &mut Counters) {
        for at in 0..self.senders.len() {
            let (token, Some(ring)) = (self.senders[at], &self.ring) else { return };
            match ring.result(at) {
                Ok(_) => self.mmsg.count_sent(at, 1, token, counters),
                Err(e) if may_be_of_an_earlier(&e) => self.mmsg.send_message(at, token, sockets, arena, counters),
                Err(e) => self.mmsg.refused(at, &e, token, sockets, arena, counters),
            }
        }
    }

    /// One call a socket from now on.
    fn give_up(&mut self, error: &io::Error) {
        self.ring = None;
        self.quiet.clear();
        tracing::warn!(target: "relay", %error, "io_uring failed; the worker goes on with recvmmsg and sendmmsg");
    }
}
