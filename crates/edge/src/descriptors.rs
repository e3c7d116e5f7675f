//! How near the process is to its limit of open files.

use std::os::fd::{AsRawFd, RawFd};

/// Kept for what is more important than a new connection: relayed sockets, logs, a reload.
const RESERVE: usize = 64;

/// The number from which on a descriptor is one too many.
///
/// The kernel hands out the lowest free number, so that a high one means that so many are in use; nothing is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ceiling(usize);

impl Ceiling {
    /// Of this process, at nine tenths of its soft limit; none where the limit cannot be read.
    pub(crate) fn of_process() -> Self {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Self::of(soft_limit(&limits).unwrap_or(usize::MAX))
    }

    fn of(limit: usize) -> Self {
        Self((limit - limit / 10).min(limit.saturating_sub(RESERVE)))
    }

    pub(crate) fn is_reached_by(self, socket: &impl AsRawFd) -> bool {
        self.is_reached(socket.as_raw_fd())
    }

    fn is_reached(self, descriptor: RawFd) -> bool {
        usize::try_from(descriptor).is_ok_and(|number| number >= self.0)
    }
}

/// `Max open files            1024                 524288               files`
fn soft_limit(limits: &str) -> Option<usize> {
    limits.lines().find(|line| line.starts_with("Max open files"))?.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_and_at_least_64_descriptors_stay_free() {
        for (limit, first_refused) in [(256, 192), (1024, 922), (20_000, 18_000), (10, 0)] {
            let ceiling = Ceiling::of(limit);
            assert!(ceiling.is_reached(first_refused), "{limit}");
            assert!(!ceiling.is_reached(first_refused - 1), "{limit}");
        }
    }

    #[test]
    fn the_soft_limit_is_the_first_figure() {
        let text = "Max processes  5  6  processes\nMax open files            1024                 524288               files \n";
        assert_eq!(soft_limit(text), Some(1024));
        assert_eq!(soft_limit("Max open files unlimited unlimited files"), None);
        assert!(soft_limit(&std::fs::read_to_string("/proc/self/limits").unwrap()).is_some());
    }
}
