//! CPU time of a process, to the nanosecond: the sum of its threads' run time.

use std::fs;
use std::io;
use std::time::Duration;

/// What the threads of `pid` have run so far (`/proc/PID/task/*/schedstat`, first field).
///
/// Exact while they sleep; a running thread is up to one tick behind. Threads that ended are not in it.
///
/// # Errors
/// The process is gone.
pub fn time(pid: u32) -> io::Result<Duration> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the listing and the reading.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        sum += text.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(sum))
}
