//! TCP allocations: peers connected to and accepted, client data connections joined and handed over, bytes moved.

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

use posthouse_stun::attribute::Family;
use posthouse_stun::stream::{Frame, next_frame};
use posthouse_turn::{AllocationId, ConnectionId, Now, PeerTransportAddress, Route};

use super::Worker;
use crate::arena::BEGINNING_MAX;
use crate::data_connection::{self, Became, DataConnections, Told};
use crate::engine::Engine;
use crate::sockets::Way;
use crate::stream::{End, StreamId};

/// Peers accepted at one relayed transport address in a row.
const ACCEPT_MAX: usize = 16;

/// What becomes of the connection that a ConnectionBind came on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parting {
    /// It is the client data connection of this peer data connection.
    Join(ConnectionId),
    /// It goes to the worker of this number.
    Move(u8),
}

impl<E: Engine> Worker<E> {
    /// The set of data connections has something to tell.
    pub(super) fn data_read(&mut self, now: Now) {
        self.counters.calls.wait += 1;
        if let Err(error) = self.data.look() {
            return tracing::debug!(target: "relay", %error, "cannot look at data connections");
        }
        let mut moved = 0;
        while !DataConnections::is_enough(moved)
            && let Some(told) = self.data.next_told()
        {
            match told {
                Told::Listener(id, family) => self.accept_peers(now, id, family),
                Told::Connecting(id) => self.note_connected(now, id),
                Told::Data(id) => moved += self.work(now, id),
            }
        }
    }

    /// Time passes for data connections.
    pub(super) fn pass_data_time(&mut self, now: Now) {
        for id in self.data.take_paused(now.instant) {
            self.work(now, id);
        }
        while let Some(id) = self.data.take_lingering(now.instant) {
            self.data.close(id);
            self.server.handle_connection_closed(id);
        }
    }

    /// Listeners that were ignored for want of descriptors are heard again.
    pub(super) fn hear_listeners(&mut self) {
        for (id, family) in self.data.take_deaf() {
            if let Some(listener) = self.sockets.relayed(id, family) {
                // At worst it stays deaf until its allocation ends.
                let _ = self.data.watch_listener(id, family, listener.socket.as_fd());
            }
        }
    }

    fn work(&mut self, now: Now, id: ConnectionId) -> usize {
        let (server, counters) = (&mut self.server, &mut self.counters);
        let mut pass = |direction, len| server.handle_data(now, id, direction, len);
        match self.data.work(now.instant, id, counters, &mut pass) {
            Became::Open(moved) => moved,
            Became::Closed => {
                self.server.handle_connection_closed(id);
                0
            }
        }
    }

    fn accept_peers(&mut self, now: Now, named: AllocationId, family: Family) {
        let Some(id) = self.sockets.whole_id(named) else { return };
        for _ in 0..ACCEPT_MAX {
            let Some(listener) = self.sockets.relayed(id, family) else { return };
            match data_connection::accept(listener.socket.as_fd()) {
                Ok((stream, from)) => self.accept_peer(now, id, stream, from),
                Err(e)
                    if matches!(e.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) =>
                {
                    return self.data.ignore_listener(id, family, listener.socket.as_fd());
                }
                // Nobody, or one who is gone already: if there are others, they are told of again.
                Err(_) => return,
            }
        }
    }

    /// Without a permission, or a descriptor to spare, it is closed again.
    fn accept_peer(&mut self, now: Now, at: AllocationId, stream: std::net::TcpStream, from: SocketAddr) {
        if !self.ports.has_room_for(stream.as_raw_fd()) {
            return;
        }
        let from = PeerTransportAddress(self.ports.connected_from(from));
        if let Some(id) = self.server.handle_accepted(now, at, from) {
            self.data.insert(id, stream, false);
        }
        self.outputs(now, Way::default());
    }

    /// Begins a connection; what cannot even begin has failed.
    pub(super) fn connect_peer(
        &mut self,
        now: Now,
        id: ConnectionId,
        from: AllocationId,
        to: SocketAddr,
        route: Route,
    ) {
        let to = match route {
            Route::Peer => Some(to),
            Route::Relay => self.ports.listening(to),
        };
        let from = to.and_then(|to| self.sockets.relayed(from, Family::of(to.ip())));
        let from = from.map(|socket| SocketAddr::new(self.ports.local_ip(socket.place), socket.place.port));
        let begun = from.zip(to).and_then(|(from, to)| match data_connection::connect(from, to) {
            Ok(stream) => Some(stream).filter(|stream| self.ports.has_room_for(stream.as_raw_fd())),
            Err(error) => {
                tracing::debug!(target: "relay", %error, "cannot connect to a peer");
                None
            }
        });
        match begun {
            Some(stream) => self.data.insert(id, stream, true),
            None => self.server.handle_connected(now, id, false),
        }
    }

    fn note_connected(&mut self, now: Now, id: ConnectionId) {
        let Some(connected) = self.data.has_connected(id) else { return };
        if !connected {
            self.data.close(id);
        }
        self.server.handle_connected(now, id, connected);
        self.outputs(now, Way::default());
    }

    /// A ConnectionBind was answered, or is another worker's to answer. `request` begins with it and takes `advance` bytes
    /// of it; what follows is for the peer.
    pub(super) fn part(&mut self, now: Now, stream: StreamId, parting: Parting, request: &[u8], advance: usize) {
        // The answer leaves as the last message.
        self.flush();
        if let Some(connection) = self.sockets.streams.get(stream) {
            self.engine.unwatch(connection.socket.as_fd());
        }
        let released = self.sockets.streams.release(stream);
        match (parting, released) {
            (Parting::Join(id), Some(released)) => {
                self.counters.data_connections.joined += 1;
                let (side, owed) = released.into_side();
                self.data.join(id, side, &request[advance..], &owed);
                self.work(now, id);
            }
            // It broke while it was answered.
            (Parting::Join(id), None) => {
                self.data.close(id);
                self.server.handle_connection_closed(id);
            }
            (Parting::Move(worker), Some(released)) => {
                let worker = self.workers.get(usize::from(worker));
                let moved = released.into_adopted();
                if worker.zip(moved).is_some_and(|(worker, adopted)| worker.hand_over(adopted, request.to_vec())) {
                    self.counters.data_connections.handed_over += 1;
                }
            }
            (Parting::Move(_), None) => {}
        }
    }

    /// The first request of a connection that another worker handed over, and all that came behind it.
    pub(super) fn hear_request(&mut self, now: Now, stream: StreamId, bytes: &[u8]) {
        let Some(from) = self.sockets.streams.get(stream).map(|c| c.five_tuple) else { return };
        let Frame::Complete { len, advance, .. } = next_frame(bytes) else { return };
        // Never a packet to relay: it is a ConnectionBind.
        let _ = self.server.handle_client(now, from, &bytes[..len]);
        self.outputs(now, Way::Stream(stream));
        self.counters.from_clients.count(1, len);
        if let Some(parting) = self.parting.take() {
            return self.part(now, stream, parting, bytes, advance);
        }
        self.sockets.streams.heard(stream);
        let rest = &bytes[advance..];
        match self.sockets.streams.get_mut(stream) {
            Some(connection) if rest.len() <= BEGINNING_MAX => connection.beginning.keep(rest),
            _ => self.sockets.streams.end(stream, End::Broken),
        }
    }
}
