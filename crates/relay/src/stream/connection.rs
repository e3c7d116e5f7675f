//! [`Connection`]: one client's socket, and what waits on its way in and out.

use std::io::{self, IoSlice};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use posthouse_turn::FiveTuple;
use socket2::{SockRef, TcpKeepalive};

use super::beginning::Beginning;
use super::out_queue::{Admission, Kind, OutQueue};
use super::wire::{Socket, Wire};
use super::{Adopted, End, Seat, Seated, tls};
use crate::arena::BEGINNING_MAX;
use crate::config::StreamLimits;
use crate::counters::Counters;
use crate::data_connection::{Side, UNACKNOWLEDGED};
use crate::kernel::send::Piece;
use crate::outbox::{Datagram, Outbox, Queue};

/// What the kernel may hold that was never on the wire; the rest waits with us, where it can be dropped.
const UNSENT_MAX: u32 = 128 << 10;

/// One client over TCP or TLS.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: TcpStream,
    wire: Wire,
    pub(crate) five_tuple: FiveTuple,
    /// What waits in the outbox for the end of the turn.
    pub(crate) queue: Queue,
    /// Whether the engine was asked to tell when the kernel takes more.
    pub(crate) wants_room: bool,
    pub(crate) beginning: Beginning,
    waiting: OutQueue,
    /// Whether the client has an allocation.
    allocated: bool,
    /// Whether a complete frame ever came.
    spoken: bool,
    /// When it was adopted, spoke last, or lost its allocation.
    active: Instant,
    /// The kernel took bytes since [`Self::note_progress`].
    moved: bool,
    /// Since when the kernel has taken nothing of what waits.
    stuck_since: Option<Instant>,
    /// Its place among the deadlines.
    pub(crate) scheduled: Option<Instant>,
    /// Why it is about to be closed.
    pub(crate) end: Option<End>,
    seat: Seat,
}

/// A connection that leaves the [`super::Streams`].
#[derive(Debug)]
pub(crate) struct Released {
    socket: TcpStream,
    wire: Wire,
    five_tuple: FiveTuple,
    /// Answers that the kernel did not take yet.
    waiting: OutQueue,
    seat: Seat,
}

impl Released {
    /// A client data connection, and what the client must hear before anything else.
    pub(crate) fn into_side(self) -> (Side, Vec<u8>) {
        let (front, back) = self.waiting.as_slices();
        let owed = [front, back].concat();
        // Whoever reads slowly is waited for.
        let _ = SockRef::from(&self.socket).set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        (Side::client(self.socket, self.wire, self.seat), owed)
    }

    /// For another worker. `None`, and it is closed, when the client does not even read the answers to what it asked.
    pub(crate) fn into_adopted(self) -> Option<Adopted> {
        let FiveTuple { client, server, .. } = self.five_tuple;
        let tls = match self.wire {
            Wire::Tcp => None,
            Wire::Tls(tls) => Some(tls),
        };
        let adopted = Adopted { stream: self.socket, tls, early: Vec::new(), client, server };
        self.waiting.is_empty().then_some(adopted)
    }
}

impl Connection {
    /// # Errors
    /// More was read before than any frame has, TLS is broken, or the socket is.
    pub(crate) fn new(seated: Seated, limits: StreamLimits, now: Instant) -> io::Result<Self> {
        let Seated { adopted, seat, .. } = seated;
        let five_tuple = adopted.five_tuple();
        let (mut early, mut wire) = (adopted.early, Wire::Tcp);
        if let Some(mut tls) = adopted.tls {
            early.extend(tls::unread(&mut tls)?);
            wire = Wire::Tls(tls);
        }
        if early.len() > BEGINNING_MAX {
            return Err(io::Error::other("more than one frame's bytes were read before"));
        }
        prepare(&adopted.stream, limits.stalled)?;
        Ok(Self {
            socket: adopted.stream,
            wire,
            five_tuple,
            queue: Queue::default(),
            wants_room: false,
            beginning: Beginning::new(early),
            waiting: OutQueue::new(limits.queue),
            allocated: false,
            spoken: false,
            active: now,
            moved: false,
            stuck_since: None,
            scheduled: None,
            end: None,
            seat,
        })
    }

    /// Reads once into `room`. Returns how many bytes at its start are to be cut, and whether they are the last.
    pub(crate) fn read(
        &mut self,
        room: &mut [u8],
        ciphertext: &mut [u8],
        counters: &mut Counters,
    ) -> (usize, Option<End>) {
        let held = self.beginning.len();
        let (wire, mut socket) = self.io(counters);
        let (n, end) = wire.read(&mut socket, &mut room[held..], ciphertext);
        (self.beginning.join(room, n), end)
    }

    /// Whether something waits for the kernel.
    pub(crate) fn waits(&self) -> bool {
        !self.waiting.is_empty() || self.wire.waits()
    }

    /// Sends what waits in the outbox, all in one write; keeps what the kernel does not take. Behind what waits
    /// already nothing is tried: the kernel tells when it takes more.
    pub(crate) fn send(&mut self, outbox: &Outbox, memory: &[u8], counters: &mut Counters) -> Result<(), End> {
        let queue = std::mem::take(&mut self.queue);
        let taken = if self.waits() { 0 } else { self.send_now(outbox, queue, memory, counters)? };
        let mut end = 0;
        for frame in outbox.queued(queue) {
            let start = end;
            end += frame.len();
            if end > taken && !self.keep(frame, taken.saturating_sub(start), memory)? {
                counters.streams.dropped += 1;
                continue;
            }
            counters.to_clients.count(1, frame.len());
            counters.streams.sent.count(1, frame.len());
        }
        Ok(())
    }

    fn send_now(
        &mut self,
        outbox: &Outbox,
        queue: Queue,
        memory: &[u8],
        counters: &mut Counters,
    ) -> Result<usize, End> {
        let pieces = |frame: &Datagram| frame.pieces.map(|piece| IoSlice::new(piece.of(memory)));
        let (wire, mut socket) = self.io(counters);
        let written = wire.write_frames(&mut socket, outbox.queued(queue).map(pieces))?;
        self.moved |= written.moved;
        Ok(written.taken)
    }

    /// Keeps a frame without its first `gone` bytes. False when it is dropped.
    fn keep(&mut self, frame: &Datagram, gone: usize, memory: &[u8]) -> Result<bool, End> {
        let kind = match gone {
            0 if frame.answer => Kind::Answer,
            0 => Kind::Media,
            _ => Kind::Begun,
        };
        match self.waiting.admit(kind, frame.len() - gone) {
            Admission::Dropped => return Ok(false),
            Admission::Overflow => return Err(End::Flooded),
            Admission::Waits => {}
        }
        let mut gone = gone;
        for piece in frame.pieces {
            let bytes = Piece::of(piece, memory);
            let skipped = gone.min(bytes.len());
            gone -= skipped;
            self.waiting.append(&bytes[skipped..]);
        }
        Ok(true)
    }

    /// The kernel takes more.
    pub(crate) fn write_waiting(&mut self, counters: &mut Counters) -> Result<(), End> {
        let waiting = std::mem::replace(&mut self.waiting, OutQueue::new(0));
        let (front, back) = waiting.as_slices();
        let result = self.write(&mut [IoSlice::new(front), IoSlice::new(back)], counters);
        self.waiting = waiting;
        self.waiting.consume(result?);
        Ok(())
    }

    fn write(&mut self, slices: &mut [IoSlice<'_>], counters: &mut Counters) -> Result<usize, End> {
        let (wire, mut socket) = self.io(counters);
        let written = wire.write(&mut socket, slices)?;
        self.moved |= written.moved;
        Ok(written.taken)
    }

    fn io<'s>(&'s mut self, counters: &'s mut Counters) -> (&'s mut Wire, Socket<'s>) {
        let calls = &mut counters.calls;
        (&mut self.wire, Socket { stream: &self.socket, reads: &mut calls.read, writes: &mut calls.write })
    }

    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck_since.is_some()
    }

    /// After reading and writing.
    pub(crate) fn note_progress(&mut self, now: Instant) {
        let moved = std::mem::take(&mut self.moved);
        self.stuck_since = match self.stuck_since {
            _ if !self.waits() => None,
            Some(since) if !moved => Some(since),
            _ => Some(now),
        };
    }

    /// Complete frames came.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.spoken = true;
        self.active = now;
    }

    pub(crate) fn set_allocated(&mut self, allocated: bool, now: Instant) {
        self.allocated = allocated;
        self.active = now;
    }

    /// When patience with this client ends, and which.
    pub(crate) fn due(&self, limits: &StreamLimits) -> Option<(Instant, End)> {
        let speech = match (self.spoken, self.allocated) {
            (false, _) => Some((self.active + limits.first_message, End::Silent)),
            (true, false) => Some((self.active + limits.idle, End::Idle)),
            (true, true) => None,
        };
        let stall = self.stuck_since.map(|since| (since + limits.stalled, End::Stalled));
        speech.into_iter().chain(stall).min_by_key(|(at, _)| *at)
    }

    /// It leaves, open.
    pub(super) fn release(self) -> Released {
        let Self { socket, wire, five_tuple, waiting, seat, .. } = self;
        Released { socket, wire, five_tuple, waiting, seat }
    }

    /// TLS says that it ends (RFC 8446 §6.1); whether the client still hears it does not matter.
    pub(crate) fn say_goodbye(&mut self) {
        if let Wire::Tls(tls) = &mut self.wire {
            tls.send_close_notify();
            let (mut reads, mut writes) = (0, 0);
            let mut socket = Socket { stream: &self.socket, reads: &mut reads, writes: &mut writes };
            let _ = tls::flush(tls, &mut socket);
        }
    }
}

/// A client that vanished is noticed by probes on a quiet connection, or because nobody acknowledges what was sent. The
/// kernel is to wait twice as long as we do: where something waits with us too, our own rule decides.
fn prepare(socket: &TcpStream, patience: Duration) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let socket = SockRef::from(socket);
    // Each of these only makes things better; a socket that is closed already tells when it is read.
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_notsent_lowat(UNSENT_MAX);
    let _ = socket.set_tcp_user_timeout(Some(2 * patience));
    let probes = TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10));
    let _ = socket.set_tcp_keepalive(&probes);
    Ok(())
}
