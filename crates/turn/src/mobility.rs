//! Mobility (RFC 8016): an allocation follows its client to another 5-tuple.
//!
//! ```text
//! client                 server
//! A ── Allocate, empty MOBILITY-TICKET ──►  a ticket comes with the answer
//! A ◄═══════════ data ═══════════►
//! B ── Refresh, ticket ──────────────────►  transition: a new ticket; data still goes by A
//! B ── Send, ChannelData, a request ─────►  completed: data goes by B, A and the old ticket are forgotten
//! ```
//! B may reach another server of this process (another worker). A server that has not got the allocation asks the one
//! that has, by [`Letter`]; the allocation stays where it is until the client uses B. The first packet that does is
//! held, the allocation handed over with its sockets, and what was held goes through it. From then on it is like any
//! other allocation of its new server, so that no packet ever crosses servers and packets of others cost nothing more.

mod arrival;
mod directory;
mod handover;
mod letter;
mod resume;

use std::collections::VecDeque;

use posthouse_stun::TransactionId;

pub(crate) use arrival::{Arrivals, Arrived};
pub(crate) use directory::{Directory, Entry, Listing};
pub use letter::Letter;

use crate::allocation::Allocation;
use crate::ticket::Ticket;
use crate::{AllocationId, FiveTuple, Server, Settings};

/// What mobility asks of the shell, taken with [`Server::poll_move`] until there is none.
#[derive(Debug)]
pub enum Move {
    /// The client of an allocation is at another 5-tuple now.
    Moved {
        /// The allocation.
        id: AllocationId,
        /// Where it was; on a stream, the connection serves nothing any longer.
        from: FiveTuple,
        /// Where it is, at this same server.
        to: FiveTuple,
    },
    /// Give `letter` to [`Server::handle_letter`] of another server, or to [`Server::handle_undelivered`] of this one.
    Tell {
        /// The other server's number.
        server: u8,
        /// What it is told.
        letter: Letter,
    },
    /// The same, and the allocation's relayed sockets go with it, still open.
    HandOver {
        /// What the allocation was here. It no longer is.
        id: AllocationId,
        /// Where its client was; on a stream, the connection serves nothing any longer.
        client: FiveTuple,
        /// The other server's number.
        server: u8,
        /// The allocation.
        letter: Letter,
    },
}

/// The part of a [`Server`] that knows of moving clients.
#[derive(Debug, Default)]
pub(crate) struct Mobility {
    /// This server's number among those that share a directory.
    pub(crate) server: u8,
    pub(crate) arrivals: Arrivals,
    pub(crate) moves: VecDeque<Move>,
    /// Packets that waited for an allocation which has arrived, in order.
    pub(crate) held: VecDeque<(FiveTuple, Box<[u8]>)>,
}

/// What an allocation knows whose client may move.
#[derive(Debug)]
pub(crate) struct Mobile {
    pub(crate) entry: Entry,
    /// Of the ticket that the client was given last.
    pub(crate) serial: u32,
    /// The last move, under way or completed.
    pub(crate) transition: Option<Transition>,
}

/// A move to another 5-tuple.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transition {
    pub(crate) to: FiveTuple,
    /// The server that `to` reaches.
    pub(crate) server: u8,
    /// The Refresh that began it, to know its retransmissions.
    pub(crate) transaction: TransactionId,
    /// Of the ticket which that Refresh used.
    pub(crate) used: u32,
    /// LIFETIME in seconds as it was answered.
    pub(crate) granted: u32,
    /// The client has used `to`.
    pub(crate) completed: bool,
}

impl Mobile {
    /// The ticket that the client was given last.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket { number: self.entry.number(), serial: self.serial }
    }

    /// The ticket of the Allocate answer, for its retransmissions.
    pub(crate) fn first_ticket(&self) -> Option<Ticket> {
        self.transition.is_none().then(|| self.ticket())
    }

    /// The last ticket, and until a move is completed the one before it too: its answer may have been lost.
    fn accepts(&self, serial: u32) -> bool {
        serial == self.serial || self.under_way().is_some_and(|transition| transition.used == serial)
    }

    pub(crate) fn under_way(&self) -> Option<&Transition> {
        self.transition.as_ref().filter(|transition| !transition.completed)
    }
}

impl Server {
    /// Gives an allocation that is being made its place in the directory and its first ticket.
    pub(crate) fn make_mobile(&mut self, id: AllocationId) {
        let entry = self.shared.enter(self.mobility.server, id);
        let serial = u32::from_ne_bytes(self.entropy.take());
        if let Some(allocation) = self.table.get_mut(id) {
            allocation.mobile = Some(Box::new(Mobile { entry, serial, transition: None }));
        }
    }

    /// The client's stream is gone. `false`: it cannot come back, so the allocation ends (RFC 8656 §3.2).
    pub(crate) fn part(&mut self, id: AllocationId) -> bool {
        let Some(allocation) = self.table.get_mut(id).filter(|a| a.pending.is_none()) else { return false };
        let Some(mobile) = allocation.mobile.as_deref().filter(|_| self.settings.mobility.is_some()) else {
            return false;
        };
        match mobile.under_way().map(|transition| transition.server) {
            // "or a message from the client to close the old connection" (RFC 8016 §3.2.2)
            Some(_) => self.leave(id),
            None => self.table.set_away(id),
        }
        true
    }

    /// Completes the move that is under way.
    pub(crate) fn leave(&mut self, id: AllocationId) {
        let mobile = self.table.get(id).and_then(|allocation| allocation.mobile.as_deref());
        let Some(&Transition { to, server, .. }) = mobile.and_then(Mobile::under_way) else { return };
        if server != self.mobility.server {
            return self.hand_over(id, server);
        }
        self.mobility.arrivals.remove(&to);
        self.tell_bindings(id, crate::Output::BindingRemoved);
        let Some(allocation) = self.table.get_mut(id) else { return };
        let from = allocation.five_tuple;
        allocation.complete();
        self.table.rekey(id, to);
        self.tell_bindings(id, crate::Output::BindingInstalled);
        self.stats.allocations_moved += 1;
        self.mobility.moves.push_back(Move::Moved { id, from, to });
    }

    /// Tells the packet path outside of every living channel.
    fn tell_bindings(&mut self, id: AllocationId, tell: fn(crate::Binding) -> crate::Output<'static>) {
        let Some(allocation) = self.table.get(id) else { return };
        let bindings = allocation.channels.iter().filter_map(|channel| allocation.binding(id, channel));
        self.outputs.extend(bindings.map(tell));
    }
}

impl Allocation {
    /// The client has used its new 5-tuple. The index of 5-tuples is the caller's.
    fn complete(&mut self) {
        if let Some(transition) = self.mobile.as_deref_mut().and_then(|mobile| mobile.transition.as_mut()) {
            transition.completed = true;
        }
    }
}

impl Settings {
    /// MOBILITY-TICKET for a ticket; `None` when mobility is off.
    pub(crate) fn seal(&self, ticket: Ticket) -> Option<[u8; 32]> {
        self.mobility.as_ref().map(|key| key.seal(ticket))
    }
}
