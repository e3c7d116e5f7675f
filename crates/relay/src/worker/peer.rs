//! Packets from peers: decide, then queue for the client with a header in front.

use posthouse_stun::attribute::Family;
use posthouse_turn::{AllocationId, FiveTuple, Now, PeerTransportAddress, Transport, Wrap};

use super::Worker;
use crate::arena::{Arena, Pieces, Place};
use crate::engine::{Engine, Received};
use crate::outbox::Datagram;
use crate::sockets::{Token, Way};

impl<E: Engine> Worker<E> {
    /// One read of a relayed socket. `named` may have lost bits of its generation on the way through the kernel.
    pub(super) fn peer_read(&mut self, now: Now, named: AllocationId, family: Family, read: &Received) {
        // The socket may have been closed by a packet of this very batch.
        let Some(id) = self.sockets.whole_id(named).filter(|&id| self.sockets.relayed(id, family).is_some()) else {
            return;
        };
        let from = PeerTransportAddress(self.ports.seen_from_outside(read.from));
        let mut packets = 0;
        for place in Arena::datagrams(read.slot, read.len, read.segment) {
            packets += 1;
            let wrap = self.server.handle_peer(now, id, from, place.len);
            self.outputs(now, Way::default());
            if let Some(wrap) = wrap {
                tracing::trace!(target: "relay", %from, len = place.len, "peer to client");
                self.pass_to_client(Some(id), &wrap, place);
            }
        }
        self.counters.from_peers.count(packets, read.len);
    }

    /// Queues a payload for a client.
    pub(super) fn pass_to_client(&mut self, id: Option<AllocationId>, wrap: &Wrap, payload: Place) {
        if self.outbox.is_full() {
            self.flush();
        }
        let (header, padding) = (wrap.header.as_bytes(), wrap.padding);
        let pieces = self.arena.wrap(payload, header, padding).or_else(|| {
            self.flush();
            self.arena.wrap(payload, header, padding)
        });
        if let Some(pieces) = pieces {
            self.queue_for_client(id, wrap.to, pieces, false);
        }
    }

    /// Queues a datagram at the listener that has the client's server address, or a frame at the client's connection.
    pub(super) fn queue_for_client(&mut self, id: Option<AllocationId>, to: FiveTuple, pieces: Pieces, answer: bool) {
        let found = match to.transport {
            Transport::Udp => self.sockets.listener_for(id, to.server),
            Transport::Tcp | Transport::Tls => return self.queue_on_stream(id, &to, pieces, answer),
        };
        let Some(listener) = found.and_then(|n| self.sockets.listeners.get_mut(usize::from(n)).map(|l| (n, l))) else {
            return self.counters.no_socket += 1;
        };
        let (n, listener) = listener;
        let datagram = Datagram::new(to.client, listener.source(to.server), pieces);
        self.outbox.push(Token::Listener(n), &mut listener.traits.queue, datagram);
    }

    fn queue_on_stream(&mut self, id: Option<AllocationId>, to: &FiveTuple, pieces: Pieces, answer: bool) {
        let Some(stream) = self.sockets.stream_for(id, to) else { return self.counters.no_socket += 1 };
        if let Some(connection) = self.sockets.streams.get_mut(stream) {
            let mut frame = Datagram::new(to.client, None, pieces);
            frame.answer = answer;
            self.outbox.push(Token::Stream(stream), &mut connection.queue, frame);
        }
    }
}
