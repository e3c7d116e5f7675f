//! [`Response`]: the one buffer in which every answer is written.

use std::fmt;

use crate::FiveTuple;

/// Realm and SOFTWARE may have 763 bytes each, PADDING 1500; the rest stays far below the remaining.
const CAPACITY: usize = 4096;

/// At most one answer, until it is taken.
pub(crate) struct Response {
    buffer: Box<[u8; CAPACITY]>,
    ready: Option<(FiveTuple, usize)>,
}

impl Default for Response {
    fn default() -> Self {
        Self { buffer: Box::new([0; CAPACITY]), ready: None }
    }
}

impl Response {
    /// Room for the next answer to `to`; `write` starts, fills and finishes a [`posthouse_stun::Builder`] on it.
    pub(crate) fn write(
        &mut self,
        to: FiveTuple,
        write: impl FnOnce(&mut [u8]) -> Result<usize, posthouse_stun::WriteError>,
    ) {
        self.ready = write(&mut self.buffer[..]).ok().map(|len| (to, len));
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.is_some()
    }

    pub(crate) fn take(&mut self) -> Option<(FiveTuple, &[u8])> {
        let (to, len) = self.ready.take()?;
        Some((to, &self.buffer[..len]))
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("ready", &self.ready).finish_non_exhaustive()
    }
}
