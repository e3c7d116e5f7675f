//! What happens when a worker panics.
//!
//! It begins anew on the same listening sockets, without its allocations: their clients get 437 at the next Refresh
//! and allocate again. After the third panic within a minute it stays down, so that the relay is no longer healthy and
//! whoever watches the process (systemd's watchdog) starts it afresh.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// So many panics ...
const PANICS_MAX: usize = 3;
/// ... within this time are no accident.
const WITHIN: Duration = Duration::from_secs(60);

/// Runs `life` until it ends without a panic; `lost` hears of each panic before the next life.
pub(crate) fn run(worker: usize, mut life: impl FnMut() -> io::Result<()>, mut lost: impl FnMut()) {
    let mut panics: Vec<Instant> = Vec::new();
    loop {
        // Whatever the panic left half done dies with the life's own state.
        match catch_unwind(AssertUnwindSafe(&mut life)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::error!(target: "relay", worker, %error, "the worker cannot work; restart the server");
                return;
            }
            Err(panic) => {
                tracing::error!(target: "relay", worker, panic = message(&*panic), "the worker lost its allocations");
                lost();
                panics.retain(|at| at.elapsed() < WITHIN);
                panics.push(Instant::now());
            }
        }
        if panics.len() >= PANICS_MAX {
            tracing::error!(target: "relay", worker, "the worker panics again and again and stays down");
            return;
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_panics_once_begins_anew() {
        let (mut lives, mut losses) = (0, 0);
        let life = || {
            lives += 1;
            assert!(lives > 1, "first life");
            Ok(())
        };
        run(0, life, || losses += 1);
        assert_eq!((lives, losses), (2, 1));
    }

    #[test]
    fn a_worker_that_panics_again_and_again_stays_down() {
        let (mut lives, mut losses) = (0, 0);
        let life = || {
            lives += 1;
            panic!("life {lives}")
        };
        run(0, life, || losses += 1);
        assert_eq!((lives, losses), (PANICS_MAX, PANICS_MAX));
    }
}
