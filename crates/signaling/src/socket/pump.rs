//! The task of one WebSocket. It alone reads and writes, so nobody waits for a slow reader but the reader itself.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Error, Message as Frame,
        error::CapacityError,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use tracing::debug;

use crate::{
    config::{Rate, Timing},
    dialect::{Dialect, Step},
    drain::Drain,
    outgoing::{End, Outgoing},
    rates::Budget,
    stats::Counters,
};

use super::{Guarded, heads::Fault};

/// One WebSocket and what is needed to serve it.
pub(crate) struct Pump<S> {
    pub(crate) socket: WebSocketStream<Guarded<S>>,
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

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Pump<S> {
    /// Serves the socket to its end.
    pub(crate) async fn run(mut self) {
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
            Ending::Closed => drop(timeout(Duration::from_secs(1), self.socket.next()).await),
            Ending::Broken => {}
        }
    }

    async fn serve(&mut self) -> Ending {
        let opened = Instant::now();
        let (mut heard, mut pinged) = (opened, opened);
        let first = self.dialect.opened().await;
        if let Err(ending) = self.take(first).await {
            return ending;
        }
        loop {
            let done = match self.next(opened, heard, pinged).await {
                Ok(Event::Frame(frame)) => {
                    heard = Instant::now();
                    // What came before this frame is written before its answer, whichever was noticed first.
                    match self.write().await {
                        Ok(()) => self.handle(frame).await,
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
    async fn next(&mut self, opened: Instant, heard: Instant, pinged: Instant) -> Result<Event, Ending> {
        self.write().await?;
        let (ping, dead) = (pinged + self.timing.ping, heard + self.timing.dead);
        let register = (!self.dialect.is_registered()).then(|| opened + self.timing.register);
        let overdue = self.outgoing.overdue();
        let due = self.dialect.poll_timeout();
        let wake = [register, overdue, due].into_iter().flatten().fold(ping.min(dead), Instant::min);
        tokio::select! {
            frame = self.socket.next() => return Ok(Event::Frame(frame)),
            () = self.outgoing.changed() => return Ok(Event::Changed),
            () = self.drain.begun() => return Err(Ending::Close(CloseCode::Away, self.timing.close)),
            () = sleep_until(wake) => {}
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

    async fn handle(&mut self, frame: Option<tungstenite::Result<Frame>>) -> Result<(), Ending> {
        let step = match frame {
            Some(Ok(Frame::Text(text))) if self.messages.take() => self.dialect.handle(&text).await,
            Some(Ok(Frame::Text(_))) => self.flooded(),
            Some(Ok(Frame::Binary(bytes))) if self.messages.take() => self.dialect.handle_binary(&bytes).await,
            Some(Ok(Frame::Binary(_))) => self.flooded(),
            Some(Ok(Frame::Ping(_))) if !self.pings.take() => return Err(self.broken_rule(CloseCode::Policy)),
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
        // Until nothing is left after a flush: what came during a write has already knocked.
        while let Some(first) = self.outgoing.pop() {
            let mut next = Some(first);
            while let Some(message) = next {
                let frame = self.dialect.write(&message);
                self.patiently(|socket| socket.feed(frame)).await?;
                self.counters.deliveries.add();
                next = self.outgoing.pop();
            }
            self.patiently(SinkExt::flush).await?;
        }
        match self.outgoing.end() {
            None => Ok(()),
            Some(End::Closing(why)) => Err(Ending::Close(self.dialect.closing(why), self.timing.close)),
            Some(End::Overflow) => Err(self.slow(self.timing.close)),
        }
    }

    async fn say(&mut self, frame: Frame) -> Result<(), Ending> {
        self.patiently(|socket| socket.send(frame)).await
    }

    /// A write, until it is done, its deadline has passed, or too much is waiting behind it.
    async fn patiently<'a, F>(
        &'a mut self,
        write: impl FnOnce(&'a mut WebSocketStream<Guarded<S>>) -> F,
    ) -> Result<(), Ending>
    where
        F: Future<Output = tungstenite::Result<()>>,
    {
        let slow = tokio::select! {
            biased;
            written = write(&mut self.socket) => return written.map_err(|_| Ending::Broken),
            () = self.outgoing.overflowed() => self.timing.close,
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
        let frame = CloseFrame { code, reason: Default::default() };
        let closing = async {
            if self.socket.close(Some(frame)).await.is_err() {
                return;
            }
            while let Some(Ok(_)) = self.socket.next().await {}
            // What is still on its way is read and dropped: closing over unread bytes would reset the connection, and
            // the client might never see why.
            let stream = self.socket.get_mut().stream();
            let (mut rest, _) = (vec![0; 4096], stream.shutdown().await);
            while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
        };
        let _ = timeout(patience, closing).await;
    }
}

impl Allowance {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, budget: Budget::default(), since: Instant::now() }
    }

    fn take(&mut self) -> bool {
        let now = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.budget.take(self.rate, now)
    }
}
