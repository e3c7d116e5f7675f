//! Which processor, which priority, how many descriptors, and dying with the parent.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Round-robin real-time priority for this thread, or back to the ordinary one.
///
/// # Errors
/// Not permitted (CAP_SYS_NICE).
pub fn realtime(on: bool) -> io::Result<()> {
    let (policy, priority) = if on { (libc::SCHED_RR, 1) } else { (libc::SCHED_OTHER, 0) };
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: 0 is the calling thread; the struct outlives the call.
    check(unsafe { libc::sched_setscheduler(0, policy, &parameters) })
}

/// Makes `command`'s process start pinned to `processor`, with as many descriptors as allowed, in real time if
/// `realtime`, and killed when this thread ends, however it ends.
pub fn inherit(command: &mut Command, processor: usize, realtime_on: bool) {
    let prepare = move || {
        pin(processor)?;
        raise_descriptors()?;
        if realtime_on {
            realtime(true)?;
        }
        // SAFETY: a plain system call with a constant and a signal number.
        check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })
    };
    // SAFETY: between fork and exec `prepare` makes only system calls: no allocation, no lock.
    unsafe {
        command.pre_exec(prepare);
    }
}

/// Pins the calling thread, and what it starts, to one processor.
///
/// # Errors
/// There is no such processor, or this process may not use it.
pub fn pin(processor: usize) -> io::Result<()> {
    // SAFETY: zero bytes are an empty set; CPU_SET stays inside it (it checks); the set outlives the call.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        check(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set))
    }
}

fn raise_descriptors() -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct outlives both calls.
    unsafe {
        check(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit))?;
        limit.rlim_cur = limit.rlim_max;
        check(libc::setrlimit(libc::RLIMIT_NOFILE, &limit))
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result >= 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
