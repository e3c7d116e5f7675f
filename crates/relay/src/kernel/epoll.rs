//! Which sockets have something to read.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// What happened to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// The caller's.
    pub(crate) data: u64,
    /// It has input, an error or its end to tell.
    pub(crate) readable: bool,
    /// It has an error to tell.
    pub(crate) failed: bool,
    /// It takes output. Only those report it that [`Epoll::want_room`] asked.
    pub(crate) writable: bool,
}

/// A level-triggered `epoll(7)` set; each member carries 64 bits of the caller's. A closed descriptor leaves by itself.
pub(crate) struct Epoll {
    fd: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Epoll {
    /// A set that reports at most `capacity` members at once; the others get their turn next time.
    pub(crate) fn new(capacity: usize) -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just gave us this descriptor and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd, events: vec![libc::epoll_event { events: 0, u64: 0 }; capacity] })
    }

    /// Watches `fd` for input.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, data: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, libc::EPOLLIN, data)
    }

    /// Watches a member for room for output too, or no longer.
    pub(crate) fn want_room(&self, fd: BorrowedFd<'_>, data: u64, wanted: bool) -> io::Result<()> {
        let output = if wanted { libc::EPOLLOUT } else { 0 };
        self.control(libc::EPOLL_CTL_MOD, fd, libc::EPOLLIN | output, data)
    }

    /// No longer watches a member.
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) {
        // Whoever is no member need not be removed.
        let _ = self.control(libc::EPOLL_CTL_DEL, fd, 0, 0);
    }

    /// Watches `fd` for input and output as told: before, and from now on. For neither, it is no member.
    pub(crate) fn change(&self, fd: BorrowedFd<'_>, data: u64, [before, now]: [(bool, bool); 2]) {
        const NEITHER: (bool, bool) = (false, false);
        let operation = match (before, now) {
            (_, NEITHER) => return self.remove(fd),
            (NEITHER, _) => libc::EPOLL_CTL_ADD,
            _ => libc::EPOLL_CTL_MOD,
        };
        let events = if now.0 { libc::EPOLLIN } else { 0 } | if now.1 { libc::EPOLLOUT } else { 0 };
        if let Err(error) = self.control(operation, fd, events, data) {
            tracing::debug!(target: "relay", %error, "cannot watch a connection");
        }
    }

    fn control(&self, operation: i32, fd: BorrowedFd<'_>, events: i32, data: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: events as u32, u64: data };
        // SAFETY: both descriptors are open, `event` outlives the call.
        let result = unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), operation, fd.as_raw_fd(), &raw mut event) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Sleeps until a member has something to tell or `timeout` is over; returns what.
    ///
    /// The kernel looks before it sleeps: input that came while the last batch was worked off costs no sleep.
    pub(crate) fn wait(&mut self, timeout: Duration) -> io::Result<impl Iterator<Item = Event>> {
        // Rounded up, so that a deadline has passed when the call returns for it.
        let millis = i32::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
        // SAFETY: the pointer and the length are those of one vector of `epoll_event`.
        let n = unsafe {
            libc::epoll_wait(self.fd.as_raw_fd(), self.events.as_mut_ptr(), self.events.len() as i32, millis)
        };
        let n = match usize::try_from(n) {
            Ok(n) => n,
            Err(_) => match io::Error::last_os_error() {
                e if e.kind() == io::ErrorKind::Interrupted => 0,
                e => return Err(e),
            },
        };
        Ok(self.events[..n].iter().map(|e| {
            let (data, events) = (e.u64, e.events as i32);
            let has = |what: i32| events & what != 0;
            Event { data, readable: has(!libc::EPOLLOUT), failed: has(libc::EPOLLERR), writable: has(libc::EPOLLOUT) }
        }))
    }
}

impl AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
