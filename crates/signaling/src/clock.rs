//! Time for rooms: the wall clock as it was at the start, carried on by the monotonic one, so that a jump of the wall
//! clock moves no deadline.

use std::time::{Duration, Instant, SystemTime};

use posthouse_rooms::Timestamp;

#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    unix: Timestamp,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), unix: Timestamp::default().after(unix) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.unix.after(self.start.elapsed())
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.start.elapsed()
    }
}
