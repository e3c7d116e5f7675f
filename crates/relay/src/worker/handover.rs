//! Clients that move from worker to worker (RFC 8016): letters between servers, and sockets that go along.
//!
//! ```text
//! relay-1: Refresh with a ticket ──── letter ──► relay-0 has the allocation
//!          the client is answered ◄── letter ─── and keeps it, as the client may still be where it was
//! relay-1: the client's first packet is held ──► relay-0 stops reading the relayed sockets
//!          reads them, lets the packet go ◄───── allocation and sockets, open all the time
//! ```
//! What peers send meanwhile waits in the sockets. Letters are few: three for a move.

use std::os::fd::AsFd;
use std::sync::Arc;

use posthouse_stun::attribute::Family;
use posthouse_turn::{AllocationId, FiveTuple, Letter, Move, Now, Transport};

use super::Worker;
use crate::engine::Engine;
use crate::sockets::{RelayedSocket, Token, Way};

/// A letter, and the relayed sockets of the allocation that it may hold.
#[derive(Debug)]
pub(crate) struct Post {
    letter: Letter,
    sockets: Vec<(Family, RelayedSocket)>,
}

impl<E: Engine> Worker<E> {
    /// Does what a moving client asks for.
    pub(super) fn shift(&mut self, now: Now, step: Move) {
        match step {
            Move::Moved { id, from, to } => {
                let way = self.way_to(&to);
                self.sockets.set_way(id, way);
                self.leave_stream(&from);
                self.enter(now, way, to);
            }
            Move::Tell { server, letter } => self.tell(server, letter, Vec::new()),
            Move::HandOver { id, client, server, letter } => {
                // What was decided so far still leaves from here.
                self.flush();
                let sockets = self.sockets.take(id);
                for (_, socket) in &sockets {
                    self.engine.unwatch(socket.socket.as_fd());
                }
                self.leave_stream(&client);
                self.tell(server, letter, sockets);
            }
        }
    }

    fn tell(&mut self, server: u8, letter: Letter, sockets: Vec<(Family, RelayedSocket)>) {
        let post = Box::new(Post { letter, sockets });
        let worker = self.workers.get(usize::from(server)).map(Arc::clone);
        let Some(Err(post)) = worker.map(|worker| worker.deliver(post)) else { return };
        let now = crate::clock::now();
        let id = self.server.handle_undelivered(now, post.letter);
        self.attach(id, post.sockets);
    }

    /// Reads the letters that wait.
    pub(super) fn read_letters(&mut self, now: Now) {
        let control = Arc::clone(&self.control);
        while let Some(post) = control.next_post() {
            let Post { letter, sockets } = *post;
            let id = self.server.handle_letter(now, letter);
            self.attach(id, sockets);
            self.outputs(now, Way::default());
            if let Some(client) = id.and_then(|id| self.server.client(id)) {
                self.enter(now, self.way_to(&client), client);
                self.outputs(now, Way::default());
            }
            self.release_held(now);
        }
    }

    /// The relayed sockets of an allocation that came from another worker; without one they are closed.
    fn attach(&mut self, id: Option<AllocationId>, sockets: Vec<(Family, RelayedSocket)>) {
        let client = id.and_then(|id| Some((id, self.server.client(id)?)));
        for (family, socket) in sockets {
            let Some((id, client)) = client else {
                self.ports.release(socket.socket, socket.place);
                continue;
            };
            let watched = self.engine.watch(Token::Relayed(id, family), socket.socket.as_fd());
            let way = self.way_to(&client);
            self.sockets.insert(id, family, way, socket);
            if let Err(error) = watched {
                tracing::warn!(target: "relay", %error, "an allocation that moved here cannot be read: it ends");
                self.server.end_allocation(id);
            }
        }
    }

    /// What waited for an allocation goes through it.
    fn release_held(&mut self, now: Now) {
        while let Some((from, packet)) = self.server.poll_held() {
            // So that nothing has to be sent between here and the queue: it would free the packet's memory.
            self.flush();
            let Some(place) = self.arena.keep(&packet) else { continue };
            let forward = self.server.handle_client(now, from, &packet);
            self.outputs(now, self.way_to(&from));
            if let Some(forward) = forward {
                self.forward(now, &forward, place.part(&forward.payload));
            }
        }
    }

    /// The connection that an allocation came to lives as long as that does; one that broke meanwhile is told of.
    fn enter(&mut self, now: Now, way: Way, client: FiveTuple) {
        match way {
            Way::Stream(stream) => self.sockets.streams.set_allocated(stream, true),
            Way::Listener(_) if client.transport != Transport::Udp => self.server.handle_disconnect(now, client),
            Way::Listener(_) => {}
        }
    }

    /// A connection whose allocation went elsewhere serves nothing any longer.
    fn leave_stream(&mut self, client: &FiveTuple) {
        if let Some(stream) = self.sockets.streams.find(client) {
            self.sockets.streams.set_allocated(stream, false);
        }
    }

    fn way_to(&self, client: &FiveTuple) -> Way {
        let found = match client.transport {
            Transport::Udp => self.sockets.listener_for(None, client.server).map(Way::Listener),
            Transport::Tcp | Transport::Tls => self.sockets.streams.find(client).map(Way::Stream),
        };
        found.unwrap_or_default()
    }
}
