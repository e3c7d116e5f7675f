//! A WebSocket on a stream: tungstenite's rules, polled by the one task that reads and writes it.

use std::{
    future::poll_fn,
    io::{self, ErrorKind, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::{
    Error, Message as Frame, Result,
    protocol::{Role, WebSocketConfig, WebSocketContext},
};

use super::Guarded;

/// What a socket holds to read into for as long as it lives; a longer message has its own memory while it comes. The
/// default is 128 KiB.
const READ: usize = 2 * 1024;

/// tungstenite decides, the stream carries. Whoever polls last is woken, for reading as for writing: it is one task.
pub(crate) struct WebSocket<S> {
    stream: Guarded<S>,
    context: WebSocketContext,
    /// Something was fed that has not been flushed.
    fed: bool,
    over: bool,
}

/// A socket that its task shares with those who have something for its client. Locked for one poll, never across an
/// await, and by others only if it is free.
pub(crate) type Shared<S> = Mutex<WebSocket<S>>;

/// A socket on which others may write while its task waits.
pub(crate) trait Written: Send + Sync {
    /// Writes a frame at once, or does not begin. `cx` is the task's: it is woken for what is left.
    fn try_write(&self, cx: &mut Context<'_>, frame: &dyn Fn() -> Frame) -> Attempt;
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// Written.
    Done,
    /// The stream took a part; the task has to flush the rest.
    Begun,
    /// The socket is in use, has something to flush, or is broken: nothing was written.
    Not,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The server's side. Nothing is compressed; what waits to be written is one message in its longest escaped form,
    /// never a queue: the queue is `Outgoing`.
    pub(crate) fn new(stream: Guarded<S>, max_message: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ)
            .write_buffer_size(8 * 1024)
            .max_write_buffer_size(8 * max_message + 64 * 1024)
            .max_message_size(Some(max_message))
            .max_frame_size(Some(max_message));
        let context = WebSocketContext::new(Role::Server, Some(config));
        Self { stream, context, fed: false, over: false }
    }

    /// The next message, or why there is none; after an error, and once it is closed, `None`. Pings are answered.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let read = ready!(waits(self.context.read(&mut Polled { stream: &mut self.stream, cx })));
        self.over = read.is_err();
        Poll::Ready(match read {
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => None,
            read => Some(read),
        })
    }

    /// Is something fed and not flushed?
    pub(crate) fn is_fed(&self) -> bool {
        self.fed
    }

    /// Takes a frame, and writes if much is waiting. Pending if not all could be written: it is taken all the same, and
    /// the next to do is to flush.
    pub(crate) fn poll_feed(&mut self, cx: &mut Context<'_>, frame: Frame) -> Poll<Result<()>> {
        self.fed = true;
        waits(self.context.write(&mut Polled { stream: &mut self.stream, cx }, frame))
    }

    /// Writes all that was fed.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = ready!(waits(self.context.flush(&mut Polled { stream: &mut self.stream, cx })));
        self.fed = flushed.is_err();
        Poll::Ready(match flushed {
            // The last that had to be written.
            Err(Error::ConnectionClosed) => Ok(()),
            flushed => flushed,
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Written for Shared<S> {
    fn try_write(&self, cx: &mut Context<'_>, frame: &dyn Fn() -> Frame) -> Attempt {
        let Some(mut socket) = self.try_lock().filter(|socket| !socket.fed && !socket.over) else {
            return Attempt::Not;
        };
        match socket.poll_feed(cx, frame()) {
            Poll::Ready(Err(_)) => return Attempt::Not,
            Poll::Pending => return Attempt::Begun,
            Poll::Ready(Ok(())) => {}
        }
        match socket.poll_flush(cx) {
            Poll::Ready(Ok(())) => Attempt::Done,
            // Broken: the task will see it when it flushes.
            Poll::Ready(Err(_)) | Poll::Pending => Attempt::Begun,
        }
    }
}

/// The next message, for its task.
pub(super) async fn read<S: AsyncRead + AsyncWrite + Unpin>(socket: &Shared<S>) -> Option<Result<Frame>> {
    poll_fn(|cx| socket.lock().poll_next(cx)).await
}

/// All that was fed is written.
pub(super) async fn flushed<S: AsyncRead + AsyncWrite + Unpin>(socket: &Shared<S>) -> Result<()> {
    poll_fn(|cx| socket.lock().poll_flush(cx)).await
}

/// Says on the stream that nothing more will come.
pub(super) async fn shut_down<S: AsyncWrite + Unpin>(socket: &Shared<S>) {
    poll_fn(|cx| Pin::new(socket.lock().stream.stream()).poll_shutdown(cx)).await.unwrap_or_default();
}

/// Bytes that are no frames any more.
pub(super) async fn read_rest<S: AsyncRead + Unpin>(socket: &Shared<S>, rest: &mut [u8]) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut rest = ReadBuf::new(rest);
        let read = Pin::new(socket.lock().stream.stream()).poll_read(cx, &mut rest);
        read.map_ok(|()| rest.filled().len())
    })
    .await
}

fn waits<T>(done: Result<T>) -> Poll<Result<T>> {
    match done {
        Err(Error::Io(problem)) if problem.kind() == ErrorKind::WouldBlock => Poll::Pending,
        done => Poll::Ready(done),
    }
}

/// A stream while it is polled, as tungstenite reads and writes it.
struct Polled<'a, 'b, S> {
    stream: &'a mut Guarded<S>,
    cx: &'a mut Context<'b>,
}

impl<S: AsyncRead + Unpin> Read for Polled<'_, '_, S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut bytes = ReadBuf::new(bytes);
        match Pin::new(&mut *self.stream).poll_read(self.cx, &mut bytes) {
            Poll::Ready(read) => read.map(|()| bytes.filled().len()),
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: AsyncWrite + Unpin> Write for Polled<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match Pin::new(&mut *self.stream).poll_write(self.cx, bytes) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match Pin::new(&mut *self.stream).poll_flush(self.cx) {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}
