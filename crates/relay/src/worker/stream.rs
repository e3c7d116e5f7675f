//! Clients on TCP and TLS: taken over, heard, and taken leave of.

use std::os::fd::AsFd;
use std::sync::Arc;

use posthouse_stun::stream::{Frame, next_frame};
use posthouse_turn::Now;

use super::Worker;
use crate::arena::Arena;
use crate::engine::{Engine, Received};
use crate::sockets::{Token, Way};
use crate::stream::{End, Seated, StreamId};

impl<E: Engine> Worker<E> {
    /// Takes over the connections that wait.
    pub(super) fn adopt(&mut self, now: Now) {
        let control = Arc::clone(&self.control);
        while let Some(seated) = control.next_adopted() {
            self.adopt_one(now, seated);
        }
    }

    fn adopt_one(&mut self, now: Now, mut seated: Seated) {
        let request = std::mem::take(&mut seated.request);
        // Behind a proxy two connections may seem to come from one place: the old one is dead and does not know it.
        if let Some(old) = self.sockets.streams.find(&seated.adopted.five_tuple()) {
            self.sockets.streams.end(old, End::Replaced);
            self.take_leave(now);
        }
        let streams = &mut self.sockets.streams;
        let adopted = streams.insert(seated).and_then(|id| {
            let watched = streams.get(id).map(|c| self.engine.watch(Token::Stream(id), c.socket.as_fd()));
            if let Some(Err(e)) = watched {
                streams.close(id);
                return Err(e);
            }
            Ok(id)
        });
        match adopted {
            Ok(id) => {
                self.counters.streams.opened += 1;
                self.engine.revisit(id);
                if !request.is_empty() {
                    self.hear_request(now, id, &request);
                }
            }
            Err(error) => {
                self.counters.streams.refused += 1;
                tracing::debug!(target: "relay", %error, "cannot take over a connection");
            }
        }
    }

    /// Frames, and perhaps the beginning of one more.
    pub(super) fn stream_read(&mut self, now: Now, id: StreamId, read: &Received) {
        let Some(from) = self.sockets.streams.get(id).map(|c| c.five_tuple) else { return };
        let (mut at, mut frames, mut bytes) = (0, 0, 0);
        loop {
            let rest = Arena::frame(read.slot, at, read.len - at, read.len - at);
            let (len, advance) = match next_frame(self.arena.bytes(rest)) {
                Frame::Complete { len, advance, .. } => (len, advance),
                Frame::Incomplete { .. } => break self.keep_beginning(id, rest),
                Frame::Broken => break self.sockets.streams.end(id, End::Broken),
            };
            let place = Arena::frame(read.slot, at, len, advance);
            let forward = self.server.handle_client(now, from, self.arena.bytes(place));
            self.outputs(now, Way::Stream(id));
            if let Some(parting) = self.parting.take() {
                (frames, bytes) = (frames + 1, bytes + len);
                let request = self.arena.bytes(rest).to_vec();
                break self.part(now, id, parting, &request, advance);
            }
            if let Some(forward) = forward {
                self.forward(now, &forward, place.part(&forward.payload));
            }
            (at, frames, bytes) = (at + advance, frames + 1, bytes + len);
        }
        if frames > 0 {
            self.sockets.streams.heard(id);
            self.counters.from_clients.count(frames, bytes);
            self.counters.streams.received.count(frames, bytes);
        }
    }

    fn keep_beginning(&mut self, id: StreamId, rest: crate::arena::Place) {
        if let Some(connection) = self.sockets.streams.get_mut(id) {
            connection.beginning.keep(self.arena.bytes(rest));
        }
    }

    /// Closes the connections that have ended; their allocations end with them (RFC 8656 §3.2).
    pub(super) fn take_leave(&mut self, now: Now) {
        while let Some(id) = self.sockets.streams.next_ended() {
            let Some((gone, end)) = self.sockets.streams.get(id).and_then(|c| Some((c.five_tuple, c.end?))) else {
                continue;
            };
            self.server.handle_disconnect(now, gone);
            // What the client sent last still leaves, and so do answers on their way to it.
            self.outputs(now, Way::default());
            self.flush();
            self.sockets.streams.close(id);
            end.count(&mut self.counters.streams.closed);
            tracing::debug!(target: "relay", client = %gone.client, reason = ?end, "connection closed");
        }
    }
}
