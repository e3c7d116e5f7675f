//! [`Streams`]: the clients of one worker that came over TCP or TLS.
//!
//! ```text
//! read up to 64 KiB ─► [ beginning kept | new bytes ] ─► frames, cut where they lie ─► handle_client
//!                         └─ an incomplete frame at the end is kept for the next read (beginning.rs)
//! answers, Wraps ─► outbox ─► one gathered write a turn ─► what the kernel does not take waits (out_queue.rs)
//! ```

mod adopted;
mod beginning;
mod connection;
mod end;
mod out_queue;
mod tls;
mod wire;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use posthouse_turn::FiveTuple;

pub use adopted::Adopted;
pub(crate) use adopted::{Seat, Seated};
pub(crate) use connection::{Connection, Released};
pub(crate) use end::End;
pub(crate) use tls::RECORD_MAX;
pub(crate) use wire::{Socket, Wire};

use crate::arena::READ_MAX;
use crate::config::StreamLimits;
use crate::counters::Counters;
use crate::outbox::Outbox;

/// Names one connection for as long as it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId {
    pub(crate) index: u32,
    /// Counts the connections that had this place, modulo 2^[`Self::GENERATION_BITS`].
    pub(crate) generation: u32,
}

impl StreamId {
    pub(crate) const GENERATION_BITS: u32 = 30;
}

/// A worker's connections, when their patience ends, and which of them have ended.
#[derive(Debug)]
pub(crate) struct Streams {
    places: Vec<Place>,
    free: Vec<u32>,
    by_client: HashMap<FiveTuple, StreamId>,
    deadlines: BTreeSet<(Instant, StreamId)>,
    /// Ended by one side or the other; the worker takes leave of them at the end of its turn.
    ended: Vec<StreamId>,
    /// What TLS connections read into, before it is decrypted.
    ciphertext: Vec<u8>,
    limits: StreamLimits,
    /// The time of this turn.
    now: Instant,
}

#[derive(Debug, Default)]
struct Place {
    generation: u32,
    connection: Option<Box<Connection>>,
}

impl Streams {
    pub(crate) fn new(limits: StreamLimits, now: Instant) -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            by_client: HashMap::new(),
            deadlines: BTreeSet::new(),
            ended: Vec::new(),
            ciphertext: vec![0; READ_MAX],
            limits,
            now,
        }
    }

    /// A turn begins.
    pub(crate) fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    /// How many connections.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Takes over a connection. Look at it once without waiting for the kernel: what was read before may be all
    /// that the client says for now.
    ///
    /// # Errors
    /// More was read before than any frame has, or TLS is broken; the connection is closed.
    pub(crate) fn insert(&mut self, seated: Seated) -> io::Result<StreamId> {
        let connection = Box::new(Connection::new(seated, self.limits, self.now)?);
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            // Descriptors run out long before.
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        let id = StreamId { index, generation: place.generation };
        self.by_client.insert(connection.five_tuple, id);
        place.connection = Some(connection);
        self.schedule(id);
        Ok(id)
    }

    pub(crate) fn get(&self, id: StreamId) -> Option<&Connection> {
        let place = self.places.get(id.index as usize).filter(|p| p.generation == id.generation)?;
        place.connection.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut Connection> {
        let place = self.places.get_mut(id.index as usize).filter(|p| p.generation == id.generation)?;
        place.connection.as_deref_mut()
    }

    pub(crate) fn fd(&self, id: StreamId) -> Option<BorrowedFd<'_>> {
        self.get(id).map(|c| c.socket.as_fd())
    }

    /// The connection of a client.
    pub(crate) fn find(&self, client: &FiveTuple) -> Option<StreamId> {
        self.by_client.get(client).copied()
    }

    /// Reads what is there into `room`. Returns how many bytes at its start are to be cut into frames: none when
    /// nothing came, or when the frame that came in parts is still not whole.
    pub(crate) fn read(&mut self, id: StreamId, room: &mut [u8], counters: &mut Counters) -> usize {
        let mut ciphertext = std::mem::take(&mut self.ciphertext);
        let read = self.get_mut(id).filter(|c| c.end.is_none()).map(|c| c.read(room, &mut ciphertext, counters));
        self.ciphertext = ciphertext;
        let Some((len, end)) = read else { return 0 };
        self.settle(id, end.map_or(Ok(()), Err));
        len
    }

    /// Sends what waits in the outbox for a connection; what the kernel does not take waits in its out-queue.
    pub(crate) fn send(&mut self, id: StreamId, outbox: &Outbox, memory: &[u8], counters: &mut Counters) {
        let Some(connection) = self.get_mut(id) else { return };
        if connection.end.is_some() {
            return connection.queue = crate::outbox::Queue::default();
        }
        let result = connection.send(outbox, memory, counters);
        self.settle(id, result);
    }

    /// The kernel takes more: sends from the out-queue.
    pub(crate) fn write(&mut self, id: StreamId, counters: &mut Counters) {
        if let Some(connection) = self.get_mut(id).filter(|c| c.end.is_none()) {
            let result = connection.write_waiting(counters);
            self.settle(id, result);
        }
    }

    /// After reading and writing: patience begins or ends, and so may the connection.
    fn settle(&mut self, id: StreamId, result: Result<(), End>) {
        let now = self.now;
        if let Some(connection) = self.get_mut(id) {
            let was_stuck = connection.is_stuck();
            connection.note_progress(now);
            if connection.is_stuck() && !was_stuck {
                self.schedule(id);
            }
        }
        if let Err(end) = result {
            self.end(id, end);
        }
    }

    /// Complete frames came.
    pub(crate) fn heard(&mut self, id: StreamId) {
        let now = self.now;
        if let Some(connection) = self.get_mut(id) {
            connection.heard(now);
        }
    }

    /// An allocation of this connection began, or it has none any longer.
    pub(crate) fn set_allocated(&mut self, id: StreamId, allocated: bool) {
        let now = self.now;
        if let Some(connection) = self.get_mut(id) {
            connection.set_allocated(allocated, now);
            self.schedule(id);
        }
    }

    /// The connection shall end with this turn. The first reason stands.
    pub(crate) fn end(&mut self, id: StreamId, end: End) {
        if let Some(connection) = self.get_mut(id).filter(|c| c.end.is_none()) {
            connection.end = Some(end);
            self.ended.push(id);
        }
    }

    /// One that has ended and was not taken leave of.
    pub(crate) fn next_ended(&mut self) -> Option<StreamId> {
        self.ended.pop()
    }

    /// Closes a connection and frees all it had.
    pub(crate) fn close(&mut self, id: StreamId) {
        let Some(mut connection) = self.take(id) else { return };
        connection.say_goodbye();
        if let Some(at) = connection.scheduled {
            self.deadlines.remove(&(at, id));
        }
        if self.find(&connection.five_tuple) == Some(id) {
            self.by_client.remove(&connection.five_tuple);
        }
    }

    /// Gives a connection out of hand, open. `None` when it has ended, which is left to those who take leave of it.
    pub(crate) fn release(&mut self, id: StreamId) -> Option<Released> {
        self.get(id).filter(|c| c.end.is_none())?;
        let connection = self.take(id)?;
        if let Some(at) = connection.scheduled {
            self.deadlines.remove(&(at, id));
        }
        if self.find(&connection.five_tuple) == Some(id) {
            self.by_client.remove(&connection.five_tuple);
        }
        Some(connection.release())
    }

    fn take(&mut self, id: StreamId) -> Option<Box<Connection>> {
        let place = self.places.get_mut(id.index as usize).filter(|p| p.generation == id.generation)?;
        let connection = place.connection.take()?;
        place.generation = (place.generation + 1) & ((1 << StreamId::GENERATION_BITS) - 1);
        self.free.push(id.index);
        Some(connection)
    }

    /// Puts a connection in its place among the deadlines, if its patience ends earlier than was known. One that ends
    /// later is found out when the earlier deadline comes.
    fn schedule(&mut self, id: StreamId) {
        let limits = self.limits;
        let Some(connection) = self.get_mut(id) else { return };
        let Some((due, _)) = connection.due(&limits) else { return };
        let old = connection.scheduled;
        if old.is_some_and(|old| old <= due) {
            return;
        }
        connection.scheduled = Some(due);
        if let Some(old) = old {
            self.deadlines.remove(&(old, id));
        }
        self.deadlines.insert((due, id));
    }

    /// When [`Self::expire`] has something to look at.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    /// Ends the connections whose patience is over.
    pub(crate) fn expire(&mut self) {
        let (now, limits) = (self.now, self.limits);
        while let Some(&(at, id)) = self.deadlines.first().filter(|(at, _)| *at <= now) {
            self.deadlines.remove(&(at, id));
            let Some(connection) = self.get_mut(id) else { continue };
            connection.scheduled = None;
            match connection.due(&limits) {
                Some((due, end)) if due <= now => self.end(id, end),
                _ => self.schedule(id),
            }
        }
    }

    /// Ends all of them in good manners.
    pub(crate) fn close_all(&mut self) {
        for index in 0..self.places.len() as u32 {
            let generation = self.places[index as usize].generation;
            self.close(StreamId { index, generation });
        }
    }
}
