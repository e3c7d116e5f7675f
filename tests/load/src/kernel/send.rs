//! Many datagrams in one call: `sendmmsg(2)` with UDP_SEGMENT, gathered from where their bytes lie.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::control::Control;
use super::to_raw;

/// One datagram, or several that the kernel shall cut out of one.
#[derive(Debug, Clone)]
pub struct Message {
    /// The destination.
    pub to: SocketAddrV4,
    /// The local address to send from, when the socket is bound to none.
    pub from: Option<Ipv4Addr>,
    /// Which of the pieces make it.
    pub pieces: Range<usize>,
    /// Size of every datagram but the last (UDP_SEGMENT); 0: do not cut.
    pub segment: u16,
}

/// The arrays that `sendmmsg` wants, kept for the next call.
#[derive(Default)]
pub struct Sender {
    headers: Vec<libc::mmsghdr>,
    iovecs: Vec<libc::iovec>,
    names: Vec<libc::sockaddr_in>,
    controls: Vec<Control>,
}

impl Sender {
    /// Hands over as many of `messages` as the kernel takes, in order, and never waits.
    ///
    /// # Errors
    /// The first message was refused; "would block" is 0 instead.
    pub fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        memory: &[u8],
        pieces: &[Range<usize>],
        messages: &[Message],
    ) -> io::Result<usize> {
        self.prepare(memory, pieces, messages);
        // SAFETY: every header points into arrays of `self` that stay in place during the call, and through them
        // into `memory`, which is borrowed for as long and only read.
        let sent = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                messages.len() as libc::c_uint,
                libc::MSG_DONTWAIT as _,
            )
        };
        match usize::try_from(sent) {
            Ok(sent) => Ok(sent),
            Err(_) => match io::Error::last_os_error() {
                e if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
                e => Err(e),
            },
        }
    }

    /// Fills the arrays first and takes pointers into them last, when they no longer move.
    fn prepare(&mut self, memory: &[u8], pieces: &[Range<usize>], messages: &[Message]) {
        self.iovecs.clear();
        for piece in pieces {
            let bytes = &memory[piece.clone()];
            self.iovecs.push(libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() });
        }
        if self.headers.len() < messages.len() {
            // SAFETY: zero bytes are a valid value of both plain C structs.
            let (header, name) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
            self.headers.resize(messages.len(), header);
            self.names.resize(messages.len(), name);
            self.controls.resize(messages.len(), Control::new());
        }
        for (i, message) in messages.iter().enumerate() {
            self.names[i] = to_raw(message.to);
            let control_len = self.controls[i].write(message.from, message.segment);
            let header = &mut self.headers[i].msg_hdr;
            header.msg_name = ptr::from_mut(&mut self.names[i]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            let iovecs = &mut self.iovecs[message.pieces.clone()];
            header.msg_iov = iovecs.as_mut_ptr();
            header.msg_iovlen = iovecs.len() as _;
            header.msg_control = if control_len == 0 { ptr::null_mut() } else { self.controls[i].as_mut_ptr() };
            header.msg_controllen = control_len as _;
        }
    }
}
