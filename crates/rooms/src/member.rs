//! A member: who holds a seat, and where its messages go.

use std::borrow::Cow;

use crate::{
    Body, ClientId, Delivery, Effects, Label, Message, Policy, Queue, Refusal, Socket, Timestamp, trail::Trail,
};

/// Who starts the negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Makes the offer.
    Initiator,
    /// Answers.
    Joiner,
}

/// How many seats are taken.
pub type Occupancy = usize;

/// What holds a member's seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// No socket yet.
    Waiting {
        /// When it last gave a sign of life: joined or sent.
        active: Timestamp,
    },
    /// A socket that lives.
    Live(Socket),
    /// The socket is lost; the seat is kept for its owner.
    Held {
        /// Until then.
        until: Timestamp,
    },
    /// The second half of a loopback pair, without a socket: its seat is its partner's.
    Loopback,
}

/// One who holds a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its secret.
    pub id: ClientId,
    /// Its public random name, if relay credentials were made for it.
    pub label: Option<Label>,
    /// Initiator or joiner.
    pub role: Role,
    /// What holds its seat.
    pub seat: Seat,
    /// What it said while alone; the next joiner gets it.
    pub outbox: Queue,
    /// What was said to it while it had no socket.
    pub mailbox: Queue,
    /// The `seq` that the next message to it gets.
    next_seq: u64,
    /// The `index` that the next delivery on its present socket gets.
    next_index: u64,
    /// Its last sockets, and how far each was served.
    trail: Trail,
}

impl Member {
    pub(crate) fn new(id: ClientId, label: Option<Label>, role: Role, seat: Seat) -> Self {
        let (outbox, mailbox) = (Queue::default(), Queue::default());
        Self { id, label, role, seat, outbox, mailbox, next_seq: 0, next_index: 0, trail: Trail::default() }
    }

    /// Its live socket.
    #[must_use]
    pub fn socket(&self) -> Option<Socket> {
        match self.seat {
            Seat::Live(socket) => Some(socket),
            Seat::Waiting { .. } | Seat::Held { .. } | Seat::Loopback => None,
        }
    }

    /// A name for the operator, which tells nothing that would let somebody take the seat: its label, else the number
    /// of its socket. `None` for one who has neither.
    #[must_use]
    pub fn public_name(&self) -> Option<Cow<'_, str>> {
        let of_socket = || Some(Cow::Owned(format!("socket-{}", self.socket()?.connection.0)));
        self.label.as_ref().map(|label| Cow::Borrowed(&*label.0)).or_else(of_socket)
    }

    pub(crate) fn is(&self, id: &ClientId) -> bool {
        self.id == *id || (self.id.is_loopback() && id.is_loopback())
    }

    /// When its seat ends if nothing happens.
    pub(crate) fn deadline(&self, policy: &Policy) -> Option<Timestamp> {
        match self.seat {
            Seat::Waiting { active } => Some(active.after(policy.unregistered)),
            Seat::Held { until } => Some(until),
            Seat::Live(_) | Seat::Loopback => None,
        }
    }

    /// A sign of life.
    pub(crate) fn touch(&mut self, now: Timestamp) {
        if let Seat::Waiting { active } = &mut self.seat {
            *active = now;
        }
    }

    /// Takes a socket and hands over what waited for it, in order.
    pub(crate) fn connect(&mut self, socket: Socket, effects: &mut Effects) {
        self.seat = Seat::Live(socket);
        self.next_index = 0;
        self.trail.move_to(socket);
        for message in self.mailbox.drain() {
            self.deliver(socket, message, effects);
        }
    }

    /// Says something to this member: on its socket, or into its mailbox.
    pub(crate) fn hear(&mut self, policy: &Policy, body: Body, effects: &mut Effects) -> Result<(), Refusal> {
        let message = Message { seq: self.next_seq, body };
        match self.socket() {
            Some(socket) => self.deliver(socket, message, effects),
            None => self.mailbox.push(policy.queue, message)?,
        }
        self.next_seq += 1;
        Ok(())
    }

    /// Takes back messages that never reached their reader: for its newer socket, or the next. One behind which a newer
    /// socket was given a later one is lost, for a message out of order is worse than none.
    pub(crate) fn take_back(&mut self, policy: &Policy, gone: Socket, messages: Vec<Message>, effects: &mut Effects) {
        for message in messages {
            if !self.trail.is_in_order(gone, message.seq) {
                continue;
            }
            match self.seat {
                Seat::Live(socket) if socket != gone => self.deliver(socket, message, effects),
                // Over the bound it is lost, as it would have been if it had come now.
                _ => self.mailbox.push(policy.queue, message).unwrap_or_default(),
            }
        }
    }

    fn deliver(&mut self, to: Socket, message: Message, effects: &mut Effects) {
        self.trail.given(message.seq);
        effects.deliveries.push(Delivery { client: self.id.clone(), to, index: self.next_index, message });
        self.next_index += 1;
    }
}
