//! [`Appetite`]: how many reads to ask a relayed socket for.
//!
//! One read too many costs a search in vain, a tenth of a packet's price; one too few another visit. A quiet flow among
//! thousands has one packet waiting, a file transfer as many as it may have.

/// Reads of one relayed socket in a row: a burst of one flow becomes one send, and the others have their turn.
const MAX: u8 = 16;

/// What one socket had lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appetite {
    ask: u8,
    /// It had all that was asked for: there may have been more.
    full: bool,
    /// The number of the look that reported it last.
    look: u32,
}

impl Default for Appetite {
    fn default() -> Self {
        Self { ask: 1, full: false, look: 0 }
    }
}

impl Appetite {
    /// How many reads to ask for now that look number `look` has reported the socket. When the one before did too and
    /// that was not enough, twice as many.
    pub(crate) fn at(&mut self, look: u32) -> usize {
        if self.full && look.wrapping_sub(self.look) <= 1 {
            self.ask = (self.ask * 2).min(MAX);
            self.full = false;
        }
        self.look = look;
        usize::from(self.ask)
    }

    /// So many it had.
    pub(crate) fn had(&mut self, n: usize) {
        self.full = n >= usize::from(self.ask);
        if !self.full {
            // Below `ask`, which is a byte.
            self.ask = (n as u8).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Visits at the given looks; at each the socket has so much.
    fn asked(visits: &[(u32, usize)]) -> Vec<usize> {
        let mut appetite = Appetite::default();
        let mut visit = |&(look, has): &(u32, usize)| {
            let ask = appetite.at(look);
            appetite.had(has.min(ask));
            ask
        };
        visits.iter().map(&mut visit).collect()
    }

    #[test]
    fn a_socket_that_is_reported_again_at_once_is_asked_for_more() {
        assert_eq!(asked(&[(1, 99), (2, 99), (3, 99), (4, 99), (5, 99), (6, 99)]), [1, 2, 4, 8, 16, 16]);
    }

    #[test]
    fn a_quiet_flow_among_many_is_asked_once_each_time() {
        assert_eq!(asked(&[(1, 1), (9, 1), (17, 1), (25, 1)]), [1, 1, 1, 1]);
    }

    #[test]
    fn the_appetite_follows_what_is_there() {
        assert_eq!(asked(&[(1, 9), (2, 9), (3, 3), (4, 3), (5, 0), (6, 1)]), [1, 2, 4, 3, 6, 1]);
    }
}
