//! What one WebSocket still has to write: ordered, bounded, and never waited for by anybody but its own task.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use parking_lot::Mutex;
use posthouse_rooms::{Closing, ConnectionId, Message};
use tokio::{sync::Notify, time::Instant};

/// Messages that may wait for one slow reader.
const MESSAGES: usize = 256;
/// Bytes of them.
const BYTES: usize = 256 * 1024;
/// How long a delivery that is overdue is waited for. In one process it is microseconds late; one that a bus has lost
/// never comes.
const OVERDUE: Duration = Duration::from_secs(2);

/// The queue between those who deliver and the one task that writes.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// The name by which it is known now. A client that takes another name is another connection: its deliveries are
    /// counted anew.
    listed: Option<ConnectionId>,
    queue: VecDeque<Queued>,
    /// Count and bytes of what the bounds apply to.
    messages: usize,
    bytes: usize,
    /// The `index` that is due next; what came too early is held.
    next: u64,
    early: BTreeMap<u64, Message>,
    /// Until when the one that is due is waited for.
    overdue: Option<Instant>,
    end: Option<End>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    /// The client is registering: what comes is kept, nothing is written yet.
    #[default]
    Opening,
    Open,
    /// The task has stopped writing; what comes now is handed back.
    Over,
}

#[derive(Debug)]
struct Queued {
    message: Message,
    /// Waited for the client before it came: bounded in the room, not again here.
    backlog: bool,
}

/// Why writing ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The room says so.
    Closing(Closing),
    /// Too much is waiting.
    Overflow,
}

impl Outgoing {
    /// Takes a message from a room, in any order; gives it back if nothing will be written any more.
    pub(crate) fn deliver(&self, to: ConnectionId, index: u64, message: Message) -> Result<(), Message> {
        let mut state = self.state.lock();
        if state.phase == Phase::Over || state.listed != Some(to) {
            return Err(message);
        }
        if index >= state.next {
            state.early.insert(index, message);
            state.release();
        }
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// From now on it is known as `id`.
    pub(crate) fn list(&self, id: ConnectionId) {
        let mut state = self.state.lock();
        state.listed = Some(id);
        state.next = 0;
        state.early.clear();
        state.overdue = None;
    }

    /// The client has registered: `unwritten` of its older socket comes first, then what was kept.
    pub(crate) fn open(&self, unwritten: Vec<Message>) {
        let mut state = self.state.lock();
        for queued in &mut state.queue {
            queued.backlog = true;
        }
        (state.messages, state.bytes) = (0, 0);
        for message in unwritten.into_iter().rev() {
            state.queue.push_front(Queued { message, backlog: true });
        }
        state.phase = Phase::Open;
        drop(state);
        self.changed.notify_one();
    }

    /// The room closes this socket. Of several reasons the first counts.
    pub(crate) fn close(&self, why: Closing) {
        self.state.lock().end.get_or_insert(End::Closing(why));
        self.changed.notify_one();
    }

    /// The next message to write.
    pub(crate) fn pop(&self) -> Option<Message> {
        let mut state = self.state.lock();
        if state.phase != Phase::Open {
            return None;
        }
        let Queued { message, backlog } = state.queue.pop_front()?;
        if !backlog {
            state.messages -= 1;
            state.bytes -= message.body.len();
        }
        Some(message)
    }

    /// When the wait for an overdue delivery ends, if there is one.
    pub(crate) fn overdue(&self) -> Option<Instant> {
        self.state.lock().overdue
    }

    /// Gives an overdue delivery up: what came after it is worth more than the hope for it.
    pub(crate) fn give_up(&self) {
        let mut state = self.state.lock();
        if let Some((first, _)) = state.early.first_key_value() {
            state.next = *first;
            state.overdue = None;
            state.release();
        }
    }

    /// Why writing ends, if it does.
    pub(crate) fn end(&self) -> Option<End> {
        self.state.lock().end
    }

    /// Takes all that was not written. What comes later stays out (`over`), or joins the queue that the newer socket of
    /// the same client has taken over by then.
    pub(crate) fn unwritten(&self) -> Vec<Message> {
        let mut state = self.state.lock();
        state.phase = Phase::Over;
        (state.messages, state.bytes) = (0, 0);
        let early = std::mem::take(&mut state.early).into_values();
        let queue = std::mem::take(&mut state.queue).into_iter().map(|queued| queued.message);
        queue.chain(early).collect()
    }

    /// Returns when there may be something new.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Returns when writing is to end without waiting for the reader.
    pub(crate) async fn overflowed(&self) {
        while self.end() != Some(End::Overflow) {
            self.changed.notified().await;
        }
    }
}

impl State {
    /// Moves what has come in turn from `early` to the queue.
    fn release(&mut self) {
        while let Some(message) = self.early.remove(&self.next) {
            self.next += 1;
            self.messages += 1;
            self.bytes += message.body.len();
            self.queue.push_back(Queued { message, backlog: false });
        }
        self.overdue = match self.early.len() {
            0 => None,
            _ => self.overdue.or_else(|| Some(Instant::now() + OVERDUE)),
        };
        let held = self.messages + self.early.len();
        if self.phase == Phase::Open && (held > MESSAGES || self.bytes > BYTES) {
            self.end.get_or_insert(End::Overflow);
        }
    }
}

#[cfg(test)]
mod tests {
    use posthouse_rooms::Body;

    use super::*;

    const ID: ConnectionId = ConnectionId(1);

    fn listed() -> Outgoing {
        let outgoing = Outgoing::default();
        outgoing.list(ID);
        outgoing
    }

    fn message(seq: u64, text: &str) -> Message {
        Message { seq, body: Body::from(text) }
    }

    fn written(outgoing: &Outgoing) -> Vec<String> {
        let text =
            |message: Message| if let Body::Text(text) = message.body { text.to_string() } else { String::new() };
        std::iter::from_fn(|| outgoing.pop()).map(text).collect()
    }

    #[test]
    fn deliveries_are_written_in_turn_and_once() {
        let outgoing = listed();
        outgoing.open(Vec::new());
        for (index, text) in [(1, "b"), (0, "a"), (0, "a"), (3, "d"), (1, "b"), (2, "c")] {
            outgoing.deliver(ID, index, message(index, text)).unwrap();
        }
        assert_eq!(written(&outgoing), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_delivery_that_never_comes_is_given_up() {
        let outgoing = listed();
        outgoing.open(Vec::new());
        (1..3).for_each(|index| outgoing.deliver(ID, index, message(index, "later")).unwrap());
        assert!(outgoing.overdue().is_some() && written(&outgoing).is_empty());
        outgoing.give_up();
        assert_eq!(written(&outgoing), ["later", "later"]);
        assert!(outgoing.overdue().is_none());
    }

    #[test]
    fn nothing_is_written_before_the_older_socket_has_handed_over() {
        let outgoing = listed();
        outgoing.deliver(ID, 0, message(0, "new")).unwrap();
        assert!(written(&outgoing).is_empty());
        outgoing.open(vec![Message { seq: 0, body: Body::from("old") }]);
        assert_eq!(written(&outgoing), ["old", "new"]);
    }

    #[test]
    fn a_backlog_does_not_count_and_the_257th_message_after_it_does() {
        let outgoing = listed();
        (0..1024).for_each(|index| outgoing.deliver(ID, index, message(index, "x")).unwrap());
        outgoing.open(Vec::new());
        (1024..1280).for_each(|index| outgoing.deliver(ID, index, message(index, "x")).unwrap());
        assert_eq!(outgoing.end(), None);
        outgoing.deliver(ID, 1280, message(1280, "x")).unwrap();
        assert_eq!(outgoing.end(), Some(End::Overflow));
    }

    #[test]
    fn what_comes_after_the_end_is_handed_back() {
        let outgoing = listed();
        outgoing.open(Vec::new());
        outgoing.deliver(ID, 0, message(0, "a")).unwrap();
        assert_eq!(outgoing.unwritten().len(), 1);
        assert!(outgoing.deliver(ID, 1, message(1, "b")).is_err());
    }

    #[test]
    fn under_another_name_deliveries_are_counted_anew() {
        let outgoing = listed();
        outgoing.open(Vec::new());
        outgoing.deliver(ID, 0, message(0, "a")).unwrap();
        outgoing.list(ConnectionId(2));
        assert!(outgoing.deliver(ID, 1, message(1, "for the former")).is_err());
        outgoing.deliver(ConnectionId(2), 0, message(0, "b")).unwrap();
        assert_eq!(written(&outgoing), ["a", "b"]);
    }
}
