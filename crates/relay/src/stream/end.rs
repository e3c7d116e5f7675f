//! [`End`]: why a connection ends.

use crate::counters::Closed;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The client closed it.
    Client,
    /// The connection broke.
    Reset,
    /// What the client sent is not TURN, or no longer.
    Broken,
    /// TLS failed; the alert is sent.
    Tls,
    /// No complete message in time.
    Silent,
    /// No message for long, and no allocation.
    Idle,
    /// The client reads nothing though much waits for it.
    Stalled,
    /// The client asks and asks and does not read the answers.
    Flooded,
    /// Another connection has the same addresses: this one can only be a leftover.
    Replaced,
}

impl End {
    pub(crate) fn count(self, closed: &mut Closed) {
        *match self {
            Self::Client => &mut closed.by_client,
            Self::Reset => &mut closed.reset,
            Self::Broken => &mut closed.broken,
            Self::Tls => &mut closed.tls,
            Self::Silent => &mut closed.silent,
            Self::Idle => &mut closed.idle,
            Self::Stalled => &mut closed.stalled,
            Self::Flooded => &mut closed.flooded,
            Self::Replaced => &mut closed.replaced,
        } += 1;
    }
}
