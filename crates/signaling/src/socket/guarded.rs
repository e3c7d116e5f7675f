//! A stream whose frames are looked at as they are read. Writing passes.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::heads::{Fault, Heads};

thread_local! {
    /// Where reads land: one place for all sockets of a thread, so that an idle socket needs none, and an offer still
    /// comes in one read.
    static LANDING: RefCell<Box<[u8]>> = RefCell::new(vec![0; 8 * 1024].into());
}

/// The stream of a WebSocket, and what was read of it and not handed on yet: before it became one, or beyond what its
/// reader had room for.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    stream: S,
    early: Vec<u8>,
    heads: Heads,
    fault: Option<Fault>,
}

impl<S> Guarded<S> {
    /// A message may come in a frame for each KiB of the longest one.
    pub(crate) fn new(stream: S, early: &[u8], max_message: usize) -> Self {
        let heads = Heads::new((max_message / 1024).max(64));
        let mut guarded = Self { stream, early: Vec::new(), heads, fault: None };
        guarded.early = guarded.good(early).to_vec();
        guarded
    }

    /// The stream, and what comes on it unseen.
    pub(crate) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The bytes before the first fault.
    fn good<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        match self.heads.pass(bytes) {
            Ok(()) => bytes,
            Err((good, fault)) => {
                self.fault = Some(fault);
                &bytes[..good]
            }
        }
    }

    fn read_early(&mut self, buf: &mut ReadBuf<'_>) {
        let most = self.early.len().min(buf.remaining());
        buf.put_slice(&self.early[..most]);
        self.early.drain(..most);
        if self.early.is_empty() {
            self.early = Vec::new();
        }
    }
}

impl<S: AsyncRead + Unpin> Guarded<S> {
    /// Reads once, as much as comes; hands on what there is room for.
    fn poll_fetch(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        LANDING.with_borrow_mut(|landing| {
            let mut landed = ReadBuf::new(landing);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut landed))?;
            let good = self.good(landed.filled());
            let (now, later) = good.split_at(good.len().min(buf.remaining()));
            buf.put_slice(now);
            self.early = later.to_vec();
            match self.fault {
                Some(fault) if now.is_empty() => Poll::Ready(Err(broken(fault))),
                _ => Poll::Ready(Ok(())),
            }
        })
    }
}

fn broken(fault: Fault) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fault)
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.fault {
            _ if !self.early.is_empty() => {
                self.read_early(buf);
                Poll::Ready(Ok(()))
            }
            Some(fault) => Poll::Ready(Err(broken(fault))),
            None => self.poll_fetch(cx, buf),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
