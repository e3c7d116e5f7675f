//! An identity: a name, whose it is at present, and what waits for it.

mod attach;
mod detach;
mod mail;

use std::time::Duration;

pub use attach::{Attach, Attached, Taken};
pub use mail::Put;

use crate::{
    Close, Digest, Ended, Label, Message, Refusal, Returned, Socket, Timestamp, TopicId, mailbox::Mailbox, trail::Trail,
};

/// One owner's time under a name, told by the first socket it came on. A name that was given up and taken again is
/// another incarnation: what was meant for the former never reaches the latter.
pub type Incarnation = Socket;

/// An identity as a value. The one nobody owns and for whom nothing waits is [`Identity::default`]; a store keeps none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    owner: Option<Owner>,
    mailbox: Mailbox,
    /// The `seq` that the next message to it gets.
    next_seq: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    incarnation: Incarnation,
    /// What proves that a newer socket is its own; without it nobody can.
    secret: Option<Digest>,
    /// The name its relay credentials are made for.
    label: Option<Label>,
    /// How long the name is kept when its socket is lost.
    grace: Duration,
    seat: Seat,
    /// Where it is a member: left for it when it ends.
    topics: Vec<TopicId>,
    /// The `index` that the next delivery on its present socket gets.
    next_index: u64,
    /// Its last sockets, and how far each was served.
    trail: Trail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seat {
    Live(Socket),
    Held { until: Timestamp },
}

/// What the shell does after a change of an identity is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dispatch {
    /// Messages for its socket.
    pub placed: Vec<Placed>,
    /// Sockets to close.
    pub closes: Vec<Close>,
    /// Senders to be told that their message waited in vain.
    pub returned: Vec<Returned>,
    /// Topics that this incarnation is to leave.
    pub left: Vec<(TopicId, Incarnation)>,
    /// Owners who are gone for good.
    pub ended: Vec<Ended>,
}

/// A message for an identity's socket; see [`Delivery`](crate::Delivery).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Whom it is for.
    pub who: Incarnation,
    /// The socket.
    pub to: Socket,
    /// The place of this delivery on its socket: 0, 1, 2 ... without a gap.
    pub index: u64,
    /// What to deliver.
    pub message: Message,
}

impl Identity {
    /// Is it as if it had never been?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owner.is_none() && self.mailbox.is_empty()
    }

    /// Bytes that wait for it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.mailbox.bytes()
    }

    /// Does somebody own the name, on a socket or about to come back?
    #[must_use]
    pub fn is_owned(&self) -> bool {
        self.owner.is_some()
    }

    /// The socket on which its owner is now.
    #[must_use]
    pub fn socket(&self) -> Option<Socket> {
        self.owner.as_ref().and_then(Owner::socket)
    }

    /// The topics it is in.
    #[must_use]
    pub fn topics(&self) -> &[TopicId] {
        self.owner.as_ref().map_or(&[], |owner| owner.topics.as_slice())
    }

    /// The next moment at which [`Identity::expire`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let held = self.owner.as_ref().and_then(|owner| match owner.seat {
            Seat::Held { until } => Some(until),
            Seat::Live(_) => None,
        });
        [held, self.mailbox.poll_timeout()].into_iter().flatten().min()
    }

    /// The owner takes part in one more topic, which has seated it already.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`] when this incarnation has ended meanwhile, [`Refusal::TooManyTopics`] when it is in as
    /// many as it may.
    pub fn enter(&mut self, limits: &crate::Limits, who: Incarnation, topic: &TopicId) -> Result<(), Refusal> {
        let owner = self.owner.as_mut().filter(|owner| owner.incarnation == who).ok_or(Refusal::UnknownClient)?;
        if owner.topics.contains(topic) {
            return Ok(());
        }
        if owner.topics.len() >= limits.topics {
            return Err(Refusal::TooManyTopics);
        }
        owner.topics.push(topic.clone());
        Ok(())
    }

    /// The owner is no longer in a topic.
    pub fn exit(&mut self, who: Incarnation, topic: &TopicId) {
        if let Some(owner) = self.owner.as_mut().filter(|owner| owner.incarnation == who) {
            owner.topics.retain(|one| one != topic);
        }
    }
}

impl Owner {
    fn socket(&self) -> Option<Socket> {
        match self.seat {
            Seat::Live(socket) => Some(socket),
            Seat::Held { .. } => None,
        }
    }

    /// It is on a newer socket.
    fn move_to(&mut self, socket: Socket) {
        self.seat = Seat::Live(socket);
        self.next_index = 0;
        self.trail.move_to(socket);
    }

    fn place(&mut self, to: Socket, message: Message, dispatch: &mut Dispatch) {
        self.trail.given(message.seq);
        dispatch.placed.push(Placed { who: self.incarnation, to, index: self.next_index, message });
        self.next_index += 1;
    }
}
