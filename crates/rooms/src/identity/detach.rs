//! `detach`: a socket is lost, an owner ends, time passes.

use super::{Dispatch, Identity, Incarnation, Seat};
use crate::{Close, Closing, Departure, Ended, Limits, Message, Outcome, Socket, Timestamp};

impl Identity {
    /// The socket is gone. The name is kept for the grace its owner asked for; `unsent` is what the socket was given
    /// and did not write. A socket that a newer one has replaced changes nothing else.
    pub fn detach(
        &mut self,
        limits: &Limits,
        now: Timestamp,
        who: Incarnation,
        socket: Socket,
        unsent: Vec<Message>,
    ) -> Outcome<(), Dispatch> {
        let mut dispatch = self.expire(now);
        self.take_back(limits, who, socket, unsent, &mut dispatch);
        if let Some(owner) = self.owner.as_mut().filter(|owner| owner.socket() == Some(socket)) {
            owner.seat = Seat::Held { until: now.after(owner.grace) };
            dispatch.append(self.expire(now));
        }
        Outcome { answer: Ok(()), effects: dispatch }
    }

    /// Ends this incarnation at once: its socket is closed, its topics are left, what waits for it is dropped. Another
    /// incarnation is left alone.
    pub fn end(&mut self, now: Timestamp, who: Incarnation, why: Departure) -> Outcome<(), Dispatch> {
        let mut dispatch = self.expire(now);
        if self.owner.as_ref().is_some_and(|owner| owner.incarnation == who) {
            let closing = if why == Departure::Deleted { Closing::Deleted } else { Closing::Left };
            self.end_owner(why, closing, &mut dispatch);
        }
        Outcome { answer: Ok(()), effects: dispatch }
    }

    /// Ends what has run out by `now`: messages that waited in vain, a name that nobody came back to.
    pub fn expire(&mut self, now: Timestamp) -> Dispatch {
        let mut dispatch = Dispatch { returned: self.mailbox.expire(now), ..Dispatch::default() };
        let over = |seat: Seat| matches!(seat, Seat::Held { until } if until <= now);
        if self.owner.as_ref().is_some_and(|owner| over(owner.seat)) {
            self.end_owner(Departure::Lost, Closing::Left, &mut dispatch);
        }
        dispatch
    }

    pub(super) fn end_owner(&mut self, why: Departure, closing: Closing, dispatch: &mut Dispatch) {
        let Some(owner) = self.owner.take() else { return };
        let close = |socket| Close { socket, why: closing };
        dispatch.closes.extend(owner.socket().map(close));
        dispatch.left.extend(owner.topics.into_iter().map(|topic| (topic, owner.incarnation)));
        dispatch.ended.push(Ended { label: owner.label, why });
        // What was said to it is not for whoever takes the name next; who wants to know of it is told.
        dispatch.returned.append(&mut self.mailbox.give_up());
    }
}

impl Dispatch {
    /// Adds what follows later.
    pub fn append(&mut self, later: Self) {
        self.placed.extend(later.placed);
        self.closes.extend(later.closes);
        self.returned.extend(later.returned);
        self.left.extend(later.left);
        self.ended.extend(later.ended);
    }
}
