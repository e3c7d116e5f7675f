//! The sockets that one client has had, and how far each of them was served: what decides whether a message that comes
//! back from one of them may still be read in order.

use crate::Socket;

/// Sockets that are remembered. What comes back from an older one is lost.
const SOCKETS: usize = 4;

/// The last sockets, the present one at the end, and the `seq` of the last delivery on each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trail(Vec<(Socket, Option<u64>)>);

impl Trail {
    /// The client is on this socket from now on.
    pub(crate) fn move_to(&mut self, socket: Socket) {
        if self.0.len() == SOCKETS {
            self.0.remove(0);
        }
        self.0.push((socket, None));
    }

    /// The present socket was given this message.
    pub(crate) fn given(&mut self, seq: u64) {
        if let Some((_, last)) = self.0.last_mut() {
            *last = Some(seq);
        }
    }

    /// May a message that `gone` was given still be read in order? Not if a newer socket was given a later one.
    pub(crate) fn is_in_order(&self, gone: Socket, seq: u64) -> bool {
        let newer = self.0.iter().rev().take_while(|(socket, _)| *socket != gone);
        let is_known = self.0.iter().any(|(socket, _)| *socket == gone);
        is_known && newer.filter_map(|(_, last)| *last).all(|last| last < seq)
    }
}
