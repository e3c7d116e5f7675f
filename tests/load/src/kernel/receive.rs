//! Many datagrams in one call: `recvmmsg(2)`, with UDP_GRO and the local address of each.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::control::Control;
use super::from_raw;

/// One received datagram, or several of one size that the kernel joined (UDP_GRO).
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// All bytes.
    pub bytes: &'a [u8],
    /// The sender.
    pub from: SocketAddrV4,
    /// The local address; unspecified unless IP_PKTINFO is on.
    pub to: Ipv4Addr,
    /// Size of each joined datagram but the last, which may be shorter. Never 0.
    pub segment: usize,
}

impl<'a> Datagram<'a> {
    /// The datagrams as they were sent.
    pub fn segments(self) -> impl Iterator<Item = &'a [u8]> {
        // An empty datagram is one datagram too, but nothing here sends any.
        self.bytes.chunks(self.segment)
    }
}

/// Slots for a batch. Their memory has room in front of each datagram.
pub struct Receiver {
    slot_len: usize,
    head_room: usize,
    memory: Vec<u8>,
    headers: Vec<libc::mmsghdr>,
    iovecs: Vec<libc::iovec>,
    names: Vec<libc::sockaddr_in>,
    controls: Vec<Control>,
}

impl Receiver {
    /// `slots` datagrams of at most `len` bytes, each with `head_room` bytes before it.
    #[must_use]
    pub fn new(slots: usize, len: usize, head_room: usize) -> Self {
        let slot_len = head_room + len;
        // SAFETY: all three are plain C structs for which zero bytes are a valid value.
        let (header, iovec, name) = unsafe { (std::mem::zeroed(), std::mem::zeroed(), std::mem::zeroed()) };
        Self {
            slot_len,
            head_room,
            memory: vec![0; slots * slot_len],
            headers: vec![header; slots],
            iovecs: vec![iovec; slots],
            names: vec![name; slots],
            controls: vec![Control::new(); slots],
        }
    }

    /// How many datagrams a batch takes.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.headers.len()
    }

    /// Fills the slots from `first` on without waiting and returns how many; 0 when none is there.
    ///
    /// # Errors
    /// What `recvmmsg` says, but "would block".
    pub fn receive(&mut self, socket: BorrowedFd<'_>, first: usize) -> io::Result<usize> {
        self.prepare(first);
        let room = &mut self.headers[first..];
        // SAFETY: every header points to its own slot, name and control, all owned by `self` and not moved during
        // the call; their lengths are the true ones.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                room.as_mut_ptr(),
                room.len() as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        match usize::try_from(count) {
            Ok(count) => Ok(count),
            Err(_) => match io::Error::last_os_error() {
                e if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
                e => Err(e),
            },
        }
    }

    /// What lies in a slot after a receive.
    #[must_use]
    pub fn get(&self, slot: usize) -> Datagram<'_> {
        let bytes = &self.memory[self.range(slot)];
        let (to, segment) = Control::read(&self.headers[slot].msg_hdr);
        let segment = if segment == 0 { bytes.len().max(1) } else { segment };
        Datagram { bytes, from: from_raw(&self.names[slot]), to, segment }
    }

    /// Where a slot's datagram lies in [`Self::memory`].
    #[must_use]
    pub fn range(&self, slot: usize) -> Range<usize> {
        let start = slot * self.slot_len + self.head_room;
        start..start + self.headers[slot].msg_len as usize
    }

    /// All slots with their head rooms.
    #[must_use]
    pub fn memory(&self) -> &[u8] {
        &self.memory
    }

    /// The head room of a slot.
    pub fn head_room(&mut self, slot: usize) -> &mut [u8] {
        &mut self.memory[slot * self.slot_len..][..self.head_room]
    }

    fn prepare(&mut self, first: usize) {
        for slot in first..self.headers.len() {
            let start = slot * self.slot_len + self.head_room;
            let bytes = &mut self.memory[start..start + self.slot_len - self.head_room];
            self.iovecs[slot] = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
            let header = &mut self.headers[slot].msg_hdr;
            header.msg_name = ptr::from_mut(&mut self.names[slot]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            header.msg_iov = ptr::from_mut(&mut self.iovecs[slot]);
            header.msg_iovlen = 1;
            header.msg_control = self.controls[slot].as_mut_ptr();
            header.msg_controllen = Control::LEN as _;
        }
    }
}
