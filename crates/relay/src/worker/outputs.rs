//! What the rules ask for besides relaying: answers and sockets.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use posthouse_turn::{
    AllocationId, BindError, BindRelayed, Bound, ConnectionId, FiveTuple, Now, Output, PortRequest,
    RelayedTransportAddress, Route, Transport,
};

use super::Worker;
use super::data_connection::Parting;
use crate::engine::Engine;
use crate::kernel::send::Piece;
use crate::outbox::Datagram;
use crate::ports::Held;
use crate::sockets::{RelayedSocket, Token, Traits, Way};

/// Between two lines about failed binds.
const COMPLAINT_EVERY: Duration = Duration::from_secs(60);

/// An [`Output`] that no longer borrows the server.
#[derive(Clone, Copy)]
enum Step {
    Bind(BindRelayed),
    Close(AllocationId, FiveTuple),
    CloseFamily(AllocationId, posthouse_stun::attribute::Family),
    ReleaseReserved(RelayedTransportAddress),
    Connect { id: ConnectionId, from: AllocationId, to: SocketAddr, route: Route },
    ClosePeer(ConnectionId),
    Part(Parting),
}

impl<E: Engine> Worker<E> {
    /// Does all that the server asks for; `way` is where the packet came in that made it ask.
    pub(super) fn outputs(&mut self, now: Now, way: Way) {
        self.answers(now, way);
        // Only clients that move ask for these.
        while let Some(step) = self.server.poll_move() {
            self.shift(now, step);
            self.answers(now, way);
        }
    }

    fn answers(&mut self, now: Now, way: Way) {
        while let Some(output) = self.server.poll_output() {
            let step = match output {
                Output::Respond { to, message } => {
                    // Copied at once into the arena, as the message lies in the server's only buffer.
                    if self.outbox.is_full() || !self.arena.has_room_for_answer(message.len()) {
                        self.engine.send(&mut self.sockets, &self.arena, &mut self.outbox, &mut self.counters);
                        self.arena.sent();
                    }
                    let piece = self.arena.answer(message);
                    self.respond(to, piece, way);
                    continue;
                }
                Output::BindRelayed(request) => Step::Bind(request),
                Output::CloseRelayed { id, client } => Step::Close(id, client),
                Output::CloseRelayedFamily { id, family } => Step::CloseFamily(id, family),
                Output::ReleaseReserved(relayed) => Step::ReleaseReserved(relayed),
                // A kernel fast path will want these.
                Output::ConnectPeer { id, from, to, route } => Step::Connect { id, from, to: to.0, route },
                Output::ClosePeer(id) => Step::ClosePeer(id),
                Output::JoinClient { id, .. } => Step::Part(Parting::Join(id)),
                Output::MoveClient { server, .. } => Step::Part(Parting::Move(server)),
                Output::BindingInstalled(_) | Output::BindingRemoved(_) => continue,
            };
            self.step(now, step, way);
        }
    }

    fn step(&mut self, now: Now, step: Step, way: Way) {
        match step {
            Step::Bind(request) => self.bind(now, request, way),
            // What the client sent before it said goodbye still leaves.
            Step::Close(id, client) => {
                self.flush();
                self.sockets.close(id);
                // The connection stays: its client may allocate anew, or idle until its time is over.
                if let Some(stream) = self.sockets.streams.find(&client) {
                    self.sockets.streams.set_allocated(stream, false);
                }
            }
            Step::CloseFamily(id, family) => {
                self.flush();
                self.sockets.close_family(id, family);
            }
            Step::Connect { id, from, to, route } => self.connect_peer(now, id, from, to, route),
            Step::ClosePeer(id) => self.data.close(id),
            // Its answer is on its way; whoever has read the request does the rest.
            Step::Part(parting) => self.parting = Some(parting),
            Step::ReleaseReserved(relayed) => self.ports.release_reserved(relayed),
        }
    }

    fn respond(&mut self, to: FiveTuple, piece: Option<Piece>, way: Way) {
        let Some(piece) = piece else { return };
        let pieces = [piece, Piece::default(), Piece::default()];
        // Nearly always the listener that the request came to, which needs no search.
        if to.transport == Transport::Udp
            && let Way::Listener(n) = way
            && let Some(l) = self.sockets.listeners.get_mut(usize::from(n)).filter(|l| l.has(to.server))
        {
            let datagram = Datagram::new(to.client, l.source(to.server), pieces);
            self.outbox.push(Token::Listener(n), &mut l.traits.queue, datagram);
        } else {
            self.queue_for_client(None, to, pieces, true);
        }
    }

    /// Binds before anything is promised; a failure is one client's 508.
    fn bind(&mut self, now: Now, request: BindRelayed, way: Way) {
        let BindRelayed { id, family, port } = request;
        let result = self.ports.bind(family, port, &mut self.random).and_then(|held| self.keep(request, held, way));
        if let Err(reason) = result {
            self.counters.bind_errors += 1;
            self.complain(now, reason);
        }
        self.server.handle_bound(now, id, family, result);
    }

    /// At most once a minute, as any client with a credential can bring it about.
    fn complain(&mut self, now: Now, reason: BindError) {
        if self.complained.is_some_and(|at| now.instant < at + COMPLAINT_EVERY) {
            return;
        }
        self.complained = Some(now.instant);
        let failed = self.counters.bind_errors;
        let (worker, taken) = (self.control.number, self.ports.taken());
        tracing::warn!(
            target: "relay", worker, ?reason, failed, ports_taken = taken,
            "no relayed socket for a client: widen the range of ports, or raise the limit of descriptors"
        );
    }

    fn keep(&mut self, request: BindRelayed, held: Held, way: Way) -> Result<Bound, BindError> {
        let token = Token::Relayed(request.id, request.family);
        let relayed = RelayedTransportAddress(self.ports.external(held.place));
        let reserved = held.reserved.map(|place| RelayedTransportAddress(self.ports.external(place)));
        let watched = match request.port {
            PortRequest::Listening => self.data.watch_listener(request.id, request.family, held.socket.as_fd()),
            _ => self.engine.watch(token, held.socket.as_fd()),
        };
        if let Err(error) = watched {
            tracing::debug!(target: "relay", %error, "cannot watch a relayed socket");
            self.ports.release(held.socket, held.place);
            if let Some(reserved) = reserved {
                self.ports.release_reserved(reserved);
            }
            return Err(BindError::NoResources);
        }
        let socket = RelayedSocket { socket: held.socket, place: held.place, traits: Traits::new() };
        self.sockets.insert(request.id, request.family, way, socket);
        if let Way::Stream(stream) = way {
            self.sockets.streams.set_allocated(stream, true);
        }
        Ok(Bound { relayed, reserved })
    }
}
