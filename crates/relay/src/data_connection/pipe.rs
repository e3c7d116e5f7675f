//! [`Pipe`]: one way of a data connection.

use super::side::{Rooms, Said, Side};
use crate::counters::Calls;

/// Bytes that were read from one side and not yet taken by the other: at most one read. Memory only while there are
/// some.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    bytes: Vec<u8>,
    /// How many at the beginning are gone.
    gone: usize,
    /// Up to where bandwidth was granted.
    granted: usize,
    /// The one side has said its last.
    ended: bool,
    /// The other side knows, or takes no more.
    told: bool,
}

impl Pipe {
    /// Writes what waits; when nothing does, reads once and writes that. Returns how many bytes went on.
    pub(super) fn pump(
        &mut self,
        from: &mut Side,
        to: &mut Side,
        rooms: &mut Rooms,
        calls: &mut Calls,
        pass: &mut dyn FnMut(usize) -> usize,
    ) -> usize {
        if self.told {
            return 0;
        }
        let mut moved = self.pour(to, calls, pass);
        if self.is_empty() && !self.ended {
            let (room, said) = from.read(rooms, calls);
            self.ended = said == Said::Last;
            let granted = if room.is_empty() { 0 } else { pass(room.len()) };
            let taken = if granted > 0 { to.write(&room[..granted], calls) } else { 0 };
            self.keep(&room[taken..], granted - taken);
            moved += taken;
        }
        if self.is_empty() && self.ended {
            self.told = to.close_write(calls);
        }
        moved
    }

    /// Writes what waits, as far as bandwidth goes.
    fn pour(&mut self, to: &mut Side, calls: &mut Calls, pass: &mut dyn FnMut(usize) -> usize) -> usize {
        to.flush(calls);
        if self.is_empty() {
            return 0;
        }
        if self.granted < self.bytes.len() {
            self.granted += pass(self.bytes.len() - self.granted);
        }
        let taken = if self.granted > self.gone { to.write(&self.bytes[self.gone..self.granted], calls) } else { 0 };
        self.gone += taken;
        if self.is_empty() {
            (self.bytes, self.gone, self.granted) = (Vec::new(), 0, 0);
        }
        taken
    }

    /// Keeps what could not go on; for the first `granted` bytes bandwidth was granted.
    pub(super) fn keep(&mut self, bytes: &[u8], granted: usize) {
        if !bytes.is_empty() {
            (self.bytes, self.gone, self.granted) = (bytes.to_vec(), 0, granted);
        }
    }

    fn is_empty(&self) -> bool {
        self.gone == self.bytes.len()
    }

    /// The side that it leads to is gone, and with it whatever was meant for it. True if that is news.
    pub(super) fn abandon(&mut self) -> bool {
        !std::mem::replace(self, Self { ended: true, told: true, ..Self::default() }).told
    }

    /// Nothing more will pass.
    pub(super) fn is_over(&self) -> bool {
        self.told
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn wants_input(&self) -> bool {
        self.is_empty() && !self.ended
    }

    pub(super) fn wants_room(&self) -> bool {
        self.granted > self.gone
    }

    pub(super) fn wants_bandwidth(&self) -> bool {
        self.granted < self.bytes.len()
    }
}
