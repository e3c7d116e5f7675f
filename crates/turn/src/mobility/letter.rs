//! [`Letter`]: what servers of one process tell each other about a client that moves between them.

use crate::allocation::Allocation;
use crate::mobility::resume::Resume;
use crate::{AllocationId, FiveTuple, Now, Server};

/// Told by [`crate::Move`], heard by [`Server::handle_letter`]. A shell only carries it; one that is lost costs at most
/// a retransmission, except one that came by [`crate::Move::HandOver`], which is an allocation.
#[derive(Debug)]
pub struct Letter(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    /// A client of mine shows this ticket, and you have the allocation.
    Resume(Box<Resume>),
    /// The answer to that, for the client.
    Answer(Answer),
    /// The client uses its new 5-tuple: hand over.
    Claim(Claim),
    /// There is nothing to hand over.
    Lost(Claim),
    /// Here it is.
    Handover(Box<Allocation>),
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) to: FiveTuple,
    pub(super) message: Vec<u8>,
    /// The allocation's number and its lifetime in seconds, when it may move.
    pub(super) promised: Option<(u32, u32)>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) number: u32,
    /// Where the client is.
    pub(super) to: FiveTuple,
    /// Who claims.
    pub(super) server: u8,
}

impl Server {
    /// What another server told. An allocation that came with it has a name here: the relayed sockets that came along
    /// are that allocation's, and without one they are to be closed. Then poll outputs, moves and [`Self::poll_held`].
    pub fn handle_letter(&mut self, now: Now, letter: Letter) -> Option<AllocationId> {
        match letter.0 {
            Kind::Resume(resume) => self.resume_by_letter(now, *resume),
            Kind::Answer(answer) => self.pass_on(now, &answer),
            Kind::Claim(claim) => self.claimed(now, claim),
            Kind::Lost(claim) => self.forget_arrival(claim),
            Kind::Handover(allocation) => return self.take_over(now, allocation),
        }
        None
    }

    /// A letter of this server that could not be delivered. As with [`Self::handle_letter`], an allocation may be back.
    pub fn handle_undelivered(&mut self, _now: Now, letter: Letter) -> Option<AllocationId> {
        match letter.0 {
            Kind::Handover(allocation) => Some(self.take_back(allocation)),
            // Whoever waits asks again.
            _ => None,
        }
    }

    /// The next packet that waited for an allocation which has arrived: hand it to [`Self::handle_client`].
    pub fn poll_held(&mut self) -> Option<(FiveTuple, Box<[u8]>)> {
        self.mobility.held.pop_front()
    }

    /// An answer of the server that has the allocation, to a client of ours.
    fn pass_on(&mut self, now: Now, answer: &Answer) {
        if let Some((number, lifetime)) = answer.promised {
            self.mobility.arrivals.expect_elsewhere(now, answer.to, number, lifetime);
        }
        let message = &answer.message;
        self.response.write(answer.to, |buffer| {
            buffer[..message.len()].copy_from_slice(message);
            Ok(message.len())
        });
    }

    fn forget_arrival(&mut self, claim: Claim) {
        self.stats.drops.no_allocation += self.mobility.arrivals.forget(&claim.to, claim.number) as u64;
    }
}
