//! [`Worker`]: one thread's loop around one [`posthouse_turn::Server`].
//!
//! ```text
//! receive a batch ─► handle_client ─► Forward ─► outbox of a relayed socket ─┐
//!  (listeners and    handle_peer   ─► Wrap    ─► outbox of a listener       ├─► send a batch
//!   relayed sockets)             └─► Output::Respond ─► the same            ┘
//! ```

mod client;
mod coalescing;
mod control;
mod data_connection;
mod handover;
mod icmp;
mod outputs;
mod peer;
mod stream;
mod supervisor;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use posthouse_turn::{Now, Server, Settings, Shared};

use coalescing::Coalescing;
pub use control::{Allocation, WorkerStats};
pub(crate) use control::{Command, Control};
use data_connection::Parting;
pub(crate) use supervisor::run as supervise;

use crate::arena::Arena;
use crate::clock;
use crate::config::{EngineChoice, StreamLimits};
use crate::counters::Counters;
use crate::data_connection::DataConnections;
use crate::engine::{Engine, Received, Woken};
use crate::kernel;
use crate::listener::Listener;
use crate::outbox::Outbox;
use crate::ports::{Ports, Random};
use crate::sockets::{Sockets, Token, Way};
use crate::stream::Streams;

/// How often counters are published, relay addresses looked after, and the sign of life given.
const TICK: Duration = Duration::from_millis(500);

/// What every worker shares.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    pub(crate) shared: Shared,
    pub(crate) ports: Arc<Ports>,
    pub(crate) batch: usize,
    pub(crate) coalesce: Duration,
    pub(crate) streams: StreamLimits,
    /// All of them, in the order of their numbers.
    pub(crate) workers: Arc<[Arc<Control>]>,
    /// Settled.
    pub(crate) engine: EngineChoice,
}

/// One worker's state. Nothing in it is shared but `ports`, and that without a lock where packets pass.
pub(crate) struct Worker<E> {
    server: Server,
    sockets: Sockets,
    engine: E,
    arena: Arena,
    outbox: Outbox,
    coalescing: Coalescing,
    ports: Arc<Ports>,
    random: Random,
    counters: Counters,
    control: Arc<Control>,
    /// Data connections of TCP allocations.
    data: DataConnections,
    workers: Arc<[Arc<Control>]>,
    /// What becomes of the connection whose ConnectionBind was just looked at.
    parting: Option<Parting>,
    /// Relay addresses (by pool) that this machine had lost at the last tick.
    absent: Vec<u8>,
    /// When the log last heard of a failed bind.
    complained: Option<Instant>,
    next_tick: Instant,
}

impl<E: Engine> Worker<E> {
    /// A worker without allocations.
    pub(crate) fn new(
        mut engine: E,
        listeners: Vec<Listener>,
        settings: Arc<Settings>,
        common: &Common,
        control: Arc<Control>,
    ) -> io::Result<Self> {
        let now = clock::now();
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| io::Error::other(e.to_string()))?;
        for (n, listener) in listeners.iter().enumerate() {
            engine.watch(Token::Listener(n as u8), std::os::fd::AsFd::as_fd(&*listener.socket))?;
        }
        let data = DataConnections::new()?;
        engine.watch(Token::DataConnections, data.as_fd())?;
        let server = Server::new(settings, common.shared.clone(), seed, now);
        Ok(Self {
            server: server.numbered(control.number as u8).among(common.workers.len() as u16),
            sockets: Sockets::new(listeners, Streams::new(common.streams, now.instant), Arc::clone(&common.ports)),
            engine,
            arena: Arena::new(common.batch),
            outbox: Outbox::new(),
            coalescing: Coalescing::new(common.coalesce, common.batch, now.instant),
            ports: Arc::clone(&common.ports),
            random: Random::new(),
            counters: Counters::default(),
            control,
            data,
            workers: Arc::clone(&common.workers),
            parting: None,
            absent: Vec::new(),
            complained: None,
            next_tick: now.instant,
        })
    }

    /// Works until it is told to stop.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut received = Vec::with_capacity(self.arena.slots());
        let mut now = clock::now();
        kernel::clock::wake_on_time();
        // Some may have been handed to an earlier life that panicked.
        self.read_letters(now);
        self.adopt(now);
        while !self.control.stopping() {
            self.coalesce();
            let timeout = self.pause(now);
            let (sockets, arena) = (&mut self.sockets, &mut self.arena);
            let woken = self.engine.receive(sockets, arena, &mut received, &mut self.counters, timeout)?;
            now = clock::now();
            let joined = received.iter().any(|read| read.segment > 0);
            self.coalescing.looked(received.len(), joined, now.instant);
            self.sockets.streams.set_now(now.instant);
            for read in received.drain(..) {
                self.read(now, &read);
            }
            self.icmp_errors(now);
            self.pass_time(now);
            if woken == Woken::Yes {
                self.obey(now);
                self.adopt(now);
            }
            self.flush();
            self.take_leave(now);
            self.arena.reset();
        }
        self.sockets.streams.close_all();
        while self.control.next_adopted().is_some() {}
        self.publish();
        Ok(())
    }

    /// Lets what comes densely come together.
    fn coalesce(&mut self) {
        if let Some(pause) = self.coalescing.pause(clock::now().instant) {
            self.counters.calls.pause += 1;
            std::thread::sleep(pause);
        }
    }

    /// How long nothing has to be done unless a packet comes.
    fn pause(&self, now: Now) -> Duration {
        let deadlines = [self.server.poll_timeout(), self.sockets.streams.next_deadline(), self.data.next_deadline()];
        let next = deadlines.into_iter().flatten().fold(self.next_tick, Instant::min);
        next.saturating_duration_since(now.instant)
    }

    fn read(&mut self, now: Now, read: &Received) {
        match read.at {
            Token::Listener(n) => self.client_read(now, n, read),
            Token::Relayed(id, family) => self.peer_read(now, id, family, read),
            Token::Stream(id) => self.stream_read(now, id, read),
            Token::DataConnections => self.data_read(now),
            Token::Wake => {}
        }
    }

    fn pass_time(&mut self, now: Now) {
        if self.server.poll_timeout().is_some_and(|at| at <= now.instant) {
            self.server.handle_timeout(now);
            self.outputs(now, Way::default());
        }
        self.sockets.streams.expire();
        self.pass_data_time(now);
        if self.next_tick <= now.instant {
            self.next_tick = now.instant + TICK;
            self.look_after_addresses(now);
            self.hear_listeners();
            self.publish();
        }
    }

    /// A relay address that left the machine takes its allocations along; when it comes back, new ones can be made.
    fn look_after_addresses(&mut self, now: Now) {
        let absent = self.ports.absent();
        let before = std::mem::replace(&mut self.absent, absent.clone());
        for pool in absent.into_iter().filter(|pool| !before.contains(pool)) {
            let address = self.ports.address(pool);
            tracing::warn!(
                target: "relay",
                address = %address.local,
                "this machine no longer has the relay address: its allocations end, new ones are refused until it is back"
            );
            self.server.relayed_gone(now, address.external);
            self.outputs(now, Way::default());
        }
    }

    /// Sends what waits. What was received stays where it is.
    fn flush(&mut self) {
        if !self.outbox.is_empty() {
            self.engine.send(&mut self.sockets, &self.arena, &mut self.outbox, &mut self.counters);
        }
        self.arena.sent();
    }
}
