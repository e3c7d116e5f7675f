//! [`Outbox`]: datagrams (on streams: frames) that wait for the end of a batch, a queue for each socket, joined into
//! runs when sent.

use std::net::{IpAddr, SocketAddr};

use crate::arena::Pieces;
use crate::kernel::send::{Message, Piece};
use crate::sockets::Token;

/// No datagram.
const NONE: u32 = u32::MAX;

/// Datagrams in one outbox; as many as one `sendmmsg` takes.
const CAPACITY: usize = 1024;
/// Datagrams that one send may be cut into: UDP_MAX_SEGMENTS of every kernel.
const SEGMENTS_MAX: usize = 64;
/// Bytes that one send may have: the longest IPv4 datagram, headers subtracted.
const RUN_BYTES_MAX: usize = 65_507;

/// A datagram to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram {
    pub(crate) to: SocketAddr,
    /// The local address to send from, when the socket is bound to none.
    pub(crate) from: Option<IpAddr>,
    pub(crate) pieces: Pieces,
    /// Set the DF bit.
    pub(crate) dont_fragment: bool,
    /// An answer of ours, not relayed: on a stream it outlasts what is.
    pub(crate) answer: bool,
    next: u32,
}

impl Datagram {
    pub(crate) fn new(to: SocketAddr, from: Option<IpAddr>, pieces: Pieces) -> Self {
        Self { to, from, pieces, dont_fragment: false, answer: false, next: NONE }
    }

    pub(crate) fn len(&self) -> usize {
        self.pieces.iter().map(|p| p.len as usize).sum()
    }
}

/// The datagrams that wait at one socket, in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queue {
    head: u32,
    tail: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self { head: NONE, tail: NONE }
    }
}

/// Everything that waits to be sent by a worker. Its memory is taken once.
#[derive(Debug)]
pub(crate) struct Outbox {
    datagrams: Vec<Datagram>,
    /// Sockets with something to send, in the order of their first datagram.
    pub(crate) senders: Vec<Token>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { datagrams: Vec::with_capacity(CAPACITY), senders: Vec::with_capacity(CAPACITY) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.datagrams.len() == CAPACITY
    }

    /// Appends to the queue of a socket.
    pub(crate) fn push(&mut self, sender: Token, queue: &mut Queue, datagram: Datagram) {
        let index = self.datagrams.len() as u32;
        self.datagrams.push(datagram);
        if queue.head == NONE {
            self.senders.push(sender);
            queue.head = index;
        } else {
            self.datagrams[queue.tail as usize].next = index;
        }
        queue.tail = index;
    }

    pub(crate) fn clear(&mut self) {
        self.datagrams.clear();
        self.senders.clear();
    }

    /// What waits in `queue`, in order.
    pub(crate) fn queued(&self, queue: Queue) -> impl Iterator<Item = &Datagram> {
        let at = |index: u32| self.datagrams.get(index as usize);
        std::iter::successors(at(queue.head), move |datagram| at(datagram.next))
    }

    /// Appends to `plan` what waits in `queue`. Packets above `segment_max` are not joined.
    pub(crate) fn plan(&self, queue: Queue, segment_max: u16, plan: &mut Plan) {
        let mut at = queue.head;
        while let Some(first) = self.datagrams.get(at as usize) {
            at = self.run(first, segment_max, plan);
        }
    }

    /// Appends one message: `first`, and what may go with it. Returns the first datagram that may not.
    fn run(&self, first: &Datagram, segment_max: u16, plan: &mut Plan) -> u32 {
        let segment = first.len();
        let start = plan.pieces.len();
        plan.append(first);
        let (mut count, mut bytes, mut last, mut next) = (1, segment, segment, first.next);
        let joins = segment > 0 && segment <= usize::from(segment_max) && !first.dont_fragment;
        while let Some(datagram) = self.datagrams.get(next as usize).filter(|_| joins && count < SEGMENTS_MAX) {
            let len = datagram.len();
            let same_way = datagram.to == first.to && datagram.from == first.from && !datagram.dont_fragment;
            // Only the last one may be shorter.
            if !same_way || last < segment || len > segment || len == 0 || bytes + len > RUN_BYTES_MAX {
                break;
            }
            plan.append(datagram);
            (count, bytes, last, next) = (count + 1, bytes + len, len, datagram.next);
        }
        plan.messages.push(Message {
            to: first.to,
            from: first.from,
            pieces: start..plan.pieces.len(),
            segment: if count > 1 { segment as u16 } else { 0 },
        });
        plan.marks.push(Mark { datagrams: count, dont_fragment: first.dont_fragment });
        next
    }
}

/// One socket's sends, as the kernel wants them.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) messages: Vec<Message>,
    pub(crate) pieces: Vec<Piece>,
    /// One beside each message.
    pub(crate) marks: Vec<Mark>,
}

/// What a message is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// How many datagrams.
    pub(crate) datagrams: usize,
    pub(crate) dont_fragment: bool,
}

impl Plan {
    pub(crate) fn clear(&mut self) {
        self.messages.clear();
        self.pieces.clear();
        self.marks.clear();
    }

    fn append(&mut self, datagram: &Datagram) {
        let filled = datagram.pieces.into_iter().filter(|p| p.len > 0);
        self.pieces.extend(filled);
    }

    /// The bytes of a message.
    pub(crate) fn bytes(&self, message: &Message) -> usize {
        self.pieces[message.pieces.clone()].iter().map(|p| p.len as usize).sum()
    }

    /// The datagrams of a run, one message each, behind the plan's own pieces.
    pub(crate) fn apart(&mut self, index: usize) -> Vec<Message> {
        let run = self.messages[index].clone();
        let segment = u32::from(run.segment);
        let mut singles = Vec::with_capacity(self.marks[index].datagrams);
        let (mut start, mut size) = (self.pieces.len(), 0);
        for i in run.pieces {
            self.pieces.push(self.pieces[i]);
            size += self.pieces[i].len;
            if size == segment {
                singles.push(Message { to: run.to, from: run.from, pieces: start..self.pieces.len(), segment: 0 });
                (start, size) = (self.pieces.len(), 0);
            }
        }
        if size > 0 {
            singles.push(Message { to: run.to, from: run.from, pieces: start..self.pieces.len(), segment: 0 });
        }
        singles
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn datagram(port: u16, len: u32) -> Datagram {
        let piece = Piece { start: 0, len };
        Datagram::new(to(port), None, [Piece::default(), piece, Piece::default()])
    }

    fn planned(datagrams: &[(u16, u32)]) -> Plan {
        let (mut outbox, mut queue, mut plan) = (Outbox::new(), Queue::default(), Plan::default());
        for &(port, len) in datagrams {
            outbox.push(Token::Listener(0), &mut queue, datagram(port, len));
        }
        outbox.plan(queue, u16::MAX, &mut plan);
        plan
    }

    fn runs(plan: &Plan) -> Vec<(u16, u16, usize)> {
        plan.messages.iter().zip(&plan.marks).map(|(m, k)| (m.to.port(), m.segment, k.datagrams)).collect()
    }

    #[test]
    fn equal_sizes_to_one_destination_become_one_message() {
        let plan = planned(&[(1, 100), (1, 100), (1, 100), (2, 100), (1, 100)]);
        assert_eq!(runs(&plan), [(1, 100, 3), (2, 0, 1), (1, 0, 1)]);
    }

    #[test]
    fn only_the_last_of_a_run_is_shorter() {
        let plan = planned(&[(1, 100), (1, 60), (1, 60), (1, 70), (1, 0), (1, 0)]);
        assert_eq!(runs(&plan), [(1, 100, 2), (1, 0, 1), (1, 0, 1), (1, 0, 1), (1, 0, 1)]);
    }

    #[test]
    fn a_run_has_at_most_64_datagrams_and_one_datagram_of_bytes() {
        let plan = planned(&[(1, 10); 130]);
        assert_eq!(runs(&plan), [(1, 10, 64), (1, 10, 64), (1, 10, 2)]);
        let plan = planned(&[(1, 30_000); 3]);
        assert_eq!(runs(&plan), [(1, 30_000, 2), (1, 0, 1)]);
    }

    #[test]
    fn a_run_taken_apart_is_what_it_was_made_of() {
        let mut plan = planned(&[(1, 100), (1, 100), (1, 60)]);
        let singles = plan.apart(0);
        let lens: Vec<u32> =
            singles.iter().map(|m| plan.pieces[m.pieces.clone()].iter().map(|p| p.len).sum()).collect();
        assert_eq!(lens, [100, 100, 60]);
        assert!(singles.iter().all(|m| m.segment == 0 && m.to == to(1)));
    }

    #[test]
    fn queues_of_several_sockets_share_one_outbox() {
        let mut outbox = Outbox::new();
        let mut queues = [Queue::default(); 2];
        for i in 0..10u16 {
            let which = usize::from(i % 2);
            outbox.push(Token::Listener(which as u8), &mut queues[which], datagram(i % 2 + 1, 50));
        }
        assert_eq!(outbox.senders, [Token::Listener(0), Token::Listener(1)]);
        let mut plan = Plan::default();
        for (i, queue) in queues.iter().enumerate() {
            plan.clear();
            outbox.plan(*queue, u16::MAX, &mut plan);
            assert_eq!(runs(&plan), [(i as u16 + 1, 50, 5)]);
        }
    }

    #[test]
    fn what_must_not_be_fragmented_travels_alone() {
        let (mut outbox, mut queue, mut plan) = (Outbox::new(), Queue::default(), Plan::default());
        for i in 0..3 {
            let datagram = Datagram { dont_fragment: i == 1, ..datagram(1, 50) };
            outbox.push(Token::Listener(0), &mut queue, datagram);
        }
        outbox.plan(queue, u16::MAX, &mut plan);
        assert_eq!(runs(&plan), [(1, 0, 1), (1, 0, 1), (1, 0, 1)]);
        assert_eq!(plan.marks.iter().map(|m| m.dont_fragment).collect::<Vec<_>>(), [false, true, false]);
    }
}
