//! Socket options that `socket2` has no name for.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Asks for the local address of every datagram.
///
/// # Errors
/// What the kernel says.
pub fn packet_info_on(socket: BorrowedFd<'_>) -> io::Result<()> {
    set(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
}

/// Lets the kernel hand over joined datagrams whole.
///
/// # Errors
/// What the kernel says; before Linux 5.0 it has no such option.
pub fn gro_on(socket: BorrowedFd<'_>) -> io::Result<()> {
    set(socket, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// The receive buffer in bytes, past `rmem_max` where that is allowed.
///
/// # Errors
/// Neither the privileged nor the ordinary option worked.
pub fn receive_buffer(socket: BorrowedFd<'_>, bytes: i32) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)
        .or_else(|_| set(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes))
}

fn set(socket: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    // SAFETY: the value outlives the call and its size is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            ptr::from_ref(&value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
