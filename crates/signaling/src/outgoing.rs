//! What one WebSocket still has to write: ordered, bounded, and never waited for by anybody but its own task.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use posthouse_rooms::{Body, Closing, ConnectionId, Message};
use tokio::time::Instant;

use crate::{
    dialect::Frame,
    socket::{Attempt, Written},
    stats::Counters,
};

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
    /// Something has changed that the task has not looked at.
    changed: bool,
    /// The task, when it waits.
    task: Option<Waker>,
    /// With what others may write meanwhile.
    pen: Option<Pen>,
    /// The task has taken a message, and not looked for the next yet.
    writing: bool,
}

/// What is needed to write to an idle socket without waking its task.
pub(crate) struct Pen {
    pub(crate) socket: Arc<dyn Written>,
    pub(crate) frame: fn(&Body) -> Frame,
    pub(crate) counters: Arc<Counters>,
}

impl fmt::Debug for Pen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pen")
    }
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
        if index >= state.next && state.take(index, message) {
            knock(state);
        }
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
        knock(state);
    }

    /// The room closes this socket. Of several reasons the first counts.
    pub(crate) fn close(&self, why: Closing) {
        let mut state = self.state.lock();
        state.end.get_or_insert(End::Closing(why));
        knock(state);
    }

    /// Lets others write while the task waits.
    pub(crate) fn lend(&self, pen: Pen) {
        self.state.lock().pen = Some(pen);
    }

    /// The next message to write.
    pub(crate) fn pop(&self) -> Option<Message> {
        let mut state = self.state.lock();
        if state.phase != Phase::Open {
            return None;
        }
        let first = state.queue.pop_front();
        state.writing = first.is_some();
        let Queued { message, backlog } = first?;
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
        state.pen = None;
        (state.messages, state.bytes) = (0, 0);
        let early = std::mem::take(&mut state.early).into_values();
        let queue = std::mem::take(&mut state.queue).into_iter().map(|queued| queued.message);
        queue.chain(early).collect()
    }

    /// Ready when there may be something new; else the task is woken then. It has one task, and remembers the last.
    pub(crate) fn poll_changed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if std::mem::take(&mut state.changed) {
            return Poll::Ready(());
        }
        state.wait(cx)
    }

    /// Ready when writing is to end without waiting for the reader.
    pub(crate) fn poll_overflowed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.end == Some(End::Overflow) {
            return Poll::Ready(());
        }
        state.wait(cx)
    }
}

/// Wakes the task, once the lock is free.
fn knock(mut state: MutexGuard<'_, State>) {
    state.changed = true;
    let task = state.task.take();
    drop(state);
    task.into_iter().for_each(Waker::wake);
}

impl State {
    fn wait(&mut self, cx: &Context<'_>) -> Poll<()> {
        match &mut self.task {
            Some(task) => task.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// A delivery: its turn has come, or it is held until then. Has the task something to do?
    fn take(&mut self, index: u64, message: Message) -> bool {
        if index != self.next {
            self.early.insert(index, message);
        } else {
            match self.write(&message.body) {
                Attempt::Not => self.enqueue(message),
                Attempt::Done if self.early.is_empty() => {
                    self.next += 1;
                    return false;
                }
                Attempt::Done | Attempt::Begun => self.next += 1,
            }
        }
        self.release();
        true
    }

    /// Writes at once, if nothing is before it and the task waits for something to do. The kernel takes what it has
    /// room for; nobody waits here.
    fn write(&self, body: &Body) -> Attempt {
        let is_next = self.phase == Phase::Open && self.end.is_none() && self.queue.is_empty() && !self.writing;
        let (Some(task), Some(pen)) = (self.task.as_ref().filter(|_| is_next), &self.pen) else {
            return Attempt::Not;
        };
        let attempt = pen.socket.try_write(&mut Context::from_waker(task), &|| (pen.frame)(body));
        if attempt != Attempt::Not {
            pen.counters.deliveries.add();
        }
        attempt
    }

    fn enqueue(&mut self, message: Message) {
        self.next += 1;
        self.messages += 1;
        self.bytes += message.body.len();
        self.queue.push_back(Queued { message, backlog: false });
    }

    /// Moves what has come in turn from `early` to the queue.
    fn release(&mut self) {
        while let Some(message) = self.early.remove(&self.next) {
            self.enqueue(message);
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

    /// A socket that takes two frames at once, and no more.
    #[derive(Default)]
    struct Paper(Mutex<Vec<String>>);

    impl Written for Paper {
        fn try_write(&self, _: &mut Context<'_>, frame: &dyn Fn() -> Frame) -> Attempt {
            let mut frames = self.0.lock();
            if frames.len() == 2 {
                return Attempt::Not;
            }
            frames.push(frame().to_string());
            if frames.len() == 2 { Attempt::Begun } else { Attempt::Done }
        }
    }

    #[test]
    fn whoever_delivers_writes_while_the_task_waits_and_nothing_is_overtaken() {
        let (outgoing, paper) = (listed(), Arc::new(Paper::default()));
        outgoing.open(Vec::new());
        outgoing.lend(Pen { socket: paper.clone(), frame: crate::dialect::frame, counters: Arc::default() });
        let deliver = |index, text| outgoing.deliver(ID, index, message(index, text)).unwrap();
        let knocked = || outgoing.poll_changed(&mut Context::from_waker(Waker::noop())).is_ready();
        deliver(0, "a");
        assert_eq!((written(&outgoing), knocked(), knocked()), (vec!["a".into()], true, false), "nobody waited yet");
        deliver(2, "c");
        assert!(knocked() && !knocked());
        deliver(1, "b");
        assert_eq!((written(&outgoing), knocked(), knocked()), (vec!["c".into()], true, false), "c was held for b");
        deliver(3, "d");
        assert!(knocked() && !knocked(), "a part of it is the task's");
        deliver(4, "e");
        assert_eq!(*paper.0.lock(), ["b", "d"]);
        assert!(outgoing.pop().is_some() && knocked() && !knocked());
        paper.0.lock().clear();
        deliver(5, "f");
        assert_eq!((paper.0.lock().len(), written(&outgoing)), (0, vec!["f".into()]), "e was still in hand");
    }
}
