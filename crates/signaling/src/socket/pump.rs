//! The task of one WebSocket. It alone reads and writes, so nobody waits for a slow reader but the reader itself.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Sleep, sleep, sleep_until, timeout},
};
use tracing::debug;
use tungstenite::{
    Error, Message as Frame,
    error::CapacityError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{
    config::{Rate, Timing},
    dialect::{Dialect, Step},
    drain::Drain,
    outgoing::{End, Outgoing, Pen},
    rates::Budget,
    stats::Counters,
};

use super::{
    heads::Fault,
    websocket::{Shared, flushed, read, read_rest, shut_down},
};

/// One WebSocket and what is needed to serve it.
pub(crate) struct Pump<S> {
    pub(crate) socket: Arc<Shared<S>>,
    pub(crate) outgoing: Arc<Outgoing>,
    pub(crate) dialect: Box<dyn Dialect>,
    pub(crate) timing: Timing,
    pub(crate) messages: Allowance,
    pub(crate) pings: Allowance,
    pub(crate) drain: Drain,
    pub(crate) counters: Arc<Counters>,
}

/// How much of something a client may still do.
#[derive(Debug)]
pub(crate) struct Allowance {
    rate: Rate,
    budget: Budget,
    since: Instant,
}

/// What a socket waits for.
enum Event {
    Frame(Option<tungstenite::Result<Frame>>),
    /// There may be something to write.
    Changed,
    Ping,
    /// A moment that the dialect waited for.
    Due,
}

/// How a socket ends.
#[derive(Debug)]
enum Ending {
    /// We close it, with this code.
    Close(CloseCode, Duration),
    /// The client closed it; tungstenite answers.
    Closed,
    /// The connection is broken.
    Broken,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Pump<S> {
    /// Serves the socket to its end.
    pub(crate) async fn run(mut self) {
        if let Some(frame) = self.dialect.same_for_all() {
            let (socket, counters) = (self.socket.clone(), self.counters.clone());
            self.outgoing.lend(Pen { socket, frame, counters });
        }
        let ending = self.serve().await;
        debug!(target: "signaling", ?ending, "a socket ends");
        let displaced = self.outgoing.end() == Some(End::Closing(posthouse_rooms::Closing::Displaced));
        // The newer socket of the same client takes what is left, not the mailbox.
        let unwritten = if displaced { Vec::new() } else { self.outgoing.unwritten() };
        if matches!(ending, Ending::Closed) {
            self.dialect.farewell();
        }
        // The client's partner learns of it before this client's good manners are waited for.
        self.dialect.gone(unwritten).await;
        match ending {
            Ending::Close(code, patience) => self.close(code, patience).await,
            Ending::Closed => drop(timeout(Duration::from_secs(1), read(&self.socket)).await),
            Ending::Broken => {}
        }
    }

    async fn serve(&mut self) -> Ending {
        let opened = Instant::now();
        let (mut heard, mut pinged) = (opened, opened);
        // Both live as long as the socket: to set a timer and to line up for the drain anew for each message costs as
        // much as the message.
        let (mut alarm, mut drain) = (pin!(sleep_until(opened + self.timing.ping)), self.drain.clone());
        let mut drain = pin!(drain.begun());
        let first = self.dialect.opened().await;
        if let Err(ending) = self.take(first).await {
            return ending;
        }
        loop {
            let done = match self.next(opened, heard, pinged, alarm.as_mut(), drain.as_mut()).await {
                Ok(Event::Frame(frame)) => {
                    heard = Instant::now();
                    // What came before this frame is written before its answer, whichever was noticed first.
                    match self.write().await {
                        Ok(()) => self.handle(frame, heard).await,
                        ending => ending,
                    }
                }
                Ok(Event::Ping) => {
                    pinged = Instant::now();
                    self.say(Frame::Ping(Bytes::new())).await
                }
                Ok(Event::Due) => {
                    let step = self.dialect.handle_timeout().await;
                    self.take(step).await
                }
                Ok(Event::Changed) => Ok(()),
                Err(ending) => Err(ending),
            };
            if let Err(ending) = done {
                return ending;
            }
        }
    }

    /// Writes what waits, then waits for what comes first: a frame, something to write, a deadline, the drain.
    async fn next(
        &mut self,
        opened: Instant,
        heard: Instant,
        pinged: Instant,
        mut alarm: Pin<&mut Sleep>,
        mut drain: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Event, Ending> {
        self.write().await?;
        let (ping, dead) = (pinged + self.timing.ping, heard + self.timing.dead);
        let register = (!self.dialect.is_registered()).then(|| opened + self.timing.register);
        let overdue = self.outgoing.overdue();
        let due = self.dialect.poll_timeout();
        let wake = [register, overdue, due].into_iter().flatten().fold(ping.min(dead), Instant::min);
        // Deadlines mostly move away: one that rings too early is set again then, not with every message.
        if wake < alarm.deadline() || alarm.is_elapsed() {
            alarm.as_mut().reset(wake);
        }
        let event = poll_fn(|cx| {
            if drain.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Ending::Close(CloseCode::Away, self.timing.close)));
            }
            if alarm.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(None));
            }
            // A frame before what is to be written: behind a frame, that is looked at anyway.
            let read = self.socket.lock().poll_next(cx);
            if let Poll::Ready(frame) = read {
                return Poll::Ready(Ok(Some(Event::Frame(frame))));
            }
            self.outgoing.poll_changed(cx).map(|()| Ok(Some(Event::Changed)))
        });
        if let Some(event) = event.await? {
            return Ok(event);
        }
        let now = Instant::now();
        if now >= dead {
            self.counters.dead_sockets.add();
            return Err(Ending::Broken);
        }
        if register.is_some_and(|register| now >= register) {
            return Err(self.broken_rule(self.dialect.too_late()));
        }
        if overdue.is_some_and(|overdue| now >= overdue) {
            self.outgoing.give_up();
        }
        if due.is_some_and(|due| now >= due) {
            return Ok(Event::Due);
        }
        Ok(if now >= ping { Event::Ping } else { Event::Changed })
    }

    async fn handle(&mut self, frame: Option<tungstenite::Result<Frame>>, heard: Instant) -> Result<(), Ending> {
        let step = match frame {
            Some(Ok(Frame::Text(text))) if self.messages.take(heard) => self.dialect.handle(&text).await,
            Some(Ok(Frame::Text(_))) => self.flooded(),
            Some(Ok(Frame::Binary(bytes))) if self.messages.take(heard) => self.dialect.handle_binary(&bytes).await,
            Some(Ok(Frame::Binary(_))) => self.flooded(),
            Some(Ok(Frame::Ping(_))) if !self.pings.take(heard) => return Err(self.broken_rule(CloseCode::Policy)),
            Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_))) => Step::Continue,
            Some(Ok(Frame::Close(_))) => return Err(Ending::Closed),
            Some(Err(error)) => return Err(self.unreadable(&error)),
            None => return Err(Ending::Broken),
        };
        self.take(step).await
    }

    /// Does what a dialect asks for.
    async fn take(&mut self, step: Step) -> Result<(), Ending> {
        match step {
            Step::Continue => Ok(()),
            Step::Say(text) => self.say(Frame::text(text)).await,
            Step::SayEach(texts) => {
                for text in texts {
                    self.say(Frame::text(text)).await?;
                }
                Ok(())
            }
            Step::Close { say, code } => {
                self.counters.socket_errors.add();
                if let Some(text) = say {
                    self.say(Frame::text(text)).await?;
                }
                Err(Ending::Close(code, self.timing.close))
            }
        }
    }

    fn flooded(&self) -> Step {
        Step::Close { say: self.dialect.flooded(), code: CloseCode::Policy }
    }

    /// Writes what waits, as long as the client reads.
    async fn write(&mut self) -> Result<(), Ending> {
        // What one who delivered has begun.
        if self.socket.lock().is_fed() {
            self.flush().await?;
        }
        // Until nothing is left after a flush: what came during a write has already knocked.
        while let Some(first) = self.outgoing.pop() {
            let mut next = Some(first);
            while let Some(message) = next {
                let frame = self.dialect.write(&message);
                self.feed(frame).await?;
                self.counters.deliveries.add();
                next = self.outgoing.pop();
            }
            self.flush().await?;
        }
        match self.outgoing.end() {
            None => Ok(()),
            Some(End::Closing(why)) => Err(Ending::Close(self.dialect.closing(why), self.timing.close)),
            Some(End::Overflow) => Err(self.slow(self.timing.close)),
        }
    }

    async fn say(&mut self, frame: Frame) -> Result<(), Ending> {
        self.feed(frame).await?;
        self.flush().await
    }

    async fn feed(&mut self, frame: Frame) -> Result<(), Ending> {
        let mut frame = Some(frame);
        let mut feed = |cx: &mut Context<'_>| {
            frame.take().map_or(Poll::Ready(Ok(())), |frame| self.socket.lock().poll_feed(cx, frame))
        };
        match poll_fn(|cx| Poll::Ready(feed(cx))).await {
            Poll::Ready(fed) => fed.map_err(|_| Ending::Broken),
            Poll::Pending => self.flush().await,
        }
    }

    /// Mostly the kernel takes all at once; only a write that waits is worth a timer, and memory of its own.
    async fn flush(&mut self) -> Result<(), Ending> {
        match poll_fn(|cx| Poll::Ready(self.socket.lock().poll_flush(cx))).await {
            Poll::Ready(flushed) => flushed.map_err(|_| Ending::Broken),
            Poll::Pending => Box::pin(self.flush_patiently()).await,
        }
    }

    /// Until it is done, its deadline has passed, or too much is waiting behind it.
    async fn flush_patiently(&mut self) -> Result<(), Ending> {
        let slow = tokio::select! {
            biased;
            flushed = flushed(&self.socket) => return flushed.map_err(|_| Ending::Broken),
            () = poll_fn(|cx| self.outgoing.poll_overflowed(cx)) => self.timing.close,
            () = sleep(self.timing.write) => Duration::from_secs(1),
        };
        self.counters.slow_readers.add();
        Err(Ending::Close(CloseCode::Again, slow))
    }

    fn slow(&self, patience: Duration) -> Ending {
        self.counters.slow_readers.add();
        Ending::Close(CloseCode::Again, patience)
    }

    fn broken_rule(&self, code: CloseCode) -> Ending {
        self.counters.socket_errors.add();
        Ending::Close(code, self.timing.close)
    }

    fn unreadable(&self, error: &Error) -> Ending {
        match error {
            Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => Ending::Broken,
            Error::Protocol(_) => self.broken_rule(CloseCode::Protocol),
            Error::Utf8(_) => self.broken_rule(CloseCode::Invalid),
            Error::Capacity(CapacityError::MessageTooLong { .. }) => self.broken_rule(CloseCode::Size),
            Error::Io(problem) => match problem.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(Fault::Length) => self.broken_rule(CloseCode::Protocol),
                Some(Fault::Fragments) => self.broken_rule(CloseCode::Policy),
                None => Ending::Broken,
            },
            _ => Ending::Broken,
        }
    }

    /// Our close frame, and the client's answer: for so long and no longer.
    async fn close(&mut self, code: CloseCode, patience: Duration) {
        let frame = Frame::Close(Some(CloseFrame { code, reason: Default::default() }));
        let closing = async {
            // What has waited so far first: so much time is given to it all.
            if flushed(&self.socket).await.is_err()
                || self.feed(frame).await.is_err()
                || flushed(&self.socket).await.is_err()
            {
                return;
            }
            while let Some(Ok(_)) = read(&self.socket).await {}
            // What is still on its way is read and dropped: closing over unread bytes would reset the connection, and
            // the client might never see why.
            let mut rest = vec![0; 4096];
            shut_down(&self.socket).await;
            while read_rest(&self.socket, &mut rest).await.is_ok_and(|read| read > 0) {}
        };
        let _ = timeout(patience, closing).await;
    }
}

impl Allowance {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, budget: Budget::default(), since: Instant::now() }
    }

    fn take(&mut self, now: Instant) -> bool {
        let now = u64::try_from((now - self.since).as_nanos()).unwrap_or(u64::MAX);
        self.budget.take(self.rate, now)
    }
}
