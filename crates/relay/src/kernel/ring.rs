//! Many sockets in one call: `io_uring(7)` for sends and reads that never wait.
//!
//! ```text
//! socket 7: 1 datagram  ─┐                          ┌─► result
//! socket 9: 1 datagram   ├─► one io_uring_enter ─►  ├─► result
//! socket 4: 1 datagram  ─┘                          └─► result
//! ```
//!
//! Nothing outlasts a call. Every operation says MSG_DONTWAIT, so the kernel carries it out or refuses it while it takes
//! it in; no socket, buffer or file stays registered, and closing a socket frees its port at once.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use io_uring::squeue::Entry;
use io_uring::types::Fd;
use io_uring::{IoUring, opcode};

use super::receive::Receiver;
use super::send::{Message, Piece, Sender};

/// Operations in one call of the kernel; more need several.
const OPERATIONS_MAX: usize = 256;

/// A ring of one thread, and what its last operations brought.
pub(crate) struct Ring {
    /// `None` once it has failed: what was pushed and not submitted must never be.
    ring: Option<IoUring>,
    /// Pushed and not submitted.
    pushed: usize,
    results: Vec<i32>,
}

impl Ring {
    /// A ring for the calling thread alone.
    ///
    /// # Errors
    /// The kernel is older than 6.1, or io_uring is switched off or forbidden on this machine.
    pub(crate) fn new() -> io::Result<Self> {
        // The last flag dates the kernel: it came together with sends to an address without a `msghdr`.
        let ring = IoUring::builder()
            .dontfork()
            .setup_submit_all()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(OPERATIONS_MAX as u32)?;
        Ok(Self { ring: Some(ring), pushed: 0, results: Vec::new() })
    }

    /// Sends each message by the socket beside it, in order, and never waits. [`Self::result`] says what became of each.
    ///
    /// # Errors
    /// The ring has failed: nothing is known of these messages, and no call will succeed again.
    pub(crate) fn send<'f>(
        &mut self,
        sender: &mut Sender,
        memory: &[u8],
        pieces: &[Piece],
        messages: &[Message],
        sockets: impl Iterator<Item = BorrowedFd<'f>>,
    ) -> io::Result<()> {
        sender.prepare(memory, pieces, messages);
        self.results.clear();
        for (i, (socket, message)) in sockets.zip(messages).enumerate() {
            let (socket, header) = (Fd(socket.as_raw_fd()), sender.header(i));
            let entry = match message.plain(pieces) {
                Some(piece) => send_to(socket, piece.of(memory), header),
                None => opcode::SendMsg::new(socket, header).flags(SEND as u32).build(),
            };
            // SAFETY: the entry points into the sender's arrays, which do not change before this function returns, and
            // into `memory`, which is borrowed for as long; the kernel only reads.
            unsafe { self.push(entry) }?;
        }
        self.complete()
    }

    /// Reads each socket once into the buffer beside it. Returns how many reads were tried; [`Self::result`] says which
    /// brought something, [`Receiver::get`] what.
    ///
    /// # Errors
    /// The ring has failed: nothing is known of these reads, and no call will succeed again.
    pub(crate) fn receive<'f, 'b>(
        &mut self,
        receiver: &mut Receiver,
        reads: impl Iterator<Item = (BorrowedFd<'f>, &'b mut [u8])>,
    ) -> io::Result<usize> {
        self.results.clear();
        for (i, (socket, buffer)) in reads.take(receiver.capacity()).enumerate() {
            let header = receiver.prepare(i, buffer);
            let entry = opcode::RecvMsg::new(Fd(socket.as_raw_fd()), header).flags(libc::MSG_DONTWAIT as u32).build();
            // SAFETY: the entry points to the receiver's header, which points into its arrays and into a buffer that
            // stays borrowed (`'b`) until this function returns; each header and buffer has one entry.
            unsafe { self.push(entry) }?;
        }
        self.complete()?;
        for (i, &result) in self.results.iter().enumerate() {
            receiver.set_len(i, u32::try_from(result).unwrap_or(0));
        }
        Ok(self.results.len())
    }

    /// What became of the `i`-th operation of the last call: its bytes.
    pub(crate) fn result(&self, i: usize) -> io::Result<usize> {
        usize::try_from(self.results[i]).map_err(|_| io::Error::from_raw_os_error(-self.results[i]))
    }

    /// Takes one operation more, and carries out those before when there is no room for it.
    ///
    /// # Safety
    /// What the entry points to stays valid, and unused by others, until [`Self::complete`] has returned or any function
    /// of this ring has failed.
    unsafe fn push(&mut self, entry: Entry) -> io::Result<()> {
        if self.pushed == OPERATIONS_MAX {
            self.complete()?;
        }
        let ring = self.ring.as_mut().ok_or_else(broken)?;
        // SAFETY: the caller's promise.
        let pushed = unsafe { ring.submission().push(&entry.user_data(self.results.len() as u64)) };
        pushed.map_err(|_| broken())?;
        self.results.push(-libc::ECANCELED);
        self.pushed += 1;
        Ok(())
    }

    /// Carries out what was pushed.
    fn complete(&mut self) -> io::Result<()> {
        let pushed = std::mem::take(&mut self.pushed);
        let ring = self.ring.as_mut().ok_or_else(broken)?;
        let result = complete(ring, pushed, &mut self.results);
        if result.is_err() {
            self.ring = None;
        }
        result
    }
}

/// Hands `pushed` operations over and collects their results.
fn complete(ring: &mut IoUring, pushed: usize, results: &mut [i32]) -> io::Result<()> {
    let (mut submitted, mut completed) = (0, 0);
    while completed < pushed {
        // As the operations never wait, neither does this.
        let taken = ring.submit_and_wait(1);
        for done in ring.completion() {
            results[done.user_data() as usize] = done.result();
            completed += 1;
        }
        match taken {
            Ok(n) => submitted += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if submitted == completed => return Err(e),
            // Operations under way might still write to memory that is about to be used otherwise. The kernel never
            // says this of operations that do not wait.
            Err(_) => std::process::abort(),
        }
    }
    Ok(())
}

fn broken() -> io::Error {
    io::Error::other("this io_uring has failed before")
}

const SEND: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

/// A datagram in one piece, without the header that the kernel would have to copy.
fn send_to(socket: Fd, bytes: &[u8], header: &libc::msghdr) -> Entry {
    opcode::Send::new(socket, bytes.as_ptr(), bytes.len() as u32)
        .flags(SEND)
        .dest_addr(header.msg_name.cast_const().cast())
        .dest_addr_len(header.msg_namelen)
        .build()
}
