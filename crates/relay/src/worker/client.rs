//! Packets from clients: decide, then queue for a peer or for another client.

use posthouse_stun::attribute::Family;
use posthouse_turn::{
    AllocationId, FiveTuple, Forward, Now, PeerTransportAddress, RelayedTransportAddress, Route, Transport,
};

use super::Worker;
use crate::arena::{Arena, Place};
use crate::engine::{Engine, Received};
use crate::kernel::send::Piece;
use crate::outbox::Datagram;
use crate::sockets::{Token, Way};

impl<E: Engine> Worker<E> {
    /// One read of a listening socket.
    pub(super) fn client_read(&mut self, now: Now, listener: u8, read: &Received) {
        let Some(server) = self.sockets.listeners.get(usize::from(listener)).map(|l| l.server(read.local)) else {
            return;
        };
        // Nothing can be answered to port 0.
        if read.from.port() == 0 {
            return;
        }
        let from = FiveTuple { client: read.from, server, transport: Transport::Udp };
        let mut packets = 0;
        for place in Arena::datagrams(read.slot, read.len, read.segment) {
            packets += 1;
            let forward = self.server.handle_client(now, from, self.arena.bytes(place));
            self.outputs(now, Way::Listener(listener));
            if let Some(forward) = forward {
                self.forward(now, &forward, place.part(&forward.payload));
            }
        }
        self.counters.from_clients.count(packets, read.len);
    }

    pub(super) fn forward(&mut self, now: Now, forward: &Forward, payload: Place) {
        tracing::trace!(target: "relay", to = %forward.to, len = payload.len, "client to peer");
        match forward.route {
            Route::Peer => self.pass_to_peer(forward, forward.to.0, payload),
            Route::Relay => self.pass_to_relay(now, forward, payload),
        }
    }

    /// Another allocation of this server: of this worker, then no socket is asked; or of another, then the kernel
    /// carries it, from one relayed socket to the other, and only to a port that is one. Either way one hop: what
    /// arrives is for a client.
    fn pass_to_relay(&mut self, now: Now, forward: &Forward, payload: Place) {
        if let Some(receiver) = self.server.relayed(RelayedTransportAddress(forward.to.0)) {
            self.in_process(now, forward.from, receiver, forward.to.0, payload);
        } else if let Some(local) = self.ports.living(forward.to.0) {
            self.pass_to_peer(forward, local, payload);
        }
    }

    fn in_process(
        &mut self,
        now: Now,
        sender: AllocationId,
        receiver: AllocationId,
        to: std::net::SocketAddr,
        payload: Place,
    ) {
        // A stream's frame may be longer than any datagram, which this stands for.
        if payload.len > longest(to) {
            return self.counters.send_errors.too_long += 1;
        }
        let Some(socket) = self.sockets.relayed(sender, Family::of(to.ip())) else {
            return self.counters.no_socket += 1;
        };
        let from = PeerTransportAddress(self.ports.external(socket.place));
        let wrap = self.server.handle_peer(now, receiver, from, payload.len);
        self.outputs(now, Way::default());
        if let Some(wrap) = wrap {
            self.counters.in_process.count(1, payload.len);
            self.pass_to_client(Some(receiver), &wrap, payload);
        }
    }

    fn pass_to_peer(&mut self, forward: &Forward, to: std::net::SocketAddr, payload: Place) {
        let token = Token::Relayed(forward.from, Family::of(to.ip()));
        if self.outbox.is_full() {
            self.flush();
        }
        let Some(traits) = self.sockets.traits_mut(token) else {
            return self.counters.no_socket += 1;
        };
        let pieces = [Piece::default(), payload.piece(), Piece::default()];
        let mut datagram = Datagram::new(to, None, pieces);
        datagram.dont_fragment = forward.dont_fragment;
        self.outbox.push(token, &mut traits.queue, datagram);
    }
}

/// The longest payload of a datagram: 65,535 bytes without the headers of UDP and, in IPv4, of IP.
fn longest(to: std::net::SocketAddr) -> usize {
    if to.is_ipv4() { 65_507 } else { 65_527 }
}
