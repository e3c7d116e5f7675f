//! Many datagrams in one call: `sendmmsg(2)` with UDP_SEGMENT, gathered from where their bytes lie.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::address::RawAddress;
use super::control::Control;
use super::error_queue::may_be_of_an_earlier;

/// Some bytes of the memory that a send is gathered from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Piece {
    /// The bytes.
    pub(crate) fn of(self, memory: &[u8]) -> &[u8] {
        &memory[self.start as usize..][..self.len as usize]
    }
}

/// One datagram, or several that the kernel shall cut out of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) to: SocketAddr,
    /// The local address to send from, when the socket is bound to none.
    pub(crate) from: Option<IpAddr>,
    /// Which pieces make it.
    pub(crate) pieces: Range<usize>,
    /// Every datagram but the last has this size (UDP_SEGMENT); 0: do not cut.
    pub(crate) segment: u16,
}

impl Message {
    /// Its one piece, when it has one and nothing is to be told beside its destination.
    pub(super) fn plain(&self, pieces: &[Piece]) -> Option<Piece> {
        match pieces[self.pieces.clone()] {
            [piece] if self.segment == 0 && self.from.is_none() => Some(piece),
            _ => None,
        }
    }
}

/// The arrays that `sendmmsg` wants, kept for the next call.
pub(crate) struct Sender {
    headers: Vec<libc::mmsghdr>,
    iovecs: Vec<libc::iovec>,
    addresses: Vec<RawAddress>,
    controls: Vec<Control>,
}

impl Sender {
    /// The kernel takes so many messages in a call, and so many pieces in a message (UIO_MAXIOV).
    pub(crate) const MESSAGES_MAX: usize = 1024;

    pub(crate) fn new() -> Self {
        Self { headers: Vec::new(), iovecs: Vec::new(), addresses: Vec::new(), controls: Vec::new() }
    }

    /// Hands over as many of `messages` as the kernel takes, in order, and never waits. What may be the error of an
    /// earlier datagram is not believed until it is heard twice.
    ///
    /// # Errors
    /// The *first* message was refused. (When a later one is, the count ends before it: call again from there.)
    pub(crate) fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        memory: &[u8],
        pieces: &[Piece],
        messages: &[Message],
    ) -> io::Result<usize> {
        let messages = &messages[..messages.len().min(Self::MESSAGES_MAX)];
        if let [message] = messages
            && let Some(piece) = message.plain(pieces)
        {
            let send = || send_plain(socket, piece.of(memory), message.to);
            return twice(send);
        }
        self.prepare(memory, pieces, messages);
        // SAFETY: each of the `messages.len()` headers points into this struct's arrays, which do not change before
        // the calls return, and through them into `memory`, which is borrowed for as long. The kernel only reads.
        let send = || unsafe {
            let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
            let n = messages.len() as libc::c_uint;
            let sent = libc::sendmmsg(socket.as_raw_fd(), self.headers.as_mut_ptr(), n, flags as _);
            usize::try_from(sent).map_err(|_| io::Error::last_os_error())
        };
        twice(send)
    }

    /// Fills the arrays first and takes pointers into them last, when they no longer move.
    pub(super) fn prepare(&mut self, memory: &[u8], pieces: &[Piece], messages: &[Message]) {
        self.iovecs.clear();
        self.grow(messages.len());
        for (i, message) in messages.iter().enumerate() {
            let first = self.iovecs.len();
            for piece in &pieces[message.pieces.clone()] {
                let bytes = piece.of(memory);
                self.iovecs.push(libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() });
            }
            let (address, address_len) = RawAddress::new(message.to);
            self.addresses[i] = address;
            let control = &mut self.controls[i];
            control.clear();
            if message.segment > 0 {
                control.segment(message.segment);
            }
            if let Some(local) = message.from {
                control.from(local);
            }
            let header = &mut self.headers[i].msg_hdr;
            header.msg_namelen = address_len;
            header.msg_iovlen = (self.iovecs.len() - first) as _;
            header.msg_controllen = self.controls[i].len() as _;
        }
        self.point(messages.len());
    }

    fn point(&mut self, n: usize) {
        let mut iovecs = self.iovecs.as_mut_ptr();
        let addresses = self.addresses.as_mut_ptr();
        let controls = self.controls.as_mut_ptr();
        for (i, header) in self.headers[..n].iter_mut().enumerate() {
            let header = &mut header.msg_hdr;
            header.msg_name = addresses.wrapping_add(i).cast();
            header.msg_iov = iovecs;
            iovecs = iovecs.wrapping_add(header.msg_iovlen as usize);
            header.msg_control = match header.msg_controllen as usize {
                0 => std::ptr::null_mut(),
                // The control messages are the first field of `Control` (repr C).
                _ => controls.wrapping_add(i).cast(),
            };
        }
    }

    /// A prepared message as the kernel wants it.
    pub(super) fn header(&self, i: usize) -> &libc::msghdr {
        &self.headers[i].msg_hdr
    }

    fn grow(&mut self, messages: usize) {
        if self.headers.len() < messages {
            // SAFETY: `mmsghdr` is numbers and pointers, for which zero bytes are a value.
            self.headers.resize(messages, unsafe { std::mem::zeroed() });
            self.addresses.resize(messages, RawAddress::unspecified());
            self.controls.resize(messages, Control::new());
        }
    }
}

/// Again, when the error may be that of an earlier datagram.
fn twice(mut send: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    match send() {
        Err(e) if may_be_of_an_earlier(&e) => send(),
        result => result,
    }
}

/// One datagram that lies in one piece, as most to peers do: a twentieth of its whole cost less than by `sendmmsg`.
fn send_plain(socket: BorrowedFd<'_>, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
    let (address, address_len) = RawAddress::new(to);
    // SAFETY: pointers and lengths are those of a slice and of a variable that outlive the call; the kernel only reads.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            (&raw const address).cast(),
            address_len,
        )
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(1) }
}
