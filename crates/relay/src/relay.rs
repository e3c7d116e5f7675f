//! [`Relay`]: the workers, started, asked, told, stopped.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use posthouse_turn::{AllocationId, Settings, Shared};
use socket2::SockRef;

use crate::clock::now;
use crate::config::{Config, EngineChoice};
use crate::engine::mmsg::Mmsg;
use crate::engine::uring::Uring;
use crate::engine::{Engine, settle};
use crate::kernel::limit::raise_descriptors;
use crate::listener::{self, Listener};
use crate::ports::Ports;
use crate::start_error::StartError;
use crate::stream::Adopted;
use crate::worker::{Allocation, Command, Common, Control, Worker, WorkerStats, supervise};

/// A worker's number has eight bits.
const WORKERS_MAX: usize = 256;
/// How long whoever asks a worker waits for its answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running relay. Dropping it stops it.
#[derive(Debug)]
pub struct Relay {
    workers: Vec<Arc<Control>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    listening: Vec<SocketAddr>,
    settings: Mutex<Arc<Settings>>,
    ports: Arc<Ports>,
    engine: EngineChoice,
    shared: Shared,
    /// The minute in which a revocation was last forgotten.
    forgotten_in: AtomicU64,
}

impl Relay {
    /// Binds every listening socket, then starts the workers.
    ///
    /// `settings` must offer the families and name the ports and addresses of `config`; `shared` is where the quotas
    /// of all workers meet. Raises this process's soft limit of descriptors to the hard one.
    ///
    /// # Errors
    /// Says which address, and what to do. Nothing is left open then.
    pub fn start(config: &Config, settings: Arc<Settings>, shared: Shared) -> Result<Self, StartError> {
        check(config)?;
        let count = if config.workers > 0 { config.workers } else { cores() }.min(WORKERS_MAX);
        let (mut sockets, listening) = listen(config, count)?;
        let descriptors = raise_descriptors().map_err(StartError::Worker)?;
        let ports = Ports::new(&config.relay_addresses, &config.ports, descriptors, config.buffers.relayed_receive);
        ports.check().map_err(|(address, source)| StartError::RelayAddress { address, source })?;
        let ports = Arc::new(ports);
        let engine = settle(config.engine);
        let workers = controls(count, &settings).map_err(StartError::Worker)?;
        let common = Common {
            shared: shared.clone(),
            ports: Arc::clone(&ports),
            batch: config.buffers.batch,
            coalesce: config.coalesce,
            streams: config.streams,
            workers: workers.clone().into(),
            engine,
        };
        let settings = Mutex::new(settings);
        let relay = Self {
            workers,
            threads: Mutex::default(),
            listening,
            settings,
            ports,
            engine,
            shared,
            forgotten_in: AtomicU64::new(0),
        };
        for control in &relay.workers {
            let own = std::mem::take(&mut sockets[control.number]);
            let thread = spawn(Arc::clone(control), own, common.clone()).map_err(StartError::Worker)?;
            relay.threads().push(thread);
        }
        tracing::info!(target: "relay", workers = count, listening = ?relay.listening, descriptors, ?engine, "relay started");
        Ok(relay)
    }

    /// Takes over a client's connection: from now on a worker reads, answers and closes it. Never waits.
    ///
    /// False, and the connection is closed, when the last descriptors are left to others, when no worker lives, or when
    /// too many connections wait to be taken over.
    #[must_use]
    pub fn adopt(&self, connection: Adopted) -> bool {
        let living = self.workers.iter().filter(|w| w.is_alive());
        self.ports.has_room_for(connection.stream.as_raw_fd())
            && living.min_by_key(|w| w.load()).is_some_and(|worker| worker.adopt(connection))
    }

    /// The listening addresses, in the order of [`Config::listen`]; port 0 has become a real one.
    #[must_use]
    pub fn listening(&self) -> &[SocketAddr] {
        &self.listening
    }

    /// How the workers ask the kernel: never [`EngineChoice::Auto`].
    #[must_use]
    pub fn engine(&self) -> EngineChoice {
        self.engine
    }

    /// What each worker published last, at most half a second ago.
    #[must_use]
    pub fn stats(&self) -> Vec<WorkerStats> {
        self.workers.iter().map(|w| w.stats()).collect()
    }

    /// Relayed ports that are bound now, those held in reserve included.
    #[must_use]
    pub fn ports_taken(&self) -> usize {
        self.ports.taken()
    }

    /// Every allocation. Not for a thread that must not wait, see [`Self::each_allocation`].
    #[must_use]
    pub fn allocations(&self) -> Vec<Allocation> {
        let mut all = Vec::new();
        self.each_allocation(|allocation| all.push(allocation));
        all
    }

    /// Shows every allocation once. Asks the workers one after the other, for a few hundred at a time, so that packets
    /// never wait for the whole walk, and waits up to a second for each answer: not for a thread that must not wait. A
    /// worker that hangs is left out. What comes or moves meanwhile may be missed.
    pub fn each_allocation(&self, mut look: impl FnMut(Allocation)) {
        for worker in &self.workers {
            let mut from = Some(0);
            while let Some(part) = from.and_then(|from| ask(worker, |reply| Command::Allocations(from, reply))) {
                part.allocations.into_iter().for_each(&mut look);
                from = part.next;
            }
        }
    }

    /// Ends one allocation, by its worker and its name there. False when there is none (any more), or the worker hangs.
    /// Waits up to a second.
    #[must_use]
    pub fn end_allocation(&self, worker: usize, id: AllocationId) -> bool {
        let worker = self.workers.get(worker);
        worker.and_then(|worker| ask(worker, |reply| Command::EndAllocation(id, reply))).unwrap_or(false)
    }

    /// Ends every allocation of a user id (the part of a time-limited name behind the colon, or a static user's name)
    /// with the workers' next batch. False when a worker hangs and was not told.
    pub fn end_user(&self, user: &str) -> bool {
        let tell = || self.workers.iter().filter(|w| !w.tell(Command::EndUser(user.into()))).count();
        // Every worker is told, also behind one that hangs; and again, as an allocation may have been on its way from one
        // that was not told yet to one that was.
        tell() + tell() == 0
    }

    /// [`Self::end_user`], and no time-limited credential of that user id is good any more, on any worker: 401 until
    /// `until` (seconds since 1970), when the last of them has expired anyway.
    pub fn revoke_user(&self, user: &str, until: u64) -> bool {
        // First refused, then ended: nothing is made between the two.
        if self.shared.revoke(now(), user, until).is_some() {
            self.tell_forgotten();
        }
        self.end_user(user)
    }

    /// Once a minute at most: owners of rooms, who may be anybody, make this happen.
    fn tell_forgotten(&self) {
        let minute = now().unix / 60;
        if self.forgotten_in.swap(minute, Ordering::Relaxed) != minute {
            let revoked = self.shared.revoked();
            tracing::warn!(target: "relay", revoked, "too many credentials were taken back: the one that expires first is good again");
        }
    }

    /// New settings apply with the workers' next batch; living allocations are judged by them. What [`Config`] holds
    /// does not change: that needs a new relay.
    pub fn apply(&self, settings: &Arc<Settings>) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(settings);
        for worker in &self.workers {
            worker.apply(Arc::clone(settings));
        }
    }

    /// New Allocates get 508 from now on; everything that lives goes on. The relay is idle when [`Self::allocations`]
    /// is empty, or [`Self::stats`] says so.
    pub fn drain(&self) {
        let settings = Arc::clone(&self.settings.lock().unwrap_or_else(PoisonError::into_inner));
        self.apply(&Arc::new(Settings { accept_allocations: false, ..(*settings).clone() }));
    }

    /// Whether every worker gave a sign of life within five seconds.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.workers.iter().all(|w| w.is_alive())
    }

    /// Stops the workers and closes every socket, at once. Waits for the threads; a second call does nothing.
    pub fn shutdown(&self) {
        for worker in &self.workers {
            worker.stop();
        }
        for thread in std::mem::take(&mut *self.threads()) {
            // A panic was logged where it happened.
            let _ = thread.join();
        }
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// What a worker answers, if it does so in time.
fn ask<T>(worker: &Control, command: impl FnOnce(SyncSender<T>) -> Command) -> Option<T> {
    let (reply, answer) = sync_channel(1);
    worker.tell(command(reply)).then(|| answer.recv_timeout(PATIENCE).ok()).flatten()
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn check(config: &Config) -> Result<(), StartError> {
    let (listeners, addresses) = (config.listen.len(), config.relay_addresses.len());
    if listeners > 256 {
        return Err(StartError::TooManyListeners(listeners));
    }
    if addresses > 256 {
        return Err(StartError::TooManyRelayAddresses(addresses));
    }
    if config.ports.is_empty() || *config.ports.start() == 0 {
        return Err(StartError::Ports(config.ports.clone()));
    }
    for address in &config.relay_addresses {
        let (local, external) = (address.local, address.external);
        if local.is_unspecified() {
            return Err(StartError::Wildcard(local));
        }
        if local.is_ipv4() != external.is_ipv4() {
            return Err(StartError::Families { local, external });
        }
    }
    match config.listen.iter().find(|a| config.ports.contains(&a.port())) {
        Some(&address) => Err(StartError::ListenerInRange { address, ports: config.ports.clone() }),
        None => Ok(()),
    }
}

/// One set of listening sockets for each worker, and the addresses they have.
fn listen(config: &Config, workers: usize) -> Result<(Vec<Vec<Listener>>, Vec<SocketAddr>), StartError> {
    let mut sets: Vec<Vec<Listener>> = (0..workers).map(|_| Vec::new()).collect();
    let mut listening = Vec::with_capacity(config.listen.len());
    for &address in &config.listen {
        let bound = listener::bind(address, workers, &config.buffers);
        let (sockets, local) = bound.map_err(|source| StartError::Listen { address, source })?;
        if let Some(socket) = sockets.first() {
            tell_buffer(socket, local, config.buffers.listener_receive);
        }
        for (set, socket) in sets.iter_mut().zip(sockets) {
            set.push(Listener::new(Arc::new(socket), local));
        }
        listening.push(local);
    }
    Ok((sets, listening))
}

/// The kernel doubles what it grants, for its own bookkeeping, and grants less than asked without a word.
fn tell_buffer(socket: &std::net::UdpSocket, address: SocketAddr, asked: usize) {
    let granted = SockRef::from(socket).recv_buffer_size().unwrap_or(0) / 2;
    if granted < asked {
        tracing::info!(
            target: "relay", %address, asked, granted,
            "the receive buffer is smaller than asked for; bursts may be lost: raise net.core.rmem_max"
        );
    }
}

fn controls(count: usize, settings: &Arc<Settings>) -> io::Result<Vec<Arc<Control>>> {
    (0..count).map(|n| Control::new(n, Arc::clone(settings)).map(Arc::new)).collect()
}

fn spawn(control: Arc<Control>, listeners: Vec<Listener>, common: Common) -> io::Result<JoinHandle<()>> {
    let number = control.number;
    thread::Builder::new().name(format!("relay-{number}")).spawn(move || {
        let life = || {
            let (slots, wake) = (common.batch, Arc::clone(&control.wake));
            match common.engine {
                EngineChoice::IoUring => live(Uring::new(slots, wake)?, &control, &listeners, &common),
                EngineChoice::Mmsg | EngineChoice::Auto => live(Mmsg::new(slots, wake)?, &control, &listeners, &common),
            }
        };
        supervise(number, life, || control.restarted());
    })
}

/// One life of a worker.
fn live(engine: impl Engine, control: &Arc<Control>, listeners: &[Listener], common: &Common) -> io::Result<()> {
    let own = listeners.iter().map(Listener::again).collect();
    Worker::new(engine, own, control.settings(), common, Arc::clone(control))?.run()
}
