//! Many datagrams in one call: `recvmmsg(2)` with UDP_GRO.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::address::RawAddress;
use super::control::{Control, Told};

/// One read: a datagram, or several of one size that the kernel joined.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    pub(crate) from: SocketAddr,
    pub(crate) len: usize,
    pub(crate) told: Told,
}

/// The arrays that `recvmmsg` wants, kept for the next call.
pub(crate) struct Receiver {
    headers: Vec<libc::mmsghdr>,
    iovecs: Vec<libc::iovec>,
    addresses: Vec<RawAddress>,
    controls: Vec<Control>,
}

impl Receiver {
    /// For at most `capacity` reads in one call.
    pub(crate) fn new(capacity: usize) -> Self {
        // SAFETY: `mmsghdr` is numbers and pointers, for which zero bytes are a value.
        let header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        Self {
            headers: vec![header; capacity],
            iovecs: vec![libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; capacity],
            addresses: vec![RawAddress::unspecified(); capacity],
            controls: vec![Control::new(); capacity],
        }
    }

    /// Reads what is there, never waits; `buffers` gives the places to fill, one a read. Returns how many were filled.
    pub(crate) fn receive<'b>(
        &mut self,
        socket: BorrowedFd<'_>,
        buffers: impl Iterator<Item = &'b mut [u8]>,
    ) -> io::Result<usize> {
        let mut n = 0;
        for (i, buffer) in buffers.take(self.capacity()).enumerate() {
            self.prepare(i, buffer);
            n = i + 1;
        }
        if n == 1 {
            return self.receive_one(socket);
        }
        // SAFETY: the first `n` headers point into this struct's arrays and into distinct buffers that stay borrowed
        // (`'b`) until this function returns; all were written just above.
        let read = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                n as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        usize::try_from(read).map_err(|_| io::Error::last_os_error())
    }

    /// The first header alone, with less ado.
    fn receive_one(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        let header = &mut self.headers[0];
        // SAFETY: as in `receive`, whose caller's buffers are still borrowed.
        let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header.msg_hdr, libc::MSG_DONTWAIT) };
        header.msg_len = u32::try_from(len).map_err(|_| io::Error::last_os_error())?;
        Ok(1)
    }

    /// How many reads one call takes.
    pub(super) fn capacity(&self) -> usize {
        self.headers.len()
    }

    /// Makes a header ready for a read into `buffer`. The arrays that it points into never grow.
    pub(super) fn prepare(&mut self, i: usize, buffer: &mut [u8]) -> *mut libc::msghdr {
        self.iovecs[i] = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let header = &mut self.headers[i].msg_hdr;
        header.msg_name = self.addresses.as_mut_ptr().wrapping_add(i).cast();
        header.msg_namelen = RawAddress::CAPACITY;
        header.msg_iov = self.iovecs.as_mut_ptr().wrapping_add(i);
        header.msg_iovlen = 1;
        // The control messages are the first field of `Control` (repr C).
        header.msg_control = self.controls.as_mut_ptr().wrapping_add(i).cast();
        header.msg_controllen = Control::CAPACITY as _;
        header.msg_flags = 0;
        header
    }

    /// So many bytes were read by a call that does not note it itself.
    pub(super) fn set_len(&mut self, i: usize, len: u32) {
        self.headers[i].msg_len = len;
    }

    /// The `i`-th read of the last call; `None` when it has no address or did not fit.
    pub(crate) fn get(&self, i: usize) -> Option<Read> {
        let header = &self.headers[i];
        if header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
            return None;
        }
        let told = self.controls[i].read(header.msg_hdr.msg_controllen as usize);
        Some(Read { from: self.addresses[i].get()?, len: header.msg_len as usize, told })
    }
}
