//! [`Control`]: how other threads speak to a worker and hear from it. Nothing of it is on the packet path.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use posthouse_turn::{AllocationId, AllocationView, FiveTuple, Now, Settings, Stats, Traffic};

use super::Worker;
use super::handover::Post;
use crate::counters::Counters;
use crate::engine::Engine;
use crate::kernel::clock::used_by_this_thread;
use crate::kernel::wake::Wake;
use crate::sockets::Way;
use crate::stream::{Adopted, Seat, Seated};

/// Commands that wait for one worker; more are refused.
const COMMANDS: usize = 64;

/// Connections that wait for one worker to take them over; more are refused. They wait apart from commands, so that no
/// crowd of clients keeps an operator from being heard.
const ADOPTED: usize = 1024;

/// A worker that gave no sign of life for so long hangs.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// Letters that wait for one worker; more come back to their sender.
const LETTERS: usize = 1024;

/// Something to do between two batches.
pub(crate) enum Command {
    /// The settings in [`Control`] are new.
    Reload,
    /// End every allocation of a user id.
    EndUser(Box<str>),
    /// End one allocation; was it there?
    EndAllocation(AllocationId, SyncSender<bool>),
    /// Tell the allocations from this place of the table on, so many as packets can wait for.
    Allocations(usize, SyncSender<Part>),
}

/// Some of a worker's allocations.
pub(crate) struct Part {
    pub(crate) allocations: Vec<Allocation>,
    /// The place to go on from.
    pub(crate) next: Option<usize>,
}

/// Places of the table that are looked at in one go: some 50 us.
const PLACES: usize = 512;

/// One allocation as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// The worker that has it.
    pub worker: usize,
    /// Its name on that worker.
    pub id: AllocationId,
    /// Whose it is: the user id of the credential, perhaps empty.
    pub user: Box<str>,
    /// The client, where it reached us and how.
    pub client: FiveTuple,
    /// The relayed transport addresses, IPv4 first.
    pub relayed: Vec<SocketAddr>,
    /// Addresses it has a permission for.
    pub permissions: usize,
    /// Channels that are bound.
    pub channels: usize,
    /// Peer data connections of a TCP allocation; `None`: it relays datagrams.
    pub connections: Option<usize>,
    /// Client to peers.
    pub forwarded: Traffic,
    /// Peers to client.
    pub wrapped: Traffic,
    /// How long it has been there.
    pub age: Duration,
    /// How long it stays unless refreshed.
    pub expires_in: Duration,
}

impl Allocation {
    fn new(worker: usize, now: Instant, view: &AllocationView<'_>) -> Self {
        Self {
            worker,
            id: view.id,
            user: view.user.into(),
            client: view.client,
            relayed: [view.relayed_v4, view.relayed_v6].into_iter().flatten().map(|r| r.0).collect(),
            permissions: view.permissions,
            channels: view.channels,
            connections: view.connections,
            forwarded: view.forwarded,
            wrapped: view.wrapped,
            age: now.saturating_duration_since(view.created),
            expires_in: view.expires.saturating_duration_since(now),
        }
    }
}

/// What one worker published last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerStats {
    /// What it did with packets and sockets.
    pub counters: Counters,
    /// What the rules decided.
    pub turn: Stats,
    /// Allocations that it has now.
    pub allocations: u64,
    /// Relayed sockets that it has now.
    pub relayed_sockets: u64,
    /// Connections that it has now.
    pub streams: u64,
    /// Peer data connections of TCP allocations that it has now, those under way included.
    pub data_connections: u64,
    /// Processor time of its thread since that began; what it has done in one of its lives counts in the next.
    pub processor: Duration,
    /// Times that it began anew after a panic.
    pub restarts: u64,
}

/// Between one worker and the rest of the process. On cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Control {
    pub(crate) number: usize,
    pub(crate) wake: Arc<Wake>,
    commands: SyncSender<Command>,
    inbox: Mutex<Receiver<Command>>,
    adopted: SyncSender<Box<Seated>>,
    waiting: Mutex<Receiver<Box<Seated>>>,
    letters: SyncSender<Box<Post>>,
    letterbox: Mutex<Receiver<Box<Post>>>,
    /// Connections that it has, or that wait for it.
    load: Arc<AtomicUsize>,
    settings: Mutex<Arc<Settings>>,
    stop: AtomicBool,
    /// Milliseconds on the clock of `start` at the last tick.
    alive: AtomicU64,
    start: Instant,
    published: Mutex<WorkerStats>,
    restarts: AtomicU64,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Reload => "Reload",
            Self::EndUser(_) => "EndUser",
            Self::EndAllocation(..) => "EndAllocation",
            Self::Allocations(..) => "Allocations",
        })
    }
}

impl Control {
    pub(crate) fn new(number: usize, settings: Arc<Settings>) -> std::io::Result<Self> {
        let (commands, inbox) = sync_channel(COMMANDS);
        let (adopted, waiting) = sync_channel(ADOPTED);
        let (letters, letterbox) = sync_channel(LETTERS);
        Ok(Self {
            number,
            wake: Arc::new(Wake::new()?),
            commands,
            inbox: Mutex::new(inbox),
            adopted,
            waiting: Mutex::new(waiting),
            letters,
            letterbox: Mutex::new(letterbox),
            load: Arc::default(),
            settings: Mutex::new(settings),
            stop: AtomicBool::new(false),
            alive: AtomicU64::new(0),
            start: Instant::now(),
            published: Mutex::default(),
            restarts: AtomicU64::new(0),
        })
    }

    /// False when too many commands wait already: the worker hangs.
    pub(crate) fn tell(&self, command: Command) -> bool {
        let told = match self.commands.try_send(command) {
            Ok(()) => true,
            // New settings lie in their place, and somebody told it to look already.
            Err(TrySendError::Full(Command::Reload)) => true,
            Err(_) => false,
        };
        self.wake.wake();
        told
    }

    /// Connections that it has, or that wait for it.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Hands over a connection. False when too many wait already, or the worker stops; it is closed then.
    pub(crate) fn adopt(&self, adopted: Adopted) -> bool {
        self.seat(adopted, Vec::new())
    }

    /// Hands over a connection of another worker: `request` is what it said and nobody answered. False when this worker
    /// gives no sign of life, or as above.
    pub(crate) fn hand_over(&self, adopted: Adopted, request: Vec<u8>) -> bool {
        self.is_alive() && self.seat(adopted, request)
    }

    fn seat(&self, adopted: Adopted, request: Vec<u8>) -> bool {
        let seated = Box::new(Seated { adopted, seat: Seat::take(&self.load), request });
        let taken = !self.stopping() && self.adopted.try_send(seated).is_ok();
        self.wake.wake();
        taken
    }

    /// The next connection that waits.
    pub(crate) fn next_adopted(&self) -> Option<Seated> {
        lock(&self.waiting).try_recv().ok().map(|seated| *seated)
    }

    /// Delivers what another worker sends.
    ///
    /// # Errors
    /// Gives it back when too much waits already, or the worker stops or hangs.
    pub(super) fn deliver(&self, post: Box<Post>) -> Result<(), Box<Post>> {
        if self.stopping() || !self.is_alive() {
            return Err(post);
        }
        let delivered = self.letters.try_send(post).map_err(|e| match e {
            TrySendError::Full(post) | TrySendError::Disconnected(post) => post,
        });
        self.wake.wake();
        delivered
    }

    /// The next letter that waits.
    pub(super) fn next_post(&self) -> Option<Box<Post>> {
        lock(&self.letterbox).try_recv().ok()
    }

    /// New settings; a worker that begins anew will find them too.
    pub(crate) fn apply(&self, settings: Arc<Settings>) {
        *lock(&self.settings) = settings;
        self.tell(Command::Reload);
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&lock(&self.settings))
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake.wake();
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// How long ago the worker gave its last sign of life.
    pub(crate) fn silent_for(&self) -> Duration {
        self.start.elapsed().saturating_sub(Duration::from_millis(self.alive.load(Ordering::Relaxed)))
    }

    /// It gave a sign of life not long ago.
    pub(crate) fn is_alive(&self) -> bool {
        self.silent_for() < SILENCE_MAX
    }

    pub(crate) fn stats(&self) -> WorkerStats {
        *lock(&self.published)
    }

    /// The worker begins anew; its counters begin at zero.
    pub(crate) fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }
}

impl<E: Engine> Worker<E> {
    /// Works off letters and commands. A letter that was sent before a command is read before it, so that nothing that is
    /// on its way between workers escapes.
    pub(super) fn obey(&mut self, now: Now) {
        let control = Arc::clone(&self.control);
        let inbox = lock(&control.inbox);
        self.read_letters(now);
        while let Ok(command) = inbox.try_recv() {
            self.read_letters(now);
            self.command(now, command);
        }
    }

    fn command(&mut self, now: Now, command: Command) {
        match command {
            Command::Reload => self.server.handle_settings(now, self.control.settings()),
            Command::EndUser(user) => self.server.end_user(now, &user),
            Command::EndAllocation(id, reply) => {
                let was_there = self.server.client(id).is_some();
                self.server.end_allocation(id);
                // Who asked may have lost patience.
                let _ = reply.try_send(was_there);
            }
            Command::Allocations(from, reply) => {
                let _ = reply.try_send(self.tell_allocations(now, from));
            }
        }
        self.outputs(now, Way::default());
    }

    fn tell_allocations(&self, now: Now, from: usize) -> Part {
        let number = self.control.number;
        let living = self.server.allocations_in(now, from, PLACES);
        let allocations = living.map(|view| Allocation::new(number, now.instant, &view)).collect();
        let next = from.saturating_add(PLACES);
        Part { allocations, next: (next < self.server.places()).then_some(next) }
    }

    /// Publishes counters and a sign of life. Never waits: a reader in the way costs one publication.
    pub(super) fn publish(&self) {
        let control = &self.control;
        control.alive.store(control.start.elapsed().as_millis() as u64, Ordering::Relaxed);
        let mut published = match control.published.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(e)) => e.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        *published = WorkerStats {
            counters: self.counters,
            turn: *self.server.stats(),
            allocations: self.server.allocation_count() as u64,
            relayed_sockets: self.sockets.relayed_len() as u64,
            streams: self.sockets.streams.len() as u64,
            data_connections: self.data.len() as u64,
            processor: used_by_this_thread(),
            restarts: control.restarts.load(Ordering::Relaxed),
        };
    }
}

/// A panic while one of these locks is held leaves plain values, which are whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
