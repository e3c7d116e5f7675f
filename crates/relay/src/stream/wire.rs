//! [`Wire`]: bytes as the client means them, over TCP as it is or inside TLS.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;

use rustls::ServerConnection;

use super::{End, tls};
use crate::arena::READ_MAX;

/// Pieces in one write: a packet is one, or two or three when the kernel joined it with others.
const GATHER_MAX: usize = 256;

/// How a client's bytes travel.
pub(crate) enum Wire {
    /// As they are.
    Tcp,
    /// Encrypted.
    Tls(Box<ServerConnection>),
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Tcp) { "Tcp" } else { "Tls" })
    }
}

/// What became of a write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Bytes of ours that need no longer wait.
    pub(crate) taken: usize,
    /// Whether the kernel took any bytes.
    pub(crate) moved: bool,
}

impl Wire {
    /// Whether ciphertext waits for the kernel.
    pub(crate) fn waits(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.wants_write())
    }

    /// Reads once. Returns the bytes that are in `room` now, and whether they were the last.
    pub(crate) fn read(
        &mut self,
        socket: &mut Socket<'_>,
        room: &mut [u8],
        ciphertext: &mut [u8],
    ) -> (usize, Option<End>) {
        match self {
            Self::Tcp => {
                let most = room.len().min(READ_MAX);
                socket.read_once(&mut room[..most]).map_or_else(|end| (0, Some(end)), |n| (n, None))
            }
            Self::Tls(tls) => tls::read(tls, socket, room, ciphertext),
        }
    }

    /// Writes as much as the kernel takes.
    pub(crate) fn write(&mut self, socket: &mut Socket<'_>, slices: &mut [IoSlice<'_>]) -> Result<Written, End> {
        match self {
            Self::Tcp => {
                let taken = unless_full(socket.write_vectored(slices))?;
                Ok(Written { taken, moved: taken > 0 })
            }
            Self::Tls(tls) => tls::write(tls, socket, slices),
        }
    }

    /// Writes as much of these frames as the kernel takes.
    pub(crate) fn write_frames<'f, const PIECES: usize>(
        &mut self,
        socket: &mut Socket<'_>,
        frames: impl Iterator<Item = [IoSlice<'f>; PIECES]>,
    ) -> Result<Written, End> {
        match self {
            Self::Tcp => gather(socket, frames.flatten().filter(|piece| !piece.is_empty())),
            Self::Tls(tls) => tls::write_frames(tls, socket, frames),
        }
    }
}

/// Writes pieces many at a time.
fn gather<'f>(socket: &mut Socket<'_>, pieces: impl Iterator<Item = IoSlice<'f>>) -> Result<Written, End> {
    let (mut written, mut pieces) = (Written::default(), pieces.peekable());
    let mut slices = [IoSlice::new(&[]); GATHER_MAX];
    while pieces.peek().is_some() {
        let (mut count, mut len) = (0, 0);
        for (slice, piece) in slices.iter_mut().zip(pieces.by_ref()) {
            (count, len) = (count + 1, len + piece.len());
            *slice = piece;
        }
        let n = unless_full(socket.write_vectored(&slices[..count]))?;
        written.taken += n;
        if n < len {
            break;
        }
    }
    written.moved = written.taken > 0;
    Ok(written)
}

/// A socket whose calls are counted.
pub(crate) struct Socket<'s> {
    pub(crate) stream: &'s TcpStream,
    pub(crate) reads: &'s mut u64,
    pub(crate) writes: &'s mut u64,
}

impl Socket<'_> {
    /// Nothing there is 0 bytes; the end of the stream is an [`End`].
    pub(crate) fn read_once(&mut self, room: &mut [u8]) -> Result<usize, End> {
        *self.reads += 1;
        match self.stream.read(room) {
            Ok(0) => Err(End::Client),
            other => unless_full(other),
        }
    }
}

/// Not now is 0 bytes: the kernel tells when it is time.
pub(crate) fn unless_full(result: io::Result<usize>) -> Result<usize, End> {
    match result {
        Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
        other => other.map_err(|_| End::Reset),
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.writes += 1;
        self.stream.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        *self.writes += 1;
        self.stream.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
