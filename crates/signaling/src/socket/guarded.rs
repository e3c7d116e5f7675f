//! A stream whose frames are looked at as they are read. Writing passes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::heads::{Fault, Heads};

/// The stream of a WebSocket, and what was read of it before it became one.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    stream: S,
    early: Vec<u8>,
    heads: Heads,
    fault: Option<Fault>,
}

impl<S> Guarded<S> {
    /// A message may come in a frame for each KiB of the longest one.
    pub(crate) fn new(stream: S, early: Vec<u8>, max_message: usize) -> Self {
        Self { stream, early, heads: Heads::new((max_message / 1024).max(64)), fault: None }
    }

    /// The stream, and what comes on it unseen.
    pub(crate) fn stream(&mut self) -> &mut S {
        &mut self.stream
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

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let broken = |fault| Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, fault)));
        if let Some(fault) = self.fault {
            return broken(fault);
        }
        if self.early.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        } else {
            self.read_early(buf);
        }
        if let Err((good, fault)) = self.heads.pass(&buf.filled()[before..]) {
            self.fault = Some(fault);
            buf.set_filled(before + good);
            if good == 0 {
                return broken(fault);
            }
        }
        Poll::Ready(Ok(()))
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
