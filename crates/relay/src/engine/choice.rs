//! Which engine the workers get.

use std::{io, thread};

use crate::config::EngineChoice;
use crate::kernel::ring::Ring;

/// Settles [`EngineChoice::Auto`], and what this machine refuses; says so once.
pub(crate) fn settle(choice: EngineChoice) -> EngineChoice {
    let refusal = match choice {
        EngineChoice::Mmsg => return EngineChoice::Mmsg,
        EngineChoice::Auto | EngineChoice::IoUring => refusal(),
    };
    let Some(error) = refusal else { return EngineChoice::IoUring };
    let meaning = "the kernel refuses io_uring (older than 6.1, kernel.io_uring_disabled, or a filter of system calls)";
    if choice == EngineChoice::IoUring {
        tracing::warn!(target: "relay", %error, "{meaning}: the workers use recvmmsg and sendmmsg instead");
    } else {
        tracing::info!(target: "relay", %error, "{meaning}: the workers use recvmmsg and sendmmsg");
    }
    EngineChoice::Mmsg
}

/// Tries in a thread of its own: the end of a ring interrupts a call that the thread which made it waits in.
fn refusal() -> Option<io::Error> {
    match thread::spawn(|| Ring::new().err()).join() {
        Ok(refusal) => refusal,
        Err(_) => Some(io::Error::other("the attempt panicked")),
    }
}
