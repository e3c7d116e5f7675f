//! `epoll(7)`, level-triggered, for the bare forwarder and for crowds of WebSockets.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A set of sockets to wait for, each with a number of the caller's.
pub struct Epoll {
    fd: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Epoll {
    /// A set that reports at most `batch` ready sockets at once.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn new(batch: usize) -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked before it becomes an owned descriptor.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` was just opened and belongs to nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd, events: vec![libc::epoll_event { events: 0, u64: 0 }; batch] })
    }

    /// Waits for `socket` to be readable from now on.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn add(&self, socket: BorrowedFd<'_>, number: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: number };
        // SAFETY: both descriptors are open and the event outlives the call.
        let result =
            unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_ADD, socket.as_raw_fd(), &mut event) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits without limit and puts the numbers of readable sockets into `ready`.
    ///
    /// # Errors
    /// What the kernel says, but "interrupted".
    pub fn wait(&mut self, ready: &mut Vec<u64>) -> io::Result<()> {
        self.wait_for(ready, -1)
    }

    /// Waits for so many milliseconds at most; -1 is without limit.
    ///
    /// # Errors
    /// What the kernel says, but "interrupted".
    pub fn wait_for(&mut self, ready: &mut Vec<u64>, milliseconds: i32) -> io::Result<()> {
        ready.clear();
        let room = self.events.len() as libc::c_int;
        // SAFETY: the array has `room` events and outlives the call.
        let count = unsafe { libc::epoll_wait(self.fd.as_raw_fd(), self.events.as_mut_ptr(), room, milliseconds) };
        match usize::try_from(count) {
            Ok(count) => ready.extend(self.events[..count].iter().map(|event| event.u64)),
            Err(_) => match io::Error::last_os_error() {
                e if e.kind() == io::ErrorKind::Interrupted => {}
                e => return Err(e),
            },
        }
        Ok(())
    }
}
