//! [`Farewells`]: the Refresh requests that ended something, so that their retransmissions are answered alike.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use posthouse_stun::TransactionId;

use crate::FiveTuple;

/// "For 40 seconds" a retransmission may come (RFC 8489 §6.3.1).
const REMEMBERED: Duration = Duration::from_secs(40);

/// More than these are forgotten earlier: then a retransmission gets 437, which also tells the client that the
/// allocation is gone (RFC 8656 §8.3).
const KEPT: usize = 256;

/// A Refresh with lifetime zero is the one request that, processed again, would be answered otherwise (437 or 443),
/// although "the server recognize this case and treat the request as idempotent" (RFC 8656 §5).
#[derive(Debug, Default)]
pub(crate) struct Farewells(VecDeque<Farewell>);

#[derive(Debug)]
struct Farewell {
    until: Instant,
    from: FiveTuple,
    transaction: TransactionId,
}

impl Farewells {
    /// The request was obeyed.
    pub(crate) fn remember(&mut self, now: Instant, from: FiveTuple, transaction: TransactionId) {
        while self.0.pop_front_if(|oldest| oldest.until <= now).is_some() {}
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Farewell { until: now + REMEMBERED, from, transaction });
    }

    /// The request is one that was obeyed a moment ago.
    pub(crate) fn knows(&self, now: Instant, from: &FiveTuple, transaction: TransactionId) -> bool {
        self.0.iter().any(|f| now < f.until && f.transaction == transaction && f.from == *from)
    }
}
