//! `send-to`: a message for an identity, on its socket or into its mailbox.

use super::{Dispatch, Identity, Incarnation};
use crate::{Keep, Letter, Limits, Message, Outcome, Refusal, Socket, Timestamp};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is on its way to a socket.
    Delivered,
    /// It waits.
    Kept,
    /// Nobody is there for whom it may wait.
    Nobody,
}

impl Identity {
    /// Says something to whoever owns the name.
    pub fn put(&mut self, limits: &Limits, now: Timestamp, letter: Letter) -> Outcome<Put, Dispatch> {
        let mut dispatch = self.expire(now);
        let answer = self.receive(limits, now, letter, &mut dispatch);
        Outcome { answer, effects: dispatch }
    }

    fn receive(
        &mut self,
        limits: &Limits,
        now: Timestamp,
        letter: Letter,
        dispatch: &mut Dispatch,
    ) -> Result<Put, Refusal> {
        let Letter { body, keep, returned, only } = letter;
        if body.len() > limits.max_message {
            return Err(Refusal::MessageTooLarge);
        }
        let incarnation = self.owner.as_ref().map(|owner| owner.incarnation);
        if only.is_some() && only != incarnation {
            return Ok(Put::Nobody);
        }
        let message = Message { seq: self.next_seq, body };
        if let Some(owner) = &mut self.owner
            && let Some(socket) = owner.socket()
        {
            owner.place(socket, message, dispatch);
            self.next_seq += 1;
            return Ok(Put::Delivered);
        }
        let until = match keep {
            Keep::ForOwner if incarnation.is_some() => None,
            Keep::Until(until) if until > now => Some(until),
            Keep::No | Keep::ForOwner | Keep::Until(_) => return Ok(Put::Nobody),
        };
        self.mailbox.push(limits.mailbox, message, until, returned)?;
        self.next_seq += 1;
        Ok(Put::Kept)
    }

    /// Messages that found their socket gone come back.
    pub fn hand_back(
        &mut self,
        limits: &Limits,
        who: Incarnation,
        gone: Socket,
        messages: Vec<Message>,
    ) -> Outcome<(), Dispatch> {
        let mut dispatch = Dispatch::default();
        self.take_back(limits, who, gone, messages, &mut dispatch);
        Outcome { answer: Ok(()), effects: dispatch }
    }

    /// On a newer socket they are delivered if nothing later was; without one they wait for their owner; else they are
    /// lost, for a message out of order is worse than none, and one for another owner worse than both.
    pub(super) fn take_back(
        &mut self,
        limits: &Limits,
        who: Incarnation,
        gone: Socket,
        messages: Vec<Message>,
        dispatch: &mut Dispatch,
    ) {
        let Some(owner) = self.owner.as_mut().filter(|owner| owner.incarnation == who) else { return };
        for message in messages {
            if !owner.trail.is_in_order(gone, message.seq) {
                continue;
            }
            match owner.socket().filter(|socket| *socket != gone) {
                Some(socket) => owner.place(socket, message, dispatch),
                // Over the bound it is lost, as it would have been if it had come now.
                None => self.mailbox.push(limits.mailbox, message, None, None).unwrap_or_default(),
            }
        }
    }
}
