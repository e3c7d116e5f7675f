//! What a member has asked for: each request is done once, however often it is sent.

use std::collections::VecDeque;

use crate::Refusal;

/// Refusals that are remembered. A client with more unanswered failures than this has other troubles.
const REMEMBERED: usize = 128;

/// The requests of one member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Requests {
    /// The highest id that was done.
    last: u64,
    /// Those that were refused, oldest first; all others succeeded.
    refused: VecDeque<(u64, Refusal)>,
    /// Up to here a refusal may have been forgotten.
    forgotten: u64,
}

impl Requests {
    pub(super) fn since(id: u64) -> Self {
        Self { last: id, ..Self::default() }
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The answer that was given, if it was done already.
    pub(super) fn answer(&self, id: u64) -> Option<Result<(), Refusal>> {
        if id > self.last {
            return None;
        }
        if id <= self.forgotten {
            return Some(Err(Refusal::Forgotten));
        }
        let refusal = self.refused.iter().find(|(refused, _)| *refused == id).map(|(_, refusal)| *refusal);
        Some(refusal.map_or(Ok(()), Err))
    }

    pub(super) fn done(&mut self, id: u64, answer: Result<(), Refusal>) {
        self.last = id;
        let Err(refusal) = answer else { return };
        if self.refused.len() == REMEMBERED {
            self.forgotten = self.refused.pop_front().map_or(0, |(id, _)| id);
        }
        self.refused.push_back((id, refusal));
    }
}
